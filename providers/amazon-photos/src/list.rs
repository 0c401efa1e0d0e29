//! Listings: folder by folder below the root, so that what is hidden, undated or unknown to searches is found too.
//!
//! Keys that stand under a node of another name are told with that node; where it stands outside of what is walked
//! through, its folder is looked into. What was stored a moment ago and is not listed yet is asked for by its id.
//! What is not called as we would have called it is passed over; listings that are for taking everything out tell it
//! too.

mod literal;
mod live;
mod outside;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use safelight_core::codes;
use safelight_core::entry::{Listed, Page, Scope};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;

use crate::folders::Place;
use crate::ledger::Alias;
use crate::names::{Found, decode, fold};
use crate::node::Node;
use crate::store::Store;
use crate::trashed;
use crate::walk::{Question, Walk};

/// No path is longer, nor any that leads on.
const LONGEST: usize = 4096;
const DOING: &str = "listing";

/// A folder that is still to be walked through.
struct Todo {
    /// `None` for the root.
    key: Option<Key>,
    names: Vec<String>,
    id: String,
    /// No key leads here: this folder or one above is not called as we would have called it.
    literal: bool,
}

/// A listing on its way.
pub(crate) struct Listing {
    store: Arc<Store>,
    scope: Scope,
    todo: VecDeque<Todo>,
    now: Option<(Todo, Walk)>,
    /// Folders that were taken up; some stand in several others.
    folders: HashSet<String>,
    /// Keys of which it is known that they stand under a node, with its folder, until that was met.
    expected: HashMap<String, BTreeMap<Key, Option<String>>>,
    /// Files that no key leads to, and the keys that show what they are called.
    literal: Vec<(Key, Node)>,
    /// Live photos whose films are still to be told, and their keys.
    live: Vec<(Key, String)>,
    /// All keys so far, as they are compared; kept for the names of what comes last.
    told: HashSet<String>,
    /// Nodes that were told since they were asked for, films with their stills; kept for whoever asks.
    seen: Option<Vec<(Node, Option<String>)>>,
    /// A folder was not seen whole.
    partial: bool,
    step: Step,
}

/// What a listing does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Folders,
    Outside,
    Literal,
    Films,
    End,
}

/// Everything in the scope, in no order. A folder that could not be seen whole is told as unseen.
pub(crate) fn pages(store: Arc<Store>, scope: Scope) -> BoxStream<'static, Result<Page>> {
    if scope.trashed {
        return trashed::pages(store, scope);
    }
    stream::unfold(Listing::new(store, scope), |mut listing| async move {
        if listing.step == Step::End {
            return None;
        }
        let page = listing.page().await;
        if page.is_err() {
            listing.step = Step::End;
        }
        Some((page, listing))
    })
    .boxed()
}

impl Listing {
    pub(crate) fn new(store: Arc<Store>, scope: Scope) -> Self {
        Self {
            store,
            scope,
            todo: VecDeque::new(),
            now: None,
            folders: HashSet::new(),
            expected: HashMap::new(),
            literal: Vec::new(),
            live: Vec::new(),
            told: HashSet::new(),
            seen: None,
            partial: false,
            step: Step::Begin,
        }
    }

    /// The nodes of the next page instead of what is told of them, films with the ids of their stills; `None` at the
    /// end.
    ///
    /// # Errors
    /// As the listing, and if a folder was not seen whole.
    pub(crate) async fn nodes(&mut self) -> Result<Option<Vec<(Node, Option<String>)>>> {
        if self.step == Step::End {
            return Ok(None);
        }
        self.seen.get_or_insert_default();
        self.page().await?;
        if self.partial {
            return Err(incomplete());
        }
        Ok(self.seen.replace(Vec::new()))
    }

