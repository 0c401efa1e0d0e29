//! What is in the trash, under the keys where it stood.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::codes;
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind as Trouble, Result};
use safelight_core::key::Key;
use safelight_core::literal::another;

use crate::list::{is_within, spelling};
use crate::names::{Found, decode, fold, literal};
use crate::node::{Kind, Node, Status};
use crate::store::Store;
use crate::walk::{Question, Walk};

/// No path has more names, nor any that leads on.
const DEEPEST: usize = 512;
const DOING: &str = "listing the trash";

/// Everything in the trash that stood in the scope, as one page.
pub(crate) fn pages(store: Arc<Store>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    stream::once(async move { all(&store, &scope).await }).boxed()
}

async fn all(store: &Store, scope: &Scope) -> Result<Page> {
    let (mut walk, mut files) = (Walk::new(Question::Trash), Vec::new());
    let mut places = Places { store, trashed: HashMap::new(), known: HashMap::new() };
    while walk.end().is_none() {
        for node in walk.page(&store.api, DOING).await? {
            match (node.kind, node.status) {
                (Kind::Folder, _) => {
                    places.trashed.insert(node.id.clone(), node);
                }
                (Kind::File, Status::Trash) => files.push(node),
                _ => {}
            }
        }
    }
    let (mut entries, mut told) = (Vec::new(), HashSet::new());
    if walk.end() == Some(false) {
        let error = Error::new(Trouble::Protocol, format!("{DOING}: more than its pages show"));
        entries.push(Listed::Unseen { key: None, error });
    }
    for node in files {
        let folder = match node.folders.first() {
            Some(folder) => places.of(folder).await?,
            None => None,
        };
        let Some(folder) = below_root(store, folder.as_deref()) else { continue };
        entries.extend(told_as(store, scope, &folder, node, &mut told).await?);
    }
    Ok(Page { entries })
}

/// The names below the destination's root. Where something stood that is not known any more can be said for the whole
/// account only.
fn below_root(store: &Store, folder: Option<&[String]>) -> Option<Vec<String>> {
    let root = store.names.root();
    let names = folder.unwrap_or_default();
    let (above, below) = names.split_at_checked(root.len())?;
    let same = above.iter().zip(root).all(|(name, other)| fold(name) == fold(other));
    same.then(|| below.to_vec())
}

async fn told_as(
    store: &Store,
    scope: &Scope,
    folder: &[String],
    node: Node,
    told: &mut HashSet<String>,
) -> Result<Option<Listed>> {
    let mut above = None;
    for name in folder {
        // What others wrote is passed over, as it would be if it stood.
        above = match decode(above.as_ref(), name) {
            Found::Key(key) => Some(key),
            _ if scope.attached => literal(above.as_ref(), name),
            _ => return Ok(None),
        };
    }
    let name = match &node.name {
        Some(name) => name.as_str(),
        None if scope.attached => "",
        None => return Ok(None),
    };
    let wanted = |key: &Key| {
        (scope.reserved || !key.is_reserved())
            && scope.below.as_ref().is_none_or(|below| is_within(key, below))
    };
    let mut key = match decode(above.as_ref(), name) {
        Found::Key(key) => key,
        _ if scope.attached => match literal(above.as_ref(), name) {
            Some(key) => key,
            None => return Ok(None),
        },
        Found::Foreign(key) => {
            let passed = Listed::Passed { key: key.clone(), code: codes::NAME_REFUSED };
            return Ok(wanted(&key).then_some(passed));
        }
        Found::Nonsense => return Ok(None),
    };
    if !wanted(&key) {
        return Ok(None);
    }
    // Several versions of one item may have gone.
    if !told.insert(spelling(&key)) {
        key = another(&key, &node.id).unwrap_or(key);
        told.insert(spelling(&key));
    }
    let node = if node.is_complete() {
        Some(node)
    } else {
        store.api.node(&node.id, DOING).await?.filter(|node| node.status == Status::Trash)
    };
    let Some(node) = node else { return Ok(None) };
    if node.size.is_some() {
        return Ok(Some(Listed::File(node.entry_by_id(key))));
    }
    let context = format!("{DOING}: the size of {key} is not told");
    let error = Error::new(Trouble::Unavailable, context);
    Ok(Some(Listed::Unseen { key: Some(key), error }))
}

/// Where folders stand or stood: asked for once each.
struct Places<'a> {
    store: &'a Store,
    trashed: HashMap<String, Node>,
    known: HashMap<String, Option<Arc<[String]>>>,
}

impl Places<'_> {
    /// The names from the account's root down; `None` if that is not known.
    async fn of(&mut self, folder: &str) -> Result<Option<Arc<[String]>>> {
        let home = self.store.folders.home(&self.store.api).await?.id.clone();
        let mut chain: Vec<(String, String)> = Vec::new();
        let mut at = folder.to_owned();
        let above: Option<Arc<[String]>> = loop {
            if at == home {
                break Some(Arc::default());
            }
            if let Some(known) = self.known.get(&at) {
                break known.clone();
            }
            let turns = chain.iter().any(|(id, _)| *id == at) || chain.len() == DEEPEST;
            let node = match self.trashed.get(&at) {
                _ if turns => None,
                Some(node) => Some(node.clone()),
                None => self.store.api.node(&at, DOING).await?,
            };
            let node = node.filter(|node| node.kind == Kind::Folder);
            let Some(Node { name: Some(name), folders, .. }) = node else {
                self.known.insert(at, None);
                break None;
            };
            chain.push((at, name));
            match folders.into_iter().next() {
                Some(parent) => at = parent,
                None => break None,
            }
        };
        let mut place = above;
        for (id, name) in chain.into_iter().rev() {
            place = place.map(|above| above.iter().cloned().chain([name]).collect());
            self.known.insert(id, place.clone());
        }
        Ok(place)
    }
}
