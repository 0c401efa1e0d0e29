//! Storing a new item.
//!
//! Equal bytes are one node to the service, whatever their names: such an item is stored by a note.

use safelight_core::body::Body;
use safelight_core::digest::{Algorithm, Digests};
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::key::Key;
use safelight_core::provider::{Proof, PutMode, PutRequest, Receipt};

use crate::goods::Goods;
use crate::ledger::{Alias, Place};
use crate::names::{Spot, aside};
use crate::node::{Node, version};
use crate::store::Store;
use crate::upload::Outcome;

/// Largest file; clients of the service's predecessor warned above it.
pub(crate) const MOST: u64 = 50_000 * 1024 * 1024;
/// How many second names are tried.
const NAMES: u32 = 4;

impl Store {
    pub(crate) async fn store(&self, request: PutRequest, body: Body) -> Result<Receipt> {
        let doing = format!("storing {}", request.key);
        if body.length() != request.length {
            let (sent, told) = (body.length(), request.length);
            let context = format!("{doing}: {sent} bytes were handed over, {told} announced");
            return Err(Error::new(Kind::Corrupt, context));
        }
        if request.length > MOST {
            let context = format!("{doing}: {} bytes are too many there", request.length);
            return Err(Error::new(Kind::TooLarge, context));
        }
        let spot = self.names.spot(&request.key)?;
        let mut goods = Goods::take(&request, body, &doing).await?;
        match &request.mode {
            PutMode::Create => self.create(&request.key, &spot, &mut goods, &doing).await,
            PutMode::Replace(version) => {
                self.replace(&request.key, version, &spot, &mut goods, &doing).await
            }
        }
    }

    async fn create(
        &self,
        key: &Key,
        spot: &Spot,
        goods: &mut Goods,
        doing: &str,
    ) -> Result<Receipt> {
        let (aliased, occupied) = {
            let entries = self.ledger.entries().await?;
            (entries.alias(key).is_some(), entries.is_occupied(key))
        };
        if aliased && let Some(found) = self.locate(key, doing).await? {
            return already(&found.node, goods).ok_or_else(|| occupied_by_another(doing));
        }
        let folder = self.folder_for(spot).await?;
        if self.folders.made_root() || is_marker(key) {
            self.ledger.begin().await?;
        }
        if occupied {
            // Its name is that of a node which other keys need.
            let (node, proof, hidden) =
                self.send_aside(&folder, spot, &key.to_string(), goods, doing).await?;
            self.adopt(key, spot, &folder, &node, hidden).await?;
            return Ok(receipt(&node, goods, proof));
        }
        match self.send(&folder, &spot.name, goods, doing).await {
            Ok(Outcome::Stored { node, proof }) => {
                self.fresh.stored(key, &node.id);
                if aliased {
                    let mut entries = self.ledger.entries().await?;
                    self.ledger.note(&mut entries, key, None, &[]).await?;
                }
                Ok(receipt(&node, goods, proof))
            }
            Ok(Outcome::Same { node, restored }) => {
                self.adopt(key, spot, &folder, &node, restored).await?;
                Ok(receipt(&node, goods, Proof::ServerHash(Algorithm::Md5)))
            }
            Ok(Outcome::Taken) => Err(occupied_by_another(doing)),
            Err(error) => Err(self.lost_folder(spot, error)),
        }
    }

    pub(crate) async fn folder_for(&self, spot: &Spot) -> Result<String> {
        Ok(self.folders.ensure(&self.api, &spot.folder).await?)
    }

    /// Should the folder have gone, the next try makes it anew.
    fn lost_folder(&self, spot: &Spot, error: Error) -> Error {
        let item = error.reach() == Scope::Item;
        if item && error.kind() == Kind::Unavailable {
            self.folders.forget(&spot.folder);
        }
        error
    }

    /// Notes that a key stands under a node that was there before. `ours`: its own place is no key.
    pub(crate) async fn adopt(
        &self,
        key: &Key,
        spot: &Spot,
        folder: &str,
        node: &Node,
        ours: bool,
    ) -> Result<()> {
        let native = self.stands_at(node, folder, &spot.name);
        let mut entries = self.ledger.entries().await?;
        if self.fresh.is_leaving(&node.id) {
            let context = format!("storing {key}: its bytes are just being removed");
            return Err(Error::new(Kind::Unavailable, context).scope(Scope::Item));
        }
        if native {
            self.fresh.stored(key, &node.id);
            return self.ledger.note(&mut entries, key, None, &[(&node.id, Place::Counts)]).await;
        }
        let alias = Alias { id: node.id.clone(), folder: node.folders.first().cloned() };
        let hide = (node.id.as_str(), Place::Hidden(None));
        let hidden: &[_] = if ours && !entries.is_hidden(&node.id) { &[hide] } else { &[] };
        self.ledger.note(&mut entries, key, Some(alias), hidden).await
    }

    /// Sends the bytes under a second name. The last of the answer says whether the node is there for this only.
    pub(crate) async fn send_aside(
        &self,
        folder: &str,
        spot: &Spot,
        seed: &str,
        goods: &mut Goods,
        doing: &str,
    ) -> Result<(Node, Proof, bool)> {
        for number in 0..NAMES {
            let name = aside(&spot.name, &format!("{seed} {number}"));
            match self.send(folder, &name, goods, doing).await {
                Ok(Outcome::Stored { node, proof }) => return Ok((node, proof, true)),
                Ok(Outcome::Same { node, restored }) => {
                    // Left over from a try that died, or another item's.
                    let ours = restored || self.stands_at(&node, folder, &name);
                    return Ok((node, Proof::ServerHash(Algorithm::Md5), ours));
                }
                Ok(Outcome::Taken) if goods.at_hand() => {}
                Ok(Outcome::Taken) => break,
                Err(error) => return Err(self.lost_folder(spot, error)),
            }
        }
        Err(occupied_by_another(doing))
    }
}

/// Whether the item says whose destination this is: stored once, when a destination begins or is taken over.
fn is_marker(key: &Key) -> bool {
    key.is_reserved() && key.segments().count() == 2 && key.name() == b"marker"
}

/// A receipt for what stands there, if that is the same.
pub(crate) fn already(node: &Node, goods: &Goods) -> Option<Receipt> {
    let same = goods.md5().is_some() && node.md5 == goods.md5() && node.size == Some(goods.length);
    same.then(|| receipt(node, goods, Proof::ServerHash(Algorithm::Md5)))
}

pub(crate) fn receipt(node: &Node, goods: &Goods, proof: Proof) -> Receipt {
    let digests: Digests = goods.digests();
    Receipt {
        version: digests.md5.map(|md5| version(&node.id, md5)),
        remote_id: Some(node.id.as_str().into()),
        modified: None,
        digests,
        proof,
    }
}

fn occupied_by_another(doing: &str) -> Error {
    Error::new(Kind::Exists, format!("{doing}: something else is there"))
}