    async fn page(&mut self) -> Result<Page> {
        match self.step {
            Step::Begin => {
                self.step = Step::Folders;
                self.begin().await
            }
            Step::Folders => self.folder().await,
            Step::Outside => {
                self.step = if self.scope.attached { Step::Literal } else { Step::End };
                self.outside().await
            }
            Step::Literal => {
                self.step = Step::Films;
                self.literal().await
            }
            Step::Films => self.films().await,
            Step::End => Ok(Page::default()),
        }
    }

    async fn folder(&mut self) -> Result<Page> {
        if self.now.is_none() {
            self.now = self.todo.pop_front().map(|todo| {
                let walk = Walk::new(Question::Folder(todo.id.clone()));
                (todo, walk)
            });
        }
        let Some((todo, mut walk)) = self.now.take() else {
            self.step = Step::Outside;
            return Ok(Page::default());
        };
        let nodes = walk.page(&self.store.api, DOING).await?;
        let mut entries = Vec::new();
        for node in nodes {
            self.tell(&todo, node, &mut entries).await?;
        }
        match walk.end() {
            None => self.now = Some((todo, walk)),
            Some(true) => {}
            Some(false) => {
                self.partial = true;
                entries.push(Listed::Unseen { key: todo.key, error: incomplete() });
            }
        }
        Ok(Page { entries })
    }

    /// Finds out where to begin.
    async fn begin(&mut self) -> Result<Page> {
        let store = Arc::clone(&self.store);
        for (key, alias) in store.ledger.entries().await?.aliases() {
            if self.wanted(key) {
                let Alias { id, folder } = alias.clone();
                self.expected.entry(id).or_default().insert(key.clone(), folder);
            }
        }
        // Listings lag: what was stored a moment ago is looked for too.
        for (key, id) in store.fresh.all() {
            if self.wanted(&key) {
                self.expected.entry(id).or_default().entry(key).or_default();
            }
        }
        let below = self.scope.below.clone();
        let names = match &below {
            None => store.names.root().to_vec(),
            Some(key) => store.names.folder(key)?,
        };
        match store.folders.place(&store.api, &names).await? {
            Place::Folder(id) => {
                self.take_up(Todo { key: below, names, id, literal: false });
            }
            // Something that is no folder stands at the scope's own key.
            Place::File => {
                if let Some(key) = below.filter(|key| self.wanted(key))
                    && let Some(found) = store.locate(&key, DOING).await?
                {
                    self.expected.entry(found.node.id).or_default().entry(key).or_default();
                }
            }
            Place::Nothing => {}
        }
        Ok(Page::default())
    }

    fn take_up(&mut self, todo: Todo) {
        if self.folders.insert(todo.id.clone()) {
            self.todo.push_back(todo);
        }
    }

    async fn tell(&mut self, todo: &Todo, node: Node, entries: &mut Vec<Listed>) -> Result<()> {
        // Listings have held what stands elsewhere.
        if !node.folders.contains(&todo.id) {
            return Ok(());
        }
        let Some(name) = node.name.clone().or_else(|| self.scope.attached.then(String::new)) else {
            return Ok(());
        };
        let found = decode(todo.key.as_ref(), &name);
        let ours = !todo.literal && matches!(found, Found::Key(_));
        if self.scope.attached && !ours {
            return self.tell_literally(todo, name, node, entries).await;
        }
        if node.is_folder() {
            match found {
                Found::Key(key) => entries.extend(self.descend(todo, key, name, node.id, false)),
                Found::Foreign(key) if self.wanted(&key) => {
                    entries.push(Listed::Passed { key, code: codes::NAME_REFUSED });
                }
                Found::Foreign(_) => {}
                Found::Nonsense => entries.push(senseless(todo)),
            }
            return Ok(());
        }
        if !node.is_file() || self.store.fresh.is_trashed(&node.id) {
            return Ok(());
        }
        let hidden = self.store.ledger.entries().await?.is_hidden(&node.id);
        let key = match found {
            Found::Key(key) => Some(key).filter(|key| !hidden && self.wanted(key)),
            Found::Foreign(key) if self.wanted(&key) => {
                entries.push(Listed::Passed { key, code: codes::NAME_REFUSED });
                None
            }
            Found::Foreign(_) => None,
            Found::Nonsense => {
                entries.push(senseless(todo));
                None
            }
        };
        let mut keys: Vec<_> =
            self.expected.remove(&node.id).unwrap_or_default().into_keys().collect();
        keys.extend(key.filter(|key| !keys.contains(key)));
        if !keys.is_empty() {
            self.tell_as(keys, false, node, entries).await?;
        }
        Ok(())
    }

