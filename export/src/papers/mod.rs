//! The papers beside an export: pure text, made of what the catalog claims and the service told.
//!
//! A paper is written down line by line, as often as somebody asks, so that it is never in memory as a whole; the same
//! facts give the same bytes.

pub mod albums;
pub mod bag;
pub mod checksums;
pub mod index;
pub mod sidecar;

use std::sync::Arc;

use safelight_core::class::MediaClass;
use safelight_core::key::Key;

/// A file of an export, as the manifests tell of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payload {
    /// Where it stands below the target.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl Payload {
    /// The digest and the name, with some bytes of the name written in another way.
    fn line(&self, written: impl Fn(u8) -> Option<&'static str>) -> Vec<u8> {
        let mut line = format!("{}  ", hex::encode(self.sha256)).into_bytes();
        for byte in self.key.as_bytes() {
            match written(*byte) {
                Some(text) => line.extend_from_slice(text.as_bytes()),
                None => line.push(*byte),
            }
        }
        line.push(b'\n');
        line
    }
}

/// The lines of a paper from the first to the last, each with its end.
pub type Lines = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// A text that stands beside an export.
#[derive(Clone)]
pub struct Paper {
    /// Where it stands below the target.
    pub key: Key,
    /// As what it counts.
    pub class: MediaClass,
    lines: Arc<dyn Fn() -> Lines + Send + Sync>,
}

impl Paper {
    /// A paper whose lines are made when they are asked for.
    pub fn new(key: Key, lines: impl Fn() -> Lines + Send + Sync + 'static) -> Self {
        Self { key, class: MediaClass::Other, lines: Arc::new(lines) }
    }

    /// A paper with a line for each file.
    pub fn of_files(key: Key, files: &Arc<Vec<Payload>>, line: fn(&Payload) -> Vec<u8>) -> Self {
        let files = Arc::clone(files);
        Self::new(key, move || {
            let files = Arc::clone(&files);
            Box::new((0..files.len()).map(move |at| line(&files[at])))
        })
    }

    /// A short one.
    pub fn short(key: Key, text: String) -> Self {
        let text = Arc::new(text.into_bytes());
        Self::new(key, move || Box::new(std::iter::once(text.to_vec())))
    }

    /// The same, counting as something else.
    #[must_use]
    pub fn counted_as(self, class: MediaClass) -> Self {
        Self { class, ..self }
    }

    /// Its lines.
    pub fn lines(&self) -> Lines {
        (self.lines)()
    }

    /// All of it, for short ones and for tests.
    pub fn text(&self) -> Vec<u8> {
        self.lines().flatten().collect()
    }
}
