//! Looks at bytes: at those that arrive, and whether somebody changed plain files behind the stand-in's back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use md5::{Digest, Md5};

use super::place::stamp;
use super::{Content, Store};
use crate::amazon::sniff::{Class, sniff};
use crate::amazon::taken::taken;

/// How much of the beginning and of the end of a file is looked at.
const LOOK: u64 = 1 << 20;

/// What bytes say about themselves.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) class: Class,
    pub(super) mime: String,
    pub(super) date: Option<i64>,
}

impl Seen {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        (&mut file).take(LOOK).read_to_end(&mut head)?;
        if length > LOOK {
            file.seek(SeekFrom::Start(length.saturating_sub(LOOK).max(LOOK)))?;
            file.take(LOOK).read_to_end(&mut tail)?;
        }
        let (class, mime) = sniff(&head);
        let dated = matches!(class, Class::Photo | Class::Video);
        let date = if dated { taken(&head).or_else(|| taken(&tail)) } else { None };
        Ok(Self { class, mime: mime.to_owned(), date })
    }
}

impl Store {
    /// Looks at the plain file of a node: one that was removed is gone for good, one that was changed has other
    /// bytes. Whether anything was found.
    pub(super) fn refresh(&mut self, id: &str) -> io::Result<bool> {
        let Some(node) = self.nodes.get(id) else { return Ok(false) };
        let Some(content) = &node.content else { return Ok(false) };
        let path = self.path(node);
        let Some(found) = stamp(&path)? else {
            self.purge(id)?;
            return Ok(true);
        };
        if found == content.stamp || self.behaviour.stale_digests {
            return Ok(false);
        }
        let (seen, (size, md5)) = (Seen::at(&path)?, digest(&path)?);
        let Seen { class, mime, date } = seen;
        let version = content.version + 1;
        let content = Content { size, md5, class, mime, date, version, stamp: found };
        self.change(id, |node| node.content = Some(content));
        Ok(true)
    }
}

/// Length and MD5 of a file.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut md5, mut length) = (File::open(path)?, Md5::new(), 0);
    let mut block = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((length, hex::encode(md5.finalize())));
        }
        md5.update(&block[..read]);
        length += read as u64;
    }
}
