//! Albums, and what else can be said about a node: its name, its description, whether it is a favourite.

use std::fs;
use std::io;

use super::{Kind, Node, Refusal, Store};
use crate::amazon::names;

/// What shall become of a node; what is none stays.
#[derive(Debug, Clone, Default)]
pub(in crate::amazon) struct Edit {
    pub(in crate::amazon) name: Option<String>,
    pub(in crate::amazon) description: Option<String>,
    pub(in crate::amazon) favorite: Option<bool>,
    pub(in crate::amazon) hidden: Option<bool>,
}

impl Store {
    /// The oldest album of this name.
    pub(in crate::amazon) fn album(&self, name: &str) -> Option<String> {
        let named = |node: &&Node| node.kind == Kind::Album && node.name == name;
        let albums = self.nodes.values().filter(named).filter(|node| node.trashed.is_none());
        albums.min_by_key(|node| node.number).map(|node| node.id.clone())
    }

    /// Adds files to the end of an album, or takes them out. Files that are in it already keep their place.
    pub(in crate::amazon) fn edit_album(
        &mut self,
        album: &str,
        add: bool,
        ids: &[String],
    ) -> Result<(), Refusal> {
        if self.node(album)?.kind != Kind::Album {
            return Err(Refusal::Bad(format!("Node {album} is no album")));
        }
        for id in ids {
            if self.node(id)?.kind != Kind::File {
                return Err(Refusal::Bad(format!("Node {id} cannot be in an album")));
            }
        }
        for id in ids {
            let is_in = self.known(album).is_some_and(|album| album.members.contains(id));
            if is_in == add {
                continue;
            }
            self.change(album, |node| {
                node.members.retain(|member| member != id);
                node.members.extend(add.then(|| id.clone()));
            });
            self.change(id, |node| {
                node.albums.retain(|known| known != album);
                node.albums.extend(add.then(|| album.to_owned()));
            });
        }
        Ok(())
    }

    /// Changes what is said about a node.
    pub(in crate::amazon) fn edit(&mut self, id: &str, edit: Edit) -> Result<(), Refusal> {
        let node = self.node(id)?.clone();
        let name = edit.name.filter(|name| *name != node.name);
        if let Some(name) = &name {
            if !names::is_good(name) || node.kind == Kind::Root || node.trashed.is_some() {
                return Err(Refusal::BadName);
            }
            let other_case = names::fold(name) == names::fold(&node.name);
            if let (Some(_), Some(parent), false) = (node.place(), &node.parent, other_case) {
                self.free_name(parent, name, false)?;
            }
            let mut renamed = node.clone();
            renamed.name.clone_from(name);
            if node.kind != Kind::Album {
                move_plain(&self.path(&node), &self.path(&renamed))?;
            }
        }
        self.change(id, |node| {
            node.name = name.unwrap_or_else(|| node.name.clone());
            node.description = edit.description.or_else(|| node.description.take());
            node.favorite = edit.favorite.unwrap_or(node.favorite);
            node.hidden = edit.hidden.unwrap_or(node.hidden);
        });
        Ok(())
    }
}

fn move_plain(from: &std::path::Path, to: &std::path::Path) -> io::Result<()> {
    match fs::rename(from, to) {
        // A person has removed the folder; it is made anew when something goes there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
