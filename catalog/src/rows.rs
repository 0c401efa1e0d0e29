//! Words and rows of the tables as values of core.
//!
//! Invariant: the words here are what stands in released files; they never change. A word that is not known
//! means that the file is damaged, except for codes, which newer programs may add.

use rusqlite::types::{FromSql, Type};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use safelight_core::catalog::{Content, Freshness, Held, Presence, Stat};
use safelight_core::class::MediaClass;
use safelight_core::codes::{self, Code};
use safelight_core::digest::{Algorithm, Digests};
use safelight_core::entry::Version;
use safelight_core::key::Key;
use safelight_core::provider::Proof;
use safelight_core::taken::Taken;
use safelight_core::time::Timestamp;
use safelight_core::traits::Traits;

use crate::fault::{Fault, mistake};

/// The columns that [`Columns::stat`] takes.
pub(crate) const STAT: &str = "item.size, item.modified, item.changed, item.file_id";
/// The columns that [`Columns::presence`] takes.
pub(crate) const PRESENCE: &str = "item.presence, item.gone_at";
/// The columns that [`Columns::taken`] takes.
pub(crate) const TAKEN: &str = "item.taken_wall, item.taken_zone, item.taken_source";
/// The same of the item's group.
pub(crate) const GROUP_TAKEN: &str =
    "grouping.taken_wall, grouping.taken_zone, grouping.taken_source";
/// The columns that [`Columns::traits`] takes, after those of [`TAKEN`].
pub(crate) const TRAITS: &str = "item.inspected, item.detected, item.mismatch, item.content_id, \
     item.motion_start, item.motion_end, item.burst, item.health";
/// The columns that [`Columns::held`] takes; `copy` is the content of the leg.
pub(crate) const HELD: &str = "copy.sha256, copy.size, copy.md5, copy.crc32c, copy.dropbox, \
     coalesce(leg.key, item.key), leg.version, leg.remote_id, leg.proof, leg.proved_at";
/// The proofs that count, as SQL; agrees with [`Proof::counts`].
pub(crate) const COUNTING: &str =
    "('read-back', 'server-sha256', 'server-md5', 'server-crc32c', 'server-dropbox')";

const PROOFS: [(Proof, &str); 7] = [
    (Proof::Claimed, "claimed"),
    (Proof::SizeOnly, "size-only"),
    (Proof::ReadBack, "read-back"),
    (Proof::ServerHash(Algorithm::Sha256), "server-sha256"),
    (Proof::ServerHash(Algorithm::Md5), "server-md5"),
    (Proof::ServerHash(Algorithm::Crc32c), "server-crc32c"),
    (Proof::ServerHash(Algorithm::DropboxHash), "server-dropbox"),
];

pub(crate) fn proof_word(proof: Proof) -> &'static str {
    PROOFS.iter().find(|(known, _)| *known == proof).map_or("claimed", |(_, word)| word)
}

pub(crate) fn proof_named(word: &str) -> Option<Proof> {
    PROOFS.iter().find(|(_, known)| *known == word).map(|(proof, _)| *proof)
}

pub(crate) fn freshness_word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Touched => "touched",
        Freshness::Stale => "stale",
    }
}

fn freshness_named(word: &str) -> Option<Freshness> {
    match word {
        "fresh" => Some(Freshness::Fresh),
        "touched" => Some(Freshness::Touched),
        "stale" => Some(Freshness::Stale),
        _ => None,
    }
}

/// The code of this name, or [`codes::INTERNAL`] if this program does not know it.
pub(crate) fn code_named(word: &str) -> Code {
    codes::page(word).map_or(codes::INTERNAL, |page| page.code)
}

/// A number of rows as SQL takes it.
pub(crate) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Takes the columns of a row from left to right.
pub(crate) struct Columns<'row, 'rows> {
    row: &'row Row<'rows>,
    next: usize,
}

impl<'row, 'rows> Columns<'row, 'rows> {
    pub(crate) fn of(row: &'row Row<'rows>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    fn is_null(&self) -> rusqlite::Result<bool> {
        Ok(self.row.get_ref(self.next)?.data_type() == Type::Null)
    }

    /// A word without copying it.
    pub(crate) fn word<T>(&mut self, named: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        self.next += 1;
        named(self.row.get_ref(self.next - 1)?.as_str()?).ok_or_else(|| self.bad("unknown word"))
    }

    /// A value where there may be NULL, read by `read` if there is one.
    pub(crate) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        if self.is_null()? {
            self.skip(1);
            return Ok(None);
        }
        read(self).map(Some)
    }

    pub(crate) fn key(&mut self) -> rusqlite::Result<Key> {
        self.next += 1;
        Key::new(self.row.get_ref(self.next - 1)?.as_blob()?).map_err(|_| self.bad("not a key"))
    }

