//! One upload, and what became of it: stored, there already, in the way, or unknown until looked for.
//!
//! Invariant: what the service stored is compared with what was sent; what is not the same does not stay.

use std::sync::atomic::Ordering;

use http::Method;
use safelight_core::digest::Algorithm;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::provider::Proof;
use serde_json::json;

use crate::filter::{query, with_md5};
use crate::goods::Goods;
use crate::names::{Spot, fold};
use crate::node::{Md5, Node, Status};
use crate::store::{LOOKS, Store};
use crate::trouble::Trouble;

/// How often a new file is looked at until the service tells size and digest: about half a minute.
const PATIENT: u32 = 6;

/// What became of bytes that were sent.
pub(crate) enum Outcome {
    /// They are a node of their own now.
    Stored { node: Node, proof: Proof },
    /// They stand under this node. `restored`: it was brought back from the trash for that.
    Same { node: Node, restored: bool },
    /// The name is taken by something else.
    Taken,
}

impl Store {
    /// Sends the bytes to a folder.
    pub(crate) async fn send(
        &self,
        folder: &str,
        name: &str,
        goods: &mut Goods,
        doing: &str,
    ) -> Result<Outcome> {
        let trouble = match self.transfer(folder, name, goods, doing).await {
            Ok(node) => return self.received(node, name, goods, doing).await,
            Err(trouble) => trouble,
        };
        if let Some(error) = goods.failure() {
            // The service never had the whole.
            return Err(error);
        }
        if trouble.duplicate() {
            self.same(trouble, goods, doing).await
        } else if trouble.taken() {
            self.in_the_way(trouble.node.as_deref(), folder, name, goods, doing).await
        } else if trouble.unknown() {
            self.arrived(trouble, folder, name, goods, doing).await
        } else {
            Err(trouble.error)
        }
    }

    /// By the current route, which compares the MD5; by the older one where the MD5 is not known yet or the
    /// current one is not known there.
    async fn transfer(
        &self,
        folder: &str,
        name: &str,
        goods: &mut Goods,
        doing: &str,
    ) -> Result<Node, Trouble> {
        let older = || self.older_route.load(Ordering::Relaxed);
        if let Some(md5) = goods.md5().filter(|_| !older()) {
            let size = goods.length.to_string();
            let pairs = [("name", name), ("fileSize", &size), ("parentNodeId", folder)];
            let path = format!("v2/upload?{}", query(&pairs));
            let sent = goods.send(doing)?;
            match self.api.upload(&path, Some(md5), sent, doing).await {
                Err(trouble) if trouble.unknown_route() => {
                    self.older_route.store(true, Ordering::Relaxed);
                }
                answer => return answer,
            }
        }
        let pairs = [("name", name), ("kind", "FILE"), ("parentNodeId", folder)];
        let path = format!("cdproxy/nodes?{}", query(&pairs));
        let sent = goods.send(doing)?;
        self.api.upload(&path, None, sent, doing).await
    }

    /// Compares what was stored with what was sent.
    async fn received(
        &self,
        node: Node,
        name: &str,
        goods: &Goods,
        doing: &str,
    ) -> Result<Outcome> {
        if node.name.as_deref().is_some_and(|other| fold(other) != fold(name)) {
            // It gave way to something that has the name.
            self.bin.trash(&self.api, &node.id).await?;
            return Ok(Outcome::Taken);
        }
        let seen = match self.complete_within(node.clone(), PATIENT, doing).await {
            Ok(Some(seen)) => seen,
            Ok(None) => {
                let context = format!("{doing}: it was stored and is gone");
                return Err(Error::new(Kind::Unavailable, context).scope(Scope::Item));
            }
            // It takes its time over it. That it has the bytes is its word alone.
            Err(trouble) if trouble.error.kind() == Kind::Unavailable => {
                return Ok(Outcome::Stored { node, proof: Proof::Claimed });
            }
            Err(trouble) => return Err(trouble.error),
        };
        if seen.size != Some(goods.length) || seen.md5.is_none() || seen.md5 != goods.md5() {
            self.bin.trash(&self.api, &seen.id).await?;
            self.fresh.trashed(&seen.id);
            let context = format!("{doing}: other bytes arrived than were sent");
            return Err(Error::new(Kind::Corrupt, context));
        }
        Ok(Outcome::Stored { node: seen, proof: Proof::ServerHash(Algorithm::Md5) })
    }

