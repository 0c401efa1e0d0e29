//! What all operations share: the way to OpenDAL, versions, entries, the look at one object.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opendal::{Executor, HttpTransporter, Metadata, OperationContext, Operator};
use safelight_core::capability::Capabilities;
use safelight_core::entry::{Entry, Version};
use safelight_core::error::{Kind, Result};
use safelight_core::key::Key;
use safelight_core::provider::Identity;
use safelight_core::registry::Context;
use safelight_core::time::Timestamp;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use crate::call::{Call, Manner};
use crate::deadline::within;
use crate::errors::translate;
use crate::gate::Gate;
use crate::keys::Names;
use crate::leftovers::Leftovers;
use crate::services::{Service, Ways};
use crate::signed::Signed;
use crate::tasks::Tasks;
use crate::transport::Wire;
use crate::untidy::stat;

/// User metadata: the SHA-256 of the content, in hex.
pub(crate) const META_SHA256: &str = "sha256";
/// User metadata: the modification time in seconds since 1970, with nine decimals.
pub(crate) const META_MTIME: &str = "mtime";

/// A destination behind OpenDAL.
pub(crate) struct ObjectStore {
    pub(crate) identity: Identity,
    pub(crate) capabilities: Capabilities,
    pub(crate) operator: Operator,
    pub(crate) service: Service,
    pub(crate) ways: Ways,
    pub(crate) names: Names,
    pub(crate) context: Context,
    pub(crate) gate: Arc<Gate>,
    pub(crate) executor: Executor,
    pub(crate) leftovers: Leftovers,
    /// For the requests that OpenDAL does not make, where the service has them.
    pub(crate) signed: Option<Signed>,
    /// What earlier runs left was looked for.
    pub(crate) swept: AtomicBool,
    /// Where the service looks at no conditions, our own writers of one key take turns.
    pub(crate) turns: Vec<Mutex<()>>,
    /// MiB that uploads in parts may hold at once.
    pub(crate) memory: Semaphore,
}

impl ObjectStore {
    /// The operator for one operation, and the record of its requests.
    pub(crate) fn call(&self, manner: Manner) -> (Operator, Arc<Call>) {
        let call = Arc::new(Call::new(manner));
        let wire = Wire {
            http: self.context.http.clone(),
            clock: self.context.clock.clone(),
            gate: self.gate.clone(),
            call: call.clone(),
            page: self.service.page,
            vouches: self.service.crc32c,
        };
        let context =
            OperationContext::from_parts(HttpTransporter::new(wire), self.executor.clone());
        (self.operator.clone().with_context(context), call)
    }

    pub(crate) fn executor() -> Executor {
        Executor::with(Tasks::default())
    }

    pub(crate) fn turns() -> Vec<Mutex<()>> {
        (0..TURNS).map(|_| Mutex::default()).collect()
    }

    /// Waits for the turn to look at `path` and then write it.
    pub(crate) async fn turn(&self, path: &str) -> Option<MutexGuard<'_, ()>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(path) % TURNS;
        let turn = self.turns.get(usize::try_from(hash).ok()?)?;
        Some(turn.lock().await)
    }

    /// What is at `path`, or `None`.
    pub(crate) async fn look(&self, key: &Key, path: &str) -> Result<Option<Metadata>> {
        let (operator, call) = self.call(Manner::default());
        let doing = format!("looking at {key}");
        let asked = async {
            match stat(&operator, path).await {
                Ok(found) => Ok(found.is_file().then_some(found)),
                Err(error) => {
                    let error = translate(&call, &error, &doing);
                    match error.kind() {
                        Kind::NotFound => Ok(None),
                        Kind::Denied if self.is_below_a_file(&operator, path).await => Ok(None),
                        _ => Err(error),
                    }
                }
            }
        };
        within(&*self.context.clock, 0, &doing, asked).await
    }

    /// Some servers over file systems answer "forbidden" where nothing can be.
    async fn is_below_a_file(&self, operator: &Operator, path: &str) -> bool {
        let mut rest = path;
        while let Some((parent, _)) = rest.rsplit_once('/').filter(|_| !self.service.flat) {
            if let Ok(found) = operator.stat(parent).await {
                return found.is_file();
            }
            rest = parent;
        }
        false
    }

    /// The version tag in `found`.
    pub(crate) fn version(&self, found: &Metadata) -> Option<Version> {
        match found.etag() {
            Some(etag) => Some(Version::new(bare(etag))),
            None if self.service.etags => None,
            None => {
                let time = found.last_modified()?.into_inner().as_nanosecond();
                Some(Version::new(format!("{MADE_UP}{time}-{}", found.content_length())))
            }
        }
    }

    /// What `stat` and `read` say of an object.
    pub(crate) fn entry(&self, key: Key, found: &Metadata) -> Entry {
        let kept = found.user_metadata().and_then(|kept| parse_time(kept.get(META_MTIME)?));
        let modified = kept.or_else(|| found.last_modified().map(to_the_second));
        Entry { modified, ..self.listed(key, found) }
    }

    /// What a listing says of an object: no modification time, since the kept one is not in it.
    pub(crate) fn listed(&self, key: Key, found: &Metadata) -> Entry {
        let mut entry = Entry::new(key, found.content_length());
        entry.version = self.version(found);
        let md5 = found.content_md5().and_then(|text| STANDARD.decode(text).ok());
        entry.digests.md5 = md5.and_then(|bytes| bytes.try_into().ok());
        entry
    }
}

const TURNS: u64 = 64;
/// In front of versions that are no etags.
const MADE_UP: &str = "at ";

/// An etag without the quotes that some services leave out in some answers.
pub(crate) fn bare(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

/// A version as a condition of a request, if it is an etag.
pub(crate) fn condition(version: &Version) -> Option<String> {
    let tag = &*version.0;
    if tag.starts_with(MADE_UP) {
        None
    } else if tag.starts_with("W/") {
        Some(tag.to_owned())
    } else {
        Some(format!("\"{tag}\""))
    }
}

/// A time that a service tells; listings and single looks differ below the second.
pub(crate) fn to_the_second(time: opendal::raw::Timestamp) -> Timestamp {
    Timestamp::from_parts(time.into_inner().as_second(), 0)
}

pub(crate) fn format_time(time: Timestamp) -> String {
    format!("{}.{:09}", time.seconds(), time.subsec_nanos())
}

pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let (seconds, nanos) = text.split_once('.').unwrap_or((text, "0"));
    let nanos = format!("{nanos:0<9}");
    Some(Timestamp::from_parts(seconds.parse().ok()?, nanos.get(..9)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_compared_without_quotes_and_sent_with_them() {
        for (etag, kept, sent) in [
            ("\"abc\"", "abc", Some("\"abc\"")),
            ("abc-2", "abc-2", Some("\"abc-2\"")),
            ("W/\"abc\"", "W/\"abc\"", Some("W/\"abc\"")),
            ("at 12-3", "at 12-3", None),
        ] {
            assert_eq!(bare(etag), kept);
            assert_eq!(condition(&Version::new(bare(etag))).as_deref(), sent);
        }
    }

    #[test]
    fn times_survive_the_metadata() {
        for nanos in [0, 1, 1_700_000_000_123_456_789, -1_500_000_000] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(parse_time(&format_time(time)), Some(time));
        }
        assert_eq!(
            parse_time("1700000000.5"),
            Some(Timestamp::from_nanos(1_700_000_000_500_000_000))
        );
        assert_eq!(parse_time("never"), None);
    }
}
