//! The account: every node, and where its bytes are.
//!
//! The bytes of live files are plain files below `files/`, the films of live photos below `assets/`, what is in
//! the trash below `trash/`. Everything else is in `.state/`.
//!
//! Invariant: whoever holds the store sees a complete state; changes are in the journal before the store is let go
//! (`Store::flush`).

mod albums;
mod create;
mod listing;
mod node;
mod place;
mod record;
mod refusal;
mod status;
mod trash;
mod usage;
mod values;
mod view;
mod watch;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_core::time::Clock;

use super::behaviour::Behaviour;
use super::sniff::Class;
use crate::journal::{self, Journal};
use record::Record;

pub(super) use albums::Edit;
pub(super) use create::{NewFile, Received};
pub(super) use listing::{Request, Scope, Sort, SortKey};
pub(super) use node::{Content, Kind, Node, scramble};
pub(super) use refusal::Refusal;
pub(super) use usage::{Total, Usage};
pub(super) use values::Unit;

/// Who owns everything.
pub(super) const OWNER: &str = "A1SANDBOXOWNER";

/// The account.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) behaviour: Behaviour,
    journal: Journal,
    unwritten: Vec<Record>,
    next: u64,
    root: String,
    nodes: HashMap<String, Node>,
    /// Live files and folders by parent and folded name.
    places: HashMap<(String, String), String>,
    children: HashMap<String, BTreeSet<String>>,
    digests: HashMap<String, BTreeSet<String>>,
    trashed: BTreeSet<(i64, String)>,
    totals: [Total; 4],
    usage: Option<Usage>,
    lists: HashMap<String, Arc<Vec<String>>>,
    pages: u64,
}

impl Store {
    /// Opens what an earlier stand-in left in `folder`, or begins anew.
    pub(super) fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        behaviour: Behaviour,
    ) -> io::Result<Self> {
        let state = folder.join(".state");
        // What was on its way when an earlier stand-in ended never arrived.
        match fs::remove_dir_all(state.join("incoming")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for needed in ["files", "assets", "trash", ".state/incoming"] {
            fs::create_dir_all(folder.join(needed))?;
        }
        let history = journal::read(&state)?;
        let mut store = Self {
            folder: folder.to_owned(),
            clock,
            behaviour,
            journal: Journal::begin(&state, &history)?,
            unwritten: Vec::new(),
            next: 1,
            root: String::new(),
            nodes: HashMap::new(),
            places: HashMap::new(),
            children: HashMap::new(),
            digests: HashMap::new(),
            trashed: BTreeSet::new(),
            totals: Default::default(),
            usage: None,
            lists: HashMap::new(),
            pages: 0,
        };
        for record in history {
            store.replay(record);
        }
        if store.root.is_empty() {
            store.furnish()?;
        }
        let mut present = vec![Record::Next(store.next)];
        present.extend(store.nodes.values().cloned().map(Box::new).map(Record::Node));
        store.unwritten.clear();
        store.journal = Journal::begin(&state, &present)?;
        Ok(store)
    }

    fn replay(&mut self, record: Record) {
        match record {
            Record::Node(node) => self.index(*node),
            Record::Gone(id) => {
                self.unindex(&id);
            }
            Record::Next(next) => self.next = self.next.max(next),
        }
    }

    /// Writes what has changed to the journal.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let unwritten = std::mem::take(&mut self.unwritten);
        if unwritten.is_empty() { Ok(()) } else { self.journal.add(&unwritten) }
    }

    /// Now, in milliseconds.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_nanos() / 1_000_000
    }

    /// A node that is there: known, and its bytes are still on disk.
    pub(super) fn node(&mut self, id: &str) -> Result<&Node, Refusal> {
        self.refresh(id)?;
        self.nodes.get(id).ok_or_else(|| Refusal::NoNode(id.to_owned()))
    }

    /// A node as it was last seen.
    pub(super) fn known(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The live file or folder of this name.
    pub(super) fn at(&self, parent: &str, name: &str) -> Option<&str> {
        let key = (parent.to_owned(), super::names::fold(name));
        self.places.get(&key).map(String::as_str)
    }

    /// The ids of all that has this parent, trashed or not.
    fn children_of(&self, id: &str) -> Vec<String> {
        self.children.get(id).into_iter().flatten().cloned().collect()
    }

    /// Changes a node that is there.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Node)) {
        let now = self.now();
        if let Some(mut node) = self.nodes.get(id).cloned() {
            change(&mut node);
            node.version += 1;
            node.modified = now;
            self.put(node);
        }
    }

    /// From now on the node is this.
    fn put(&mut self, node: Node) {
        self.unwritten.push(Record::Node(Box::new(node.clone())));
        self.index(node);
    }

    /// The node is no more. Its bytes are not looked at.
    fn forget(&mut self, id: &str) {
        if let Some(gone) = self.unindex(id) {
            self.unwritten.push(Record::Gone(id.to_owned()));
            for album in gone.albums {
                self.change(&album, |album| album.members.retain(|member| member != id));
            }
            for member in gone.members {
                self.change(&member, |member| member.albums.retain(|album| album != id));
            }
        }
    }

    fn index(&mut self, node: Node) {
        self.unindex(&node.id);
        let id = node.id.clone();
        self.next = self.next.max(node.number + 1);
        if node.kind == Kind::Root {
            self.root.clone_from(&id);
        }
        if let Some(place) = node.place() {
            self.places.insert(place, id.clone());
        }
        if let Some(parent) = &node.parent {
            self.children.entry(parent.clone()).or_default().insert(id.clone());
        }
        if let Some(trashed) = node.trashed {
            self.trashed.insert((trashed, id.clone()));
        }
        if let Some(content) = &node.content {
            self.digests.entry(content.md5.clone()).or_default().insert(id.clone());
            let total = &mut self.totals[slot(content.class)];
            total.count += 1;
            total.bytes += content.size;
        }
        self.nodes.insert(id, node);
    }

    fn unindex(&mut self, id: &str) -> Option<Node> {
        self.lists.clear();
        let node = self.nodes.remove(id)?;
        if let Some(place) =
            node.place().filter(|place| self.places.get(place).is_some_and(|at| at == id))
        {
            self.places.remove(&place);
        }
        if let Some(children) =
            node.parent.as_ref().and_then(|parent| self.children.get_mut(parent))
        {
            children.remove(id);
        }
        if let Some(trashed) = node.trashed {
            self.trashed.remove(&(trashed, id.to_owned()));
        }
        if let Some(content) = &node.content {
            if let Some(same) = self.digests.get_mut(&content.md5) {
                same.remove(id);
            }
            let total = &mut self.totals[slot(content.class)];
            total.count -= 1;
            total.bytes -= content.size;
        }
        Some(node)
    }
}

fn slot(class: Class) -> usize {
    Class::ALL.iter().position(|(known, _)| *known == class).unwrap_or(0)
}
