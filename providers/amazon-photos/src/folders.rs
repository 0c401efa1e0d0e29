//! Folders: found or made once, however many ask for the same one at the same time.
//!
//! Invariant: for each path at most one call that makes a folder is under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use safelight_core::error::{Error, Kind};
use safelight_core::key::printable;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::api::Api;
use crate::filter::named;
use crate::names::fold;
use crate::node::Node;
use crate::trouble::Trouble;

/// The account's root folder, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) id: String,
    /// Needed for downloads.
    pub(crate) owner: String,
}

/// What is known of one path.
#[derive(Debug, Default)]
struct Known(tokio::sync::Mutex<Option<String>>);

/// The folders that were seen or made, for as long as the destination is open.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    home: OnceCell<Home>,
    paths: Mutex<HashMap<String, Arc<Known>>>,
    /// How many names lead to the destination's root.
    root: usize,
    made_root: AtomicBool,
}

/// What there is in place of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(String),
    /// A file of that name.
    File,
    Nothing,
}

impl Folders {
    /// `root`: how many names lead to the destination's root.
    pub(crate) fn new(root: usize) -> Self {
        Self { root, ..Self::default() }
    }

    /// Whether the destination's root was made just now, so that nothing can stand below it yet.
    pub(crate) fn made_root(&self) -> bool {
        self.made_root.load(Ordering::Relaxed)
    }

    /// The root of the account.
    pub(crate) async fn home(&self, api: &Api) -> Result<&Home, Trouble> {
        self.home.get_or_try_init(|| find_home(api)).await
    }

    /// The folder of this path, if it is there.
    pub(crate) async fn find(
        &self,
        api: &Api,
        names: &[String],
    ) -> Result<Option<String>, Trouble> {
        match self.place(api, names).await? {
            Place::Folder(id) => Ok(Some(id)),
            Place::File | Place::Nothing => Ok(None),
        }
    }

    /// Whether the root of the account is known.
    pub(crate) fn is_at_home(&self) -> bool {
        self.home.initialized()
    }

    /// What stands at the last of these names.
    pub(crate) async fn place(&self, api: &Api, names: &[String]) -> Result<Place, Trouble> {
        let mut id = self.home(api).await?.id.clone();
        for depth in 1..=names.len() {
            let known = self.known(&names[..depth]);
            let mut slot = known.0.lock().await;
            if let Some(found) = slot.clone() {
                id = found;
                continue;
            }
            match look(api, &id, &names[depth - 1]).await? {
                Place::Folder(found) => id = slot.insert(found).clone(),
                Place::File if depth == names.len() => return Ok(Place::File),
                Place::File | Place::Nothing => return Ok(Place::Nothing),
            }
        }
        Ok(Place::Folder(id))
    }

    /// The folder of this path; made if it is not there.
    ///
    /// # Errors
    /// [`Kind::Exists`] if a file stands in its place.
    pub(crate) async fn ensure(&self, api: &Api, names: &[String]) -> Result<String, Trouble> {
        let mut id = self.home(api).await?.id.clone();
        // In a folder that was made just now there is nothing to be found.
        let mut fresh = false;
        for depth in 1..=names.len() {
            let known = self.known(&names[..depth]);
            let mut slot = known.0.lock().await;
            if let Some(found) = slot.clone() {
                fresh = false;
                id = found;
                continue;
            }
            let name = &names[depth - 1];
            let there = if fresh { Place::Nothing } else { look(api, &id, name).await? };
            let found = if let Place::Folder(found) = there {
                found
            } else {
                let (made, new) = make(api, &id, name).await?;
                fresh = new;
                if new && depth == self.root {
                    self.made_root.store(true, Ordering::Relaxed);
                }
                made
            };
            *slot = Some(found.clone());
            id = found;
        }
        Ok(id)
    }

    /// Notes a folder that was seen.
    pub(crate) fn learn(&self, names: &[String], id: &str) {
        let known = self.known(names);
        // Whoever looks for it right now will know.
        if let Ok(mut slot) = known.0.try_lock() {
            slot.get_or_insert_with(|| id.to_owned());
        }
    }

    /// Forgets a folder, what leads to it and what stands in it: somebody else has changed it.
    pub(crate) fn forget(&self, names: &[String]) {
        let path = path(names);
        let related = |other: &str| {
            let (short, long) = if other.len() < path.len() {
                (other, path.as_str())
            } else {
                (path.as_str(), other)
            };
            long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|other, _| !related(other));
    }

    fn known(&self, names: &[String]) -> Arc<Known> {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(paths.entry(path(names)).or_default())
    }
}

fn path(names: &[String]) -> String {
    names.iter().map(|name| fold(name)).collect::<Vec<_>>().join("/")
}

async fn find_home(api: &Api) -> Result<Home, Trouble> {
    let doing = "looking for the account's root";
    let page = api.nodes("isRoot:true", 0, 1, doing).await?;
    let missing = || Error::new(Kind::Protocol, format!("{doing}: there is none"));
    let root = page.nodes.into_iter().next().ok_or_else(missing)?;
    let owner = root.owner.ok_or_else(missing)?;
    Ok(Home { id: root.id, owner })
}

/// What has this name in a folder; a folder counts before a file.
async fn look(api: &Api, parent: &str, name: &str) -> Result<Place, Trouble> {
    let doing = format!("looking for {}", printable(name.as_bytes()));
    let page = api.nodes(&named(parent, name), 0, 200, &doing).await?;
    let wanted = fold(name);
    let mut place = Place::Nothing;
    for node in page.nodes {
        let same = node.name.as_deref().is_some_and(|other| fold(other) == wanted);
        if !same || !node.folders.iter().any(|folder| folder == parent) {
            continue;
        }
        if node.is_folder() {
            return Ok(Place::Folder(node.id));
        }
        if node.is_file() {
            place = Place::File;
        }
    }
    Ok(place)
}

/// The id, and whether it is certain that it was made by this call.
async fn make(api: &Api, parent: &str, name: &str) -> Result<(String, bool), Trouble> {
    let doing = format!("making the folder {}", printable(name.as_bytes()));
    let argument = json!({
        "kind": "FOLDER", "name": name, "parents": [parent],
        "resourceVersion": "V2", "ContentType": "JSON",
    });
    match api.tell(Method::POST, "nodes", &argument, &doing).await {
        Ok(Some(made)) => Ok((made.id, true)),
        // Somebody else made it meanwhile, or a listing did not know of it yet.
        Err(trouble) if trouble.taken() => {
            let there = match &trouble.node {
                Some(id) => api.node(id, &doing).await?.filter(Node::is_folder).map(|node| node.id),
                None => match look(api, parent, name).await? {
                    Place::Folder(id) => Some(id),
                    Place::File | Place::Nothing => None,
                },
            };
            there.map(|id| (id, false)).ok_or(trouble)
        }
        // It may have been made all the same.
        Ok(None) => made_after_all(api, parent, name, &doing).await,
        Err(trouble) if trouble.unknown() => {
            made_after_all(api, parent, name, &doing).await.map_err(|_| trouble)
        }
        Err(trouble) => Err(trouble),
    }
}

async fn made_after_all(
    api: &Api,
    parent: &str,
    name: &str,
    doing: &str,
) -> Result<(String, bool), Trouble> {
    match look(api, parent, name).await? {
        Place::Folder(id) => Ok((id, false)),
        Place::File | Place::Nothing => {
            let context = format!("{doing}: it is not there");
            Err(Error::new(Kind::Unavailable, context).into())
        }
    }
}
