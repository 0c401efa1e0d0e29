//! Reading a file: one whole version of it, or an error.
//!
//! Invariant: the stream ends without error only if every announced byte was delivered and the open file is
//! still the version it was when it was opened.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use rustix::fs::fstat;
use rustix::io::Errno;
use safelight_core::codes;
use safelight_core::entry::Version;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::Opened;

use crate::facts::Facts;
use crate::fault::number;
use crate::feed::feed;
use crate::root::open_file;
use crate::tree::Tree;

/// Bytes in one piece; a file up to this size is read in one go.
const PIECE: u64 = 1024 * 1024;
/// Pieces that wait for the listener.
const WINDOW: usize = 2;

/// A file that is open for reading.
struct Reading {
    tree: Arc<Tree>,
    key: Key,
    file: File,
    version: Version,
    range: Range<u64>,
}

/// Opens `key`. Blocks.
pub(crate) fn open(
    tree: Arc<Tree>,
    key: &Key,
    range: Option<Range<u64>>,
    pin: Option<&Version>,
) -> Result<Opened> {
    let (file, facts) = match open_file(&tree.root, &tree.stored(key)) {
        Ok(opened) => opened,
        Err(errno) => return Err(refusal(&tree, key, errno)),
    };
    let entry = tree.entry(key.clone(), &facts.stamp);
    let version = tree.tag(&facts.stamp);
    if pin.is_some_and(|pin| *pin != version) {
        return Err(Error::new(Kind::Changed, format!("{key} is another version by now")));
    }
    let end = range.as_ref().map_or(entry.size, |range| range.end.min(entry.size));
    let start = range.map_or(0, |range| range.start.min(end));
    let reading = Reading { tree, key: key.clone(), file: file.into(), version, range: start..end };
    let bytes = reading.bytes()?;
    Ok(Opened { entry, bytes })
}

/// The error for a name that could not be opened as a file.
fn refusal(tree: &Tree, key: &Key, errno: Errno) -> Error {
    let code = match errno {
        Errno::LOOP => codes::LINK_SKIPPED,
        Errno::NXIO => codes::NOT_A_FILE,
        _ => return tree.read_fault(errno, format!("opening {key}")),
    };
    Error::new(Kind::Unsupported, format!("{key} is not an ordinary file")).code(code)
}

impl Reading {
    /// A small file is read at once, so that one switch to a blocking thread does for all of it.
    fn bytes(mut self) -> Result<BoxStream<'static, Result<Bytes>>> {
        if self.range.end - self.range.start <= PIECE {
            let mut pieces = Vec::with_capacity(2);
            if let Some(bytes) = self.next()? {
                pieces.push(Ok(bytes));
            }
            pieces.extend(self.still_the_same().err().map(Err));
            return Ok(stream::iter(pieces).boxed());
        }
        Ok(feed(WINDOW, move |outlet| {
            self.announce();
            while let Some(bytes) = self.next()? {
                outlet.give(bytes)?;
            }
            self.still_the_same()
        }))
    }

    /// Tells the system that the file will be read from front to end.
    fn announce(&self) {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Advice, fadvise};
            // Only advice: nothing depends on it.
            let _ = fadvise(&self.file, self.range.start, None, Advice::Sequential);
        }
    }

    fn next(&mut self) -> Result<Option<Bytes>> {
        let left = self.range.end - self.range.start;
        if left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; usize::try_from(left.min(PIECE)).unwrap_or_default()];
        let mut filled = 0;
        while filled < piece.len() {
            match self.file.read_at(&mut piece[filled..], self.range.start + filled as u64) {
                Ok(0) => return Err(self.changed()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let context = format!("reading {}", self.key);
                    return Err(self.tree.read_fault(number(&error), context));
                }
            }
        }
        self.range.start += filled as u64;
        Ok(Some(piece.into()))
    }

    fn still_the_same(&self) -> Result<()> {
        let stat = fstat(&self.file)
            .map_err(|errno| self.tree.read_fault(errno, format!("looking at {}", self.key)))?;
        let version = self.tree.tag(&Facts::from(stat).stamp);
        if version == self.version { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Error {
        Error::new(Kind::Changed, format!("{} changed while it was read", self.key))
    }
}