    /// Tells of a node under each of its keys; `by_id` if they do not lead to it.
    async fn tell_as(
        &mut self,
        keys: Vec<Key>,
        by_id: bool,
        node: Node,
        entries: &mut Vec<Listed>,
    ) -> Result<()> {
        let mut node = node;
        if !node.is_complete() {
            // What the service has not finished taking in is asked for by its id, once.
            match self.store.api.node(&node.id, DOING).await? {
                Some(seen) if seen.has_bytes() => node = seen,
                _ => return Ok(()),
            }
        }
        if self.scope.attached {
            self.told.extend(keys.iter().map(spelling));
            let first = keys.iter().min().filter(|_| node.about.has_film);
            self.live.extend(first.map(|key| (key.clone(), node.id.clone())));
        }
        if let Some(seen) = &mut self.seen {
            seen.push((node.clone(), None));
        }
        for key in keys {
            let entry = if by_id { node.entry_by_id(key) } else { node.entry(key) };
            if node.size.is_some() && (entry.version.is_some() || !by_id) {
                entries.push(Listed::File(entry));
            } else {
                let key = entry.key;
                let context = format!("listing: Amazon Photos has not finished taking {key} in");
                let error = Error::new(Kind::Unavailable, context);
                entries.push(Listed::Unseen { key: Some(key), error });
            }
        }
        Ok(())
    }

    /// Takes up a folder, or tells why not.
    fn descend(
        &mut self,
        above: &Todo,
        key: Key,
        name: String,
        id: String,
        literal: bool,
    ) -> Option<Listed> {
        if key.as_bytes().len() > LONGEST {
            let context = "listing: a path does not come to an end";
            let error = Error::new(Kind::Protocol, context);
            return Some(Listed::Unseen { key: Some(key), error });
        }
        let mut names = above.names.clone();
        names.push(name);
        self.store.folders.learn(&names, &id);
        let reserved = key.is_reserved() && !self.scope.reserved;
        let advised = self.scope.descend.as_ref().is_none_or(|descend| descend(&key));
        if !reserved && advised {
            self.take_up(Todo { key: Some(key), names, id, literal });
        }
        None
    }

    fn wanted(&self, key: &Key) -> bool {
        (self.scope.reserved || !key.is_reserved())
            && self.scope.below.as_ref().is_none_or(|below| is_within(key, below))
    }
}

/// The same for two keys if they are one there.
pub(crate) fn spelling(key: &Key) -> String {
    fold(&String::from_utf8_lossy(key.as_bytes()))
}

/// Whether `key` stands at or below `folder`, whatever the spelling.
pub(crate) fn is_within(key: &Key, folder: &Key) -> bool {
    let text = |name: &[u8]| fold(&String::from_utf8_lossy(name));
    let (mut inner, mut outer) = (key.segments(), folder.segments());
    outer.all(|name| inner.next().is_some_and(|other| name == other || text(name) == text(other)))
}

fn incomplete() -> Error {
    let context = "listing: the folder has more than its pages show";
    Error::new(Kind::Protocol, context)
}

/// A name that no key can have. What it is must not be taken for deleted.
fn senseless(todo: &Todo) -> Listed {
    let context = "listing: a name makes no sense";
    Listed::Unseen { key: todo.key.clone(), error: Error::new(Kind::Protocol, context) }
}
