//! What others call as we never would, in listings that are for taking everything out: told under a key that shows its
//! path, and read by exactly that path.

use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use safelight_core::entry::{Entry, Listed, Version};
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::key::Key;
use safelight_core::literal::path as plain;

use crate::called::Called;
use crate::signed::has_address;
use crate::store::ObjectStore;

/// Gathered while a listing is made, by their paths.
pub(crate) type Literal = safelight_core::literal::Literal<(String, Entry)>;

pub(crate) fn gathering() -> Literal {
    Literal::new(|key| String::from_utf8_lossy(key.as_bytes()).into_owned())
}

/// Takes up an object to which no key leads.
pub(crate) fn take_up(
    literal: &mut Literal,
    path: &str,
    shown: String,
    entry: impl Fn(Key) -> Entry,
) {
    // Nothing of another's looks like our own folder.
    let reserved = plain(&shown).is_some_and(|key| key.is_reserved());
    let shown = if reserved { format!("_{shown}") } else { shown };
    if let Some(key) = plain(&shown) {
        literal.take_up(path.to_owned(), shown, (path.to_owned(), entry(key)));
    }
}

/// All of them.
///
/// # Errors
/// What is wrong with more than a single object.
pub(crate) async fn told(store: &ObjectStore, literal: Literal) -> Result<Vec<Listed>> {
    let tell = |(key, (path, entry))| store.tell(key, path, entry);
    let telling: Vec<_> = literal.told().into_iter().map(tell).collect();
    let told = stream::iter(telling).buffered(store.service.concurrency);
    told.try_filter_map(async |listed| Ok(listed)).try_collect().await
}

impl ObjectStore {
    async fn tell(&self, key: Option<Key>, path: String, entry: Entry) -> Result<Option<Listed>> {
        let unseen = |key, what: &str| {
            let error = Error::new(Kind::Protocol, format!("listing: {what}"));
            Ok(Some(Listed::Unseen { key, error }))
        };
        let key = match key {
            Some(key) if self.can_be_read(&path) => key,
            key => return unseen(key, "nothing leads to an object that is there"),
        };
        let version = match entry.version.clone() {
            // Some listings leave the versions out.
            None => self.version_at(&key, &path).await,
            told => Ok(told),
        };
        match version {
            Ok(Some(version)) => {
                let called = Called { path, version: Some(version) };
                Ok(Some(Listed::File(called.entry(Entry { key, ..entry }))))
            }
            Ok(None) => unseen(Some(key), "nothing says which version of an object is there"),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) if error.reach() == Scope::Item => {
                Ok(Some(Listed::Unseen { key: Some(key), error }))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a name reaches the service as it is.
    fn can_be_read(&self, path: &str) -> bool {
        let plain = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        if self.signed.is_some() { has_address(path) } else { plain }
    }

    async fn version_at(&self, key: &Key, path: &str) -> Result<Option<Version>> {
        match &self.signed {
            Some(signed) => self.version_exactly(signed, key, path).await,
            None => Ok(self.look(key, path).await?.and_then(|found| self.version(&found))),
        }
    }
}