    pub(crate) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.take().map(Timestamp::from_nanos)
    }

    /// A number without sign, kept with the bits of one with sign.
    pub(crate) fn unsigned(&mut self) -> rusqlite::Result<u64> {
        self.take().map(i64::cast_unsigned)
    }

    pub(crate) fn version(&mut self) -> rusqlite::Result<Option<Version>> {
        self.maybe(|columns| columns.word(|tag| Some(Version::new(tag))))
    }

    pub(crate) fn code(&mut self) -> rusqlite::Result<Code> {
        self.word(|word| Some(code_named(word)))
    }

    pub(crate) fn class(&mut self) -> rusqlite::Result<MediaClass> {
        self.parsed()
    }

    pub(crate) fn freshness(&mut self) -> rusqlite::Result<Freshness> {
        self.word(freshness_named)
    }

    pub(crate) fn presence(&mut self) -> rusqlite::Result<Presence> {
        enum Word {
            Present,
            Suspect,
            Gone,
            Excluded,
        }
        let word = self.word(|word| match word {
            "present" => Some(Word::Present),
            "suspect" => Some(Word::Suspect),
            "gone" => Some(Word::Gone),
            "excluded" => Some(Word::Excluded),
            _ => None,
        })?;
        let gone_at = self.maybe(Self::time)?;
        match word {
            Word::Present => Ok(Presence::Present),
            Word::Suspect => Ok(Presence::Suspect),
            Word::Excluded => Ok(Presence::Excluded),
            Word::Gone => gone_at.map(Presence::Gone).ok_or_else(|| self.bad("gone without time")),
        }
    }

    /// A word of core, by the words that it reads itself.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> rusqlite::Result<T> {
        self.word(|word| word.parse().ok())
    }

    pub(crate) fn taken(&mut self) -> rusqlite::Result<Option<Taken>> {
        if self.is_null()? {
            self.skip(3);
            return Ok(None);
        }
        Ok(Some(Taken::from_parts(self.take()?, self.parsed()?, self.parsed()?)))
    }

    /// `None` if the item was not inspected in its present form.
    pub(crate) fn traits(
        &mut self,
        class: MediaClass,
        taken: Option<Taken>,
    ) -> rusqlite::Result<Option<Traits>> {
        let inspected: bool = self.take()?;
        let detected = self.take::<Option<String>>()?.map(Into::into);
        let (mismatch, content_id) = (self.take()?, self.take()?);
        let (start, end) = (self.maybe(Self::unsigned)?, self.maybe(Self::unsigned)?);
        let motion = start.zip(end).map(|(start, end)| start..end);
        let (burst, health) = (self.take()?, self.maybe(Self::parsed)?);
        let traits = Traits { class, detected, mismatch, taken, content_id, motion, burst, health };
        Ok(inspected.then_some(traits))
    }

    pub(crate) fn stat(&mut self) -> rusqlite::Result<Stat> {
        Ok(Stat {
            size: self.unsigned()?,
            modified: self.time()?,
            changed: self.maybe(Self::time)?,
            file_id: self.maybe(Self::unsigned)?,
        })
    }

    /// SHA-256, size and the other digests of a joined row of `content`; `None` if none was joined.
    pub(crate) fn content(&mut self) -> rusqlite::Result<Option<Content>> {
        if self.is_null()? {
            self.skip(5);
            return Ok(None);
        }
        let (sha256, size) = (self.take()?, self.unsigned()?);
        let (md5, crc32c, dropbox) = (self.take()?, self.take()?, self.take()?);
        Ok(Some(Content { size, digests: Digests { sha256, md5, crc32c, dropbox } }))
    }

    /// The columns [`HELD`]; `None` if the leg has no copy.
    pub(crate) fn held(&mut self) -> rusqlite::Result<Option<Held>> {
        let Some(content) = self.content()? else {
            self.skip(5);
            return Ok(None);
        };
        Ok(Some(Held {
            content,
            key: self.key()?,
            version: self.version()?,
            remote_id: self.take()?,
            proof: self.word(proof_named)?,
            proved_at: self.time()?,
        }))
    }

    fn bad(&self, why: &str) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(self.next - 1, Type::Blob, why.into())
    }
}

/// The row of this content, made or completed with digests that were not known before.
pub(crate) fn content_row(connection: &Connection, content: &Content) -> Result<i64, Fault> {
    let Digests { sha256: Some(sha256), md5, crc32c, dropbox } = content.digests else {
        return Err(mistake("content was recorded without its SHA-256").into());
    };
    let known = connection
        .prepare_cached(
            "SELECT id, (md5 IS NULL AND ?2) OR (crc32c IS NULL AND ?3) OR (dropbox IS NULL AND ?4)
             FROM content WHERE sha256 = ?1",
        )?
        .query_row(params![sha256, md5.is_some(), crc32c.is_some(), dropbox.is_some()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?;
    match known {
        Some((id, false)) => Ok(id),
        Some((id, true)) => {
            connection
                .prepare_cached(
                    "UPDATE content SET md5 = coalesce(md5, ?2), crc32c = coalesce(crc32c, ?3),
                     dropbox = coalesce(dropbox, ?4) WHERE id = ?1",
                )?
                .execute(params![id, md5, crc32c, dropbox])?;
            Ok(id)
        }
        None => {
            connection
                .prepare_cached(
                    "INSERT INTO content (sha256, size, md5, crc32c, dropbox)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![sha256, content.size.cast_signed(), md5, crc32c, dropbox])?;
            Ok(connection.last_insert_rowid())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proof_has_its_word_and_sql_agrees_on_which_count() {
        for (proof, word) in PROOFS {
            assert_eq!(proof_named(proof_word(proof)), Some(proof));
            assert_eq!(COUNTING.contains(&format!("'{word}'")), proof.counts(), "{word}");
        }
    }

    #[test]
    fn codes_of_newer_programs_read_as_a_mistake_and_ours_as_themselves() {
        assert_eq!(code_named("run/invented-later"), codes::INTERNAL);
        for page in codes::PAGES {
            assert_eq!(code_named(page.code.0), page.code);
        }
    }
}
