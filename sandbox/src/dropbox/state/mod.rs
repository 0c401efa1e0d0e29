//! The account: what is where, and every change with its number.
//!
//! Each file's current bytes are a plain file at its display path below `files/`. Everything else is in
//! `.state/`: the journal, the bytes of open sessions, the bytes of earlier revisions.
//!
//! Invariant: whoever holds the store sees a complete state; changes are in the journal before the store is let
//! go (`Store::flush`).

mod commit;
mod folders;
mod grants;
mod listing;
mod node;
mod places;
mod record;
mod relocate;
mod remove;
mod sessions;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_core::time::Clock;

use super::behaviour::{Behaviour, Quota};
use crate::journal::{self, Journal};
use record::Record;

pub(super) use commit::Content;
pub(super) use grants::{Grant, Standing};
pub(super) use listing::{ListFolder, Position};
use node::{File, Node, Revision, What};
pub(super) use relocate::Relocation;
use sessions::Session;
pub(super) use sessions::incorrect_offset;

/// The folder that a client sees as its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Root {
    /// Its key; empty for the root of all.
    pub(super) prefix: String,
    /// Its namespace, which is what commits lock.
    pub(super) namespace: String,
}

impl Root {
    /// The key as the client knows it.
    pub(super) fn inside<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(self.prefix.as_str()).unwrap_or(key)
    }
}

/// The account.
#[derive(Debug)]
pub(super) struct Store {
    files: PathBuf,
    state: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) behaviour: Arc<Behaviour>,
    journal: Journal,
    unwritten: Vec<Record>,
    nodes: BTreeMap<String, Node>,
    changes: BTreeMap<u64, String>,
    ids: HashMap<String, String>,
    revs: HashMap<String, String>,
    earlier: BTreeMap<String, Revision>,
    sessions: BTreeMap<String, Session>,
    grants: BTreeMap<String, Grant>,
    generation: u64,
    change: u64,
    used: u64,
}

impl Store {
    /// Opens what an earlier stand-in left in `folder`, or begins anew.
    pub(super) fn open(
        folder: &Path,
        clock: Arc<dyn Clock>,
        behaviour: Behaviour,
    ) -> io::Result<Self> {
        let (files, state) = (folder.join("files"), folder.join(".state"));
        for needed in [&files, &state.join("sessions"), &state.join("revisions")] {
            fs::create_dir_all(needed)?;
        }
        let history = journal::read(&state)?;
        let journal = Journal::open(&state)?;
        let mut store = Self {
            files,
            state,
            clock,
            behaviour: Arc::new(behaviour),
            journal,
            unwritten: Vec::new(),
            nodes: BTreeMap::new(),
            changes: BTreeMap::new(),
            ids: HashMap::new(),
            revs: HashMap::new(),
            earlier: BTreeMap::new(),
            sessions: BTreeMap::new(),
            grants: BTreeMap::new(),
            generation: 0,
            change: 0,
            used: 0,
        };
        for record in history {
            store.replay(record);
        }
        store.journal = Journal::begin(&store.state, &store.present())?;
        Ok(store)
    }

    fn replay(&mut self, record: Record) {
        match record {
            Record::Node(key, node) => self.index(key, node),
            Record::Revision(revision) => {
                self.earlier.insert(revision.file.rev.clone(), revision);
            }
            Record::Session(id, session) => {
                self.sessions.insert(id, session);
            }
            Record::SessionEnd(id) => {
                self.sessions.remove(&id);
            }
            Record::Grant(token, grant) => {
                self.grants.insert(token, grant);
            }
            Record::GrantEnd(token) => {
                self.grants.remove(&token);
            }
            Record::Generation(generation) => self.generation = generation,
        }
    }

