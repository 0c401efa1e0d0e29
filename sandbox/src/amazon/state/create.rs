//! Makes folders, albums and files.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::node::id_of;
use super::place::stamp;
use super::watch::Seen;
use super::{Content, Kind, Node, Refusal, Store};
use crate::amazon::names;

/// A file as it is asked for.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Default)]
pub(in crate::amazon) struct NewFile {
    pub(in crate::amazon) name: String,
    /// The folder; none for the root.
    pub(in crate::amazon) parent: Option<String>,
    /// A taken name gets a number.
    pub(in crate::amazon) rename: bool,
    /// Equal content is no reason to refuse.
    pub(in crate::amazon) keep_duplicates: bool,
    /// When it was taken, whatever the bytes say.
    pub(in crate::amazon) date: Option<i64>,
    /// When it was taken if the bytes do not say.
    pub(in crate::amazon) fallback_date: Option<i64>,
    pub(in crate::amazon) favorite: bool,
    pub(in crate::amazon) hidden: bool,
    pub(in crate::amazon) description: Option<String>,
    pub(in crate::amazon) keywords: Vec<String>,
}

/// Bytes that have arrived and wait to become a file.
#[derive(Debug)]
pub(in crate::amazon) struct Received {
    pub(in crate::amazon) path: PathBuf,
    pub(in crate::amazon) size: u64,
    pub(in crate::amazon) md5: String,
}

impl Store {
    /// What every account begins with.
    pub(super) fn furnish(&mut self) -> io::Result<()> {
        let mut root = self.blank(Kind::Root, "", None);
        root.turned = 0;
        let root_id = root.id.clone();
        self.put(root);
        for (parent, name) in
            [("", "Pictures"), ("Pictures", "Web"), ("", "Videos"), ("", "Documents")]
        {
            let parent = self.at(&root_id, parent).map_or(root_id.clone(), str::to_owned);
            let mut folder = self.blank(Kind::Folder, name, Some(parent));
            folder.turned = 0;
            fs::create_dir_all(self.path(&folder))?;
            self.put(folder);
        }
        Ok(())
    }

    fn blank(&mut self, kind: Kind, name: &str, parent: Option<String>) -> Node {
        let (number, now) = (self.next, self.now());
        self.next += 1;
        Node {
            id: id_of(self.behaviour.seed, number),
            number,
            kind,
            name: name.to_owned(),
            parent,
            albums: Vec::new(),
            members: Vec::new(),
            created: now,
            modified: now,
            turned: now,
            trashed: None,
            version: 1,
            favorite: false,
            hidden: false,
            description: None,
            keywords: Vec::new(),
            content: None,
        }
    }

    /// The id of a folder in which something can be made.
    fn folder(&self, parent: Option<&str>) -> Result<String, Refusal> {
        let id = parent.unwrap_or(&self.root);
        let Some(node) = self.known(id) else { return Err(Refusal::NoParent(id.to_owned())) };
        if !node.kind.is_folder() {
            return Err(Refusal::ParentNoFolder(id.to_owned()));
        }
        if node.trashed.is_some() {
            return Err(Refusal::ParentTrashed(id.to_owned()));
        }
        Ok(id.to_owned())
    }

    /// Makes a folder. Of several that ask for the same one, one makes it and the others learn its id.
    pub(in crate::amazon) fn add_folder(
        &mut self,
        parent: &str,
        name: &str,
    ) -> Result<String, Refusal> {
        if !names::is_good(name) {
            return Err(Refusal::BadName);
        }
        let parent = self.folder(Some(parent))?;
        let name = self.free_name(&parent, name, false)?;
        let folder = self.blank(Kind::Folder, &name, Some(parent));
        let id = folder.id.clone();
        fs::create_dir_all(self.path(&folder))?;
        self.put(folder);
        Ok(id)
    }

    /// The folder of this path below the root, made as far as it is not there.
    pub(in crate::amazon) fn ensure_folder(&mut self, names: &[&str]) -> Result<String, Refusal> {
        let mut id = self.root.clone();
        for name in names {
            id = match self.at(&id, name) {
                Some(there) => there.to_owned(),
                None => self.add_folder(&id, name)?,
            };
        }
        Ok(id)
    }

    /// What stands at this path below the root.
    pub(in crate::amazon) fn find(&self, path: &str) -> Option<String> {
        let step = |id: String, name: &str| self.at(&id, name).map(str::to_owned);
        path.split('/').try_fold(self.root.clone(), step)
    }

    /// Makes an album; names need not differ.
    pub(in crate::amazon) fn add_album(
        &mut self,
        name: &str,
        description: Option<String>,
    ) -> Result<String, Refusal> {
        if !names::is_good(name) {
            return Err(Refusal::BadName);
        }
        let mut album = self.blank(Kind::Album, name, None);
        album.description = description;
        let id = album.id.clone();
        self.put(album);
        Ok(id)
    }

