//! Upload sessions: bytes on their way, each session in a file of its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use safelight_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Store;
use super::record::Record;
use crate::dropbox::args::{Cursor, SessionType};
use crate::dropbox::errors::Trouble;
use crate::dropbox::hash::BLOCK;
use crate::dropbox::json::{flat, tag};

/// How long a session lives.
const LIFE: Duration = Duration::from_hours(7 * 24);
/// The largest file.
const LARGEST: u64 = (1 << 41) - (1 << 22);

/// One session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct Session {
    pub(in crate::dropbox) kind: SessionType,
    pub(in crate::dropbox) closed: bool,
    /// When it was started, in seconds since 1970.
    started: i64,
    /// What has arrived: from where to where. Neighbours are one.
    ranges: BTreeMap<u64, u64>,
}

impl Session {
    /// How far the bytes reach.
    pub(in crate::dropbox) fn end(&self) -> u64 {
        self.ranges.last_key_value().map_or(0, |(_, to)| *to)
    }

    /// Whether every byte up to the end has arrived.
    pub(in crate::dropbox) fn is_whole(&self) -> bool {
        match self.ranges.first_key_value() {
            None => true,
            Some((from, _)) => *from == 0 && self.ranges.len() == 1,
        }
    }

    fn overlaps(&self, from: u64, to: u64) -> bool {
        self.ranges.range(..to).next_back().is_some_and(|(_, end)| *end > from)
    }

    fn add(&mut self, mut from: u64, mut to: u64) {
        if from == to {
            return;
        }
        if let Some(after) = self.ranges.remove(&to) {
            to = after;
        }
        let before = self.ranges.range(..from).next_back().map(|(start, end)| (*start, *end));
        if let Some((start, end)) = before.filter(|(_, end)| *end == from) {
            debug_assert!(end <= from, "ranges do not overlap");
            from = start;
        }
        self.ranges.insert(from, to);
    }
}

impl Store {
    /// A new session called `id`.
    pub(in crate::dropbox) fn start_session(
        &mut self,
        id: &str,
        kind: SessionType,
    ) -> io::Result<()> {
        fs::write(self.session_on_disk(id), b"")?;
        let started = self.clock.now().seconds();
        let session = Session { kind, closed: false, started, ranges: BTreeMap::new() };
        self.keep(id, session);
        Ok(())
    }

    /// The session called `id`, unless it is over.
    ///
    /// # Errors
    /// `not_found`.
    pub(in crate::dropbox) fn session(&self, id: &str) -> Result<&Session, Trouble> {
        let fresh = |session: &&Session| {
            self.clock.now().since(Timestamp::from_parts(session.started, 0)) < LIFE
        };
        let session = self.sessions.get(id).filter(fresh);
        session.ok_or_else(|| Trouble::Other(tag("not_found")))
    }

    /// Adds `bytes`.
    ///
    /// # Errors
    /// The members of `UploadSessionAppendError`; nothing was added then.
    pub(in crate::dropbox) fn append(
        &mut self,
        cursor: &Cursor,
        bytes: &[u8],
        close: bool,
    ) -> Result<(), Trouble> {
        let mut session = self.session(&cursor.session_id)?.clone();
        let (from, to) = (cursor.offset, cursor.offset.saturating_add(bytes.len() as u64));
        let refused = |name| Err(Trouble::Other(tag(name)));
        if session.closed {
            return refused("closed");
        }
        match session.kind {
            SessionType::Sequential if from != session.end() => {
                return Err(Trouble::Other(incorrect_offset(session.end())));
            }
            SessionType::Sequential => {}
            SessionType::Concurrent => {
                if !from.is_multiple_of(BLOCK) || session.overlaps(from, to) {
                    return refused("concurrent_session_invalid_offset");
                }
                if !close && (bytes.is_empty() || !(to - from).is_multiple_of(BLOCK)) {
                    return refused("concurrent_session_invalid_data_size");
                }
            }
        }
        if to > LARGEST {
            return refused("too_large");
        }
        if !bytes.is_empty() {
            let path = self.session_on_disk(&cursor.session_id);
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.seek(SeekFrom::Start(from))?;
            file.write_all(bytes)?;
        }
        session.add(from, to);
        session.closed = close;
        self.keep(&cursor.session_id, session);
        Ok(())
    }

    /// The session is over; its bytes have gone elsewhere or go now.
    pub(in crate::dropbox) fn end_session(&mut self, id: &str) {
        // The bytes may have become a file.
        let _ = fs::remove_file(self.session_on_disk(id));
        self.sessions.remove(id);
        self.note(Record::SessionEnd(id.to_owned()));
    }

    /// Where the bytes of a session are.
    pub(in crate::dropbox) fn session_on_disk(&self, id: &str) -> PathBuf {
        let word: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        self.state.join("sessions").join(word)
    }

    fn keep(&mut self, id: &str, session: Session) {
        self.note(Record::Session(id.to_owned(), session.clone()));
        self.sessions.insert(id.to_owned(), session);
    }
}

/// The offset is wrong; this one would be right.
pub(in crate::dropbox) fn incorrect_offset(correct: u64) -> Value {
    flat("incorrect_offset", json!({ "correct_offset": correct }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_grow_together() {
        let mut session = Session {
            kind: SessionType::Concurrent,
            closed: false,
            started: 0,
            ranges: BTreeMap::new(),
        };
        assert!(session.is_whole());
        session.add(8, 12);
        session.add(0, 4);
        assert!(!session.is_whole() && session.overlaps(3, 5) && !session.overlaps(4, 8));
        session.add(4, 8);
        assert!(session.is_whole());
        assert_eq!((session.end(), session.ranges.len()), (12, 1));
    }
}