    fn present(&self) -> Vec<Record> {
        let mut present = vec![Record::Generation(self.generation)];
        let nodes = self.nodes.iter().map(|(key, node)| Record::Node(key.clone(), node.clone()));
        present.extend(nodes);
        present.extend(self.earlier.values().cloned().map(Record::Revision));
        let sessions = self.sessions.iter();
        present.extend(sessions.map(|(id, session)| Record::Session(id.clone(), session.clone())));
        let grants = self.grants.iter();
        present.extend(grants.map(|(token, grant)| Record::Grant(token.clone(), grant.clone())));
        present
    }

    /// Writes what has changed to the journal.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let unwritten = std::mem::take(&mut self.unwritten);
        if unwritten.is_empty() { Ok(()) } else { self.journal.add(&unwritten) }
    }

    /// The number of the latest change.
    pub(super) fn latest(&self) -> u64 {
        self.change
    }

    /// Bytes in all files.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// What is at `key`, gone or not.
    pub(super) fn any(&self, key: &str) -> Option<&Node> {
        self.nodes.get(key)
    }

    /// The file or folder at `key`.
    pub(super) fn live(&self, key: &str) -> Option<&Node> {
        self.nodes.get(key).filter(|node| !node.is_gone())
    }

    /// The file at `key`.
    pub(super) fn file(&self, key: &str) -> Option<&File> {
        self.nodes.get(key).and_then(Node::file)
    }

    /// An earlier revision.
    pub(super) fn revision(&self, rev: &str) -> Option<&Revision> {
        self.earlier.get(rev)
    }

    /// All earlier revisions.
    pub(super) fn revisions(&self) -> impl Iterator<Item = &Revision> {
        self.earlier.values()
    }

    /// The number of a new change.
    fn next(&mut self) -> u64 {
        self.change += 1;
        self.change
    }

    /// From now on `what` stands at `key`.
    fn put(&mut self, key: &str, name: String, what: What) {
        let node = Node { name, change: self.next(), what };
        self.note(Record::Node(key.to_owned(), node.clone()));
        self.index(key.to_owned(), node);
    }

    fn note(&mut self, record: Record) {
        self.unwritten.push(record);
    }

    fn index(&mut self, key: String, node: Node) {
        if let Some(old) = self.nodes.get(&key) {
            self.changes.remove(&old.change);
            // What has moved on keeps its id, which by now leads elsewhere.
            match &old.what {
                What::File(file) => {
                    self.used -= file.size;
                    forget(&mut self.ids, &file.id, &key);
                    forget(&mut self.revs, &file.rev, &key);
                }
                What::Folder { id } => forget(&mut self.ids, id, &key),
                What::Gone => {}
            }
        }
        match &node.what {
            What::File(file) => {
                self.used += file.size;
                self.ids.insert(file.id.clone(), key.clone());
                self.revs.insert(file.rev.clone(), key.clone());
            }
            What::Folder { id } => {
                self.ids.insert(id.clone(), key.clone());
            }
            What::Gone => {}
        }
        self.change = self.change.max(node.change);
        self.changes.insert(node.change, key.clone());
        self.nodes.insert(key, node);
    }

    /// Whether this many more bytes fit.
    fn has_room(&self, more: u64) -> bool {
        let wanted = self.used + more;
        match self.behaviour.quota {
            Quota::Individual(allocated) => wanted <= allocated,
            Quota::Team { allocated, used_by_others, member_limit } => {
                wanted + used_by_others <= allocated
                    && (member_limit == 0 || wanted <= member_limit)
            }
        }
    }
}

/// Forgets that `name` leads to `key`.
fn forget(names: &mut HashMap<String, String>, name: &str, key: &str) {
    if names.get(name).is_some_and(|known| known == key) {
        names.remove(name);
    }
}

/// A rev that nothing else ever had or will have.
fn rev_of(change: u64) -> String {
    format!("{:015x}", 0x1_6000_0000_0000 + change)
}

/// An id that nothing else ever had or will have.
fn id_of(change: u64) -> String {
    format!("id:sandbox{change:015}")
}