    /// Makes a file of bytes that have arrived. After a refusal the bytes still are where they were.
    pub(in crate::amazon) fn add_file(
        &mut self,
        asked: &NewFile,
        received: &Received,
    ) -> Result<String, Refusal> {
        if !names::is_good(&asked.name) {
            return Err(Refusal::BadName);
        }
        let parent = self.folder(asked.parent.as_deref())?;
        if !asked.keep_duplicates
            && let Some(same) = self.duplicate(received)?
        {
            return Err(Refusal::Duplicate(same));
        }
        let seen = Seen::at(&received.path)?;
        self.check_room(seen.class, received.size, 0)?;
        let name = self.free_name(&parent, &asked.name, asked.rename)?;
        let mut node = self.blank(Kind::File, &name, Some(parent));
        node.favorite = asked.favorite;
        node.hidden = asked.hidden;
        node.description.clone_from(&asked.description);
        node.keywords.clone_from(&asked.keywords);
        let date = asked.date.or(seen.date).or(asked.fallback_date);
        self.fill(&mut node, received, seen, date)?;
        let id = node.id.clone();
        self.put(node);
        Ok(id)
    }

    /// Gives a file other bytes.
    pub(in crate::amazon) fn replace_file(
        &mut self,
        id: &str,
        received: &Received,
    ) -> Result<(), Refusal> {
        let mut node = self.node(id)?.clone();
        let Some(before) = node.content.clone().filter(|_| node.trashed.is_none()) else {
            return Err(Refusal::Bad(format!("Node {id} has no content to replace")));
        };
        if let Some(same) = self.duplicate(received)?.filter(|same| same != id) {
            return Err(Refusal::Duplicate(same));
        }
        let seen = Seen::at(&received.path)?;
        self.check_room(seen.class, received.size, before.size)?;
        let date = seen.date;
        self.fill(&mut node, received, seen, date)?;
        let now = node.content.take();
        self.change(id, |node| {
            node.content = now.map(|now| Content { version: before.version + 1, ..now });
        });
        Ok(())
    }

    /// Attaches a film to a still.
    pub(in crate::amazon) fn add_asset(
        &mut self,
        still: &str,
        name: &str,
        received: &Received,
    ) -> Result<String, Refusal> {
        if self.node(still)?.kind != Kind::File || !names::is_good(name) {
            return Err(Refusal::Bad(format!("Node {still} cannot have a film of that name")));
        }
        let mut node = self.blank(Kind::Asset, name, Some(still.to_owned()));
        let seen = Seen::at(&received.path)?;
        let date = seen.date;
        self.fill(&mut node, received, seen, date)?;
        let id = node.id.clone();
        self.put(node);
        Ok(id)
    }

    fn fill(
        &mut self,
        node: &mut Node,
        received: &Received,
        seen: Seen,
        date: Option<i64>,
    ) -> io::Result<()> {
        self.install(&received.path, node)?;
        node.content = Some(Content {
            size: received.size,
            md5: received.md5.clone(),
            class: seen.class,
            mime: seen.mime,
            date,
            version: 1,
            stamp: stamp(&self.path(node))?.unwrap_or_default(),
        });
        Ok(())
    }

    /// The file that has the same bytes already, anywhere in the account. Empty files are never the same.
    fn duplicate(&mut self, received: &Received) -> io::Result<Option<String>> {
        let same = self.digests.get(&received.md5).filter(|_| received.size > 0);
        for id in same.into_iter().flatten().cloned().collect::<Vec<_>>() {
            self.refresh(&id)?;
            let trash_counts = self.behaviour.trash_counts_as_duplicate;
            let films_count = self.behaviour.films_count_as_duplicates;
            let found = self.known(&id).is_some_and(|node| {
                (node.kind == Kind::File || (films_count && node.kind == Kind::Asset))
                    && (trash_counts || node.trashed.is_none())
                    && node.content.as_ref().is_some_and(|content| content.md5 == received.md5)
            });
            if found {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// `name`, or with `rename` the first free one like it.
    pub(super) fn free_name(
        &mut self,
        parent: &str,
        name: &str,
        rename: bool,
    ) -> Result<String, Refusal> {
        let mut tried = name.to_owned();
        for number in 1.. {
            let Some(id) = self.at(parent, &tried).map(str::to_owned) else { break };
            self.refresh(&id)?;
            if self.at(parent, &tried).is_none() {
                break;
            }
            if !rename {
                return Err(Refusal::NameTaken { parent: parent.to_owned(), name: tried, id });
            }
            tried = names::numbered(name, number);
        }
        if names::is_good(&tried) { Ok(tried) } else { Err(Refusal::BadName) }
    }
}