    /// The service has the bytes already: looks whether it really does.
    async fn same(&self, trouble: Trouble, goods: &Goods, doing: &str) -> Result<Outcome> {
        // Without it, it was refused before all of it was read.
        let Some(md5) = goods.md5() else { return Err(later(doing)) };
        let found = match &trouble.node {
            Some(id) => self.api.node(id, doing).await?,
            None => self.by_md5(md5, doing).await?,
        };
        let Some(mut node) = found else { return Err(later(doing)) };
        let restored = node.status == Status::Trash;
        if restored {
            node = self.restore(node, doing).await?;
        }
        let node = self.complete(node, doing).await?.ok_or_else(|| later(doing))?;
        let owner = &self.folders.home(&self.api).await?.owner;
        let ours = node.owner.as_ref().is_none_or(|other| other == owner);
        if node.has_bytes() && ours && equal(&node, md5, goods.length) {
            Ok(Outcome::Same { node, restored })
        } else {
            // Refused because of something that is not the same, or not this account's.
            Err(trouble.error)
        }
    }

    /// What has the name may be this very item, from a try whose answer was lost.
    async fn in_the_way(
        &self,
        id: Option<&str>,
        folder: &str,
        name: &str,
        goods: &Goods,
        doing: &str,
    ) -> Result<Outcome> {
        let spot = Spot { folder: Vec::new(), name: name.to_owned() };
        let found = match id {
            Some(id) => self.there(id, doing).await?,
            None => self.by_name(folder, &spot, doing).await?,
        };
        let same = |node: &Node| goods.md5().is_some_and(|md5| equal(node, md5, goods.length));
        Ok(match found {
            Some(node) if same(&node) => Outcome::Same { node, restored: false },
            _ => Outcome::Taken,
        })
    }

    /// Looks whether something arrived whose answer was lost: by content, and by name. Listings lag, so more than
    /// once.
    async fn arrived(
        &self,
        trouble: Trouble,
        folder: &str,
        name: &str,
        goods: &Goods,
        doing: &str,
    ) -> Result<Outcome> {
        let Some(md5) = goods.md5() else { return Err(trouble.error) };
        let spot = Spot { folder: Vec::new(), name: name.to_owned() };
        for look in 0..LOOKS {
            if look > 0 {
                self.wait(look).await?;
            }
            let named = self.by_name(folder, &spot, doing).await?;
            if let Some(node) = self.if_equal(named, md5, goods.length, doing).await? {
                return Ok(Outcome::Same { node, restored: false });
            }
            // Empty files are never the same to the service.
            if goods.length > 0 {
                let same = self.by_md5(md5, doing).await?;
                if let Some(node) = self.if_equal(same, md5, goods.length, doing).await? {
                    return Ok(Outcome::Same { node, restored: false });
                }
            }
        }
        Err(trouble.error)
    }

    async fn if_equal(
        &self,
        found: Option<Node>,
        md5: Md5,
        length: u64,
        doing: &str,
    ) -> Result<Option<Node>, Trouble> {
        let Some(node) = found else { return Ok(None) };
        let node = self.complete(node, doing).await?;
        Ok(node.filter(|node| equal(node, md5, length)))
    }

    async fn by_md5(&self, md5: Md5, doing: &str) -> Result<Option<Node>, Trouble> {
        match self.api.nodes(&with_md5(md5), 0, 200, doing).await {
            Ok(page) => {
                let there = |node: &Node| node.is_file() && !self.fresh.is_trashed(&node.id);
                Ok(page.nodes.into_iter().find(there))
            }
            // That this can be asked is not certain.
            Err(trouble) if trouble.status == Some(400) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Brings a node back from the trash, rather than sending bytes that would be refused.
    async fn restore(&self, node: Node, doing: &str) -> Result<Node> {
        let argument = json!({
            "op": "remove", "value": [node.id], "recurse": "true", "filters": "",
            "conflictResolution": "RENAME", "resourceVersion": "V2", "ContentType": "JSON",
        });
        let done = self.api.tell(Method::PATCH, "trash", &argument, doing).await;
        if let Err(trouble) = done
            && !trouble.unknown()
        {
            let context = format!("{doing}: its bytes are in the trash and cannot be brought back");
            return Err(match trouble.error.kind() {
                Kind::SignIn | Kind::RateLimited => trouble.error,
                _ => Error::new(Kind::Refused, context),
            });
        }
        let back = self.api.node(&node.id, doing).await?.filter(Node::has_bytes);
        let back = back.ok_or_else(|| later(doing))?;
        self.fresh.restored(&back.id);
        Ok(back)
    }
}

fn equal(node: &Node, md5: Md5, length: u64) -> bool {
    node.md5 == Some(md5) && node.size == Some(length)
}

/// Refused for a reason that does not hold when looked at.
fn later(doing: &str) -> Error {
    let context = format!("{doing}: Amazon Photos says that it has these bytes, but not where");
    Error::new(Kind::Unavailable, context).scope(Scope::Item)
}
