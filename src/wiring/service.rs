//! A destination that is to be left: all of its account, without what Safelight keeps there for itself.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use safelight_config::{Config, Destination, Storage};
use safelight_core::body::Body;
use safelight_core::entry::{Listed, Page, Scope, Version};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::key::{Key, RESERVED};
use safelight_core::permit::RemovalPermit;
use safelight_core::provider::{Opened, Provider, PutRequest, Receipt, Relocate, Removed};
use safelight_core::wrap::{Meter, Wrapper};

use super::Opener;

/// What of Safelight's own folder was somebody's file once.
const KEPT: [&str; 2] = ["trash/", "versions/"];

/// Opens `destination` for reading, with the whole account where the service knows accounts. With `trashed`, also what
/// Safelight keeps there as trash and old versions is shown. What is read counts on `meter`.
///
/// # Errors
/// Those of opening.
pub async fn open_service(
    config: &Config,
    destination: &Destination,
    opener: &mut Opener,
    trashed: bool,
    meter: Option<Arc<Meter>>,
) -> Result<Arc<dyn Provider>> {
    let mut whole = destination.clone();
    let below = match &mut whole.storage {
        Storage::Dropbox(dropbox) => std::mem::take(&mut dropbox.root),
        Storage::AmazonPhotos(amazon) => std::mem::take(&mut amazon.root),
        Storage::Disk(_) | Storage::S3(_) | Storage::OpenDal(_) => String::new(),
    };
    let is_account = matches!(destination.storage, Storage::Dropbox(_) | Storage::AmazonPhotos(_));
    let others = same_account(config, destination);
    let others = others.filter(|one| is_account && one.name != destination.name);
    let roots = others.map(root).chain([below]);
    let own = roots.map(|root| own_folder(&root)).collect();
    let inner = opener.open(&whole).await?;
    Ok(Arc::new(Service { inner, own, trashed, meter }))
}

/// The destinations that end with the account of `destination`, itself included.
pub fn same_account<'a>(
    config: &'a Config,
    destination: &'a Destination,
) -> impl Iterator<Item = &'a Destination> {
    let wanted = account(destination);
    config
        .destinations
        .iter()
        .filter(move |one| one.name == destination.name || account(one) == wanted)
}

/// The storage without what only says where in the account things stand. A sandbox without a folder of its own is an
/// account by its name.
fn account(destination: &Destination) -> (Storage, Option<&str>) {
    let mut storage = destination.storage.clone();
    match &mut storage {
        Storage::Dropbox(dropbox) => dropbox.root.clear(),
        Storage::AmazonPhotos(amazon) => amazon.root.clear(),
        Storage::OpenDal(service) => service.root.clear(),
        Storage::S3(s3) => {
            for part in [&mut s3.root, &mut s3.bucket, &mut s3.region, &mut s3.checksum] {
                part.clear();
            }
            s3.storage_class = None;
        }
        Storage::Disk(_) => {}
    }
    let by_name = storage.is_sandbox().then_some(destination.name.as_str());
    (storage, by_name.filter(|_| !has_folder(&destination.storage)))
}

fn has_folder(storage: &Storage) -> bool {
    use safelight_config::{AmazonEndpoint, DropboxEndpoint, Endpoint};
    match storage {
        Storage::S3(s3) => matches!(s3.endpoint, Endpoint::Sandbox { folder: Some(_) }),
        Storage::Dropbox(dropbox) => {
            matches!(dropbox.endpoint, DropboxEndpoint::Sandbox { folder: Some(_) })
        }
        Storage::AmazonPhotos(amazon) => {
            matches!(amazon.endpoint, AmazonEndpoint::Sandbox { folder: Some(_) })
        }
        Storage::Disk(_) | Storage::OpenDal(_) => false,
    }
}

fn root(destination: &Destination) -> String {
    match &destination.storage {
        Storage::Dropbox(dropbox) => dropbox.root.clone(),
        Storage::AmazonPhotos(amazon) => amazon.root.clone(),
        Storage::Disk(_) | Storage::S3(_) | Storage::OpenDal(_) => String::new(),
    }
}

fn own_folder(root: &str) -> String {
    if root.is_empty() { format!("{RESERVED}/") } else { format!("{root}/{RESERVED}/") }
}

/// Shows an account as its owner sees it.
struct Service {
    inner: Arc<dyn Provider>,
    /// Safelight's own folders in it, each with a slash at its end.
    own: Vec<String>,
    trashed: bool,
    meter: Option<Arc<Meter>>,
}

/// Whether a key lies in a folder of Safelight's own and was never anybody's file.
fn is_ours(key: &Key, own: &[String], trashed: bool) -> bool {
    let begins = |bytes: &[u8], start: &str| {
        bytes.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    own.iter().filter(|folder| begins(key.as_bytes(), folder)).any(|folder| {
        let inside = &key.as_bytes()[folder.len()..];
        !(trashed && KEPT.iter().any(|kept| begins(inside, kept)))
    })
}

#[async_trait]
impl Wrapper for Service {
    fn inner(&self) -> &dyn Provider {
        &*self.inner
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Result<Page>> {
        let (own, trashed) = (self.own.clone(), self.trashed);
        let reserved = trashed && !scope.trashed;
        let pages = self.inner.list(Scope { reserved, ..scope });
        let shown = move |listed: &Listed| match listed {
            Listed::File(entry) => !is_ours(&entry.key, &own, trashed),
            Listed::Passed { key, .. } => !is_ours(key, &own, trashed),
            Listed::Unseen { .. } | Listed::Mount { .. } => true,
        };
        let only = move |page: Result<Page>| {
            page.map(|mut page| {
                page.entries.retain(&shown);
                page
            })
        };
        pages.map(only).boxed()
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
        pin: Option<&Version>,
    ) -> Result<Opened> {
        let Opened { entry, bytes } = self.inner.read(key, range, pin).await?;
        let Some(meter) = self.meter.clone() else { return Ok(Opened { entry, bytes }) };
        let metered = bytes.then(move |chunk| {
            let meter = Arc::clone(&meter);
            async move {
                if let Ok(chunk) = &chunk {
                    meter.take(chunk.len() as u64).await;
                }
                chunk
            }
        });
        Ok(Opened { entry, bytes: metered.boxed() })
    }

    async fn put(&self, _: PutRequest, _: Body) -> Result<Receipt> {
        Err(only_read())
    }

    async fn remove(&self, _: RemovalPermit) -> Result<Removed> {
        Err(only_read())
    }

    async fn relocate(
        &self,
        _: &Key,
        _: &Key,
        _: Relocate,
        _: Option<&Version>,
    ) -> Result<Receipt> {
        Err(only_read())
    }
}

fn only_read() -> Error {
    Error::new(Kind::Unsupported, "a service that is to be left is only read")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use safelight_config::Env;

    use super::*;

    #[test]
    fn safelights_own_files_do_not_count_and_its_trash_only_where_asked_for() {
        let own = [own_folder("Safelight"), own_folder("")];
        let ours = |path: &str, trashed| is_ours(&Key::new(path).unwrap(), &own, trashed);
        assert!(ours("Safelight/.safelight/marker", true) && ours(".safelight/tmp/x", true));
        assert!(ours("Safelight/.safelight/trash/2026-11-23/a.jpg", false));
        assert!(!ours("Safelight/.safelight/trash/2026-11-23/a.jpg", true));
        assert!(!ours("Safelight/a.jpg", false) && !ours("x/.safelight/a.jpg", false));
    }

    #[test]
    fn what_ends_with_the_account_is_found_under_every_name() {
        let dropbox = |name: &str, more: &str| {
            format!("[destination.{name}]\ntype = \"dropbox\"\nendpoint = \"sandbox\"\n{more}\n")
        };
        let text = format!(
            "version = 1\n[library]\npath = \"/l\"\n{}{}{}[destination.disk]\ntype = \"disk\"\npath = \"/d\"\n",
            dropbox("a", "sandbox = \"/box\"\nroot = \"one\""),
            dropbox("b", "sandbox = \"/box\"\nroot = \"two\""),
            dropbox("c", "root = \"one\""),
        );
        let env = Env::new("/", [("HOME", "/home/anna")]);
        let config = safelight_config::Config::parse(&text, Path::new("s.toml"), &env).unwrap();
        let names = |name: &str| -> Vec<_> {
            let destination = config.destination(name).unwrap();
            same_account(&config, destination).map(|one| one.name.as_str()).collect()
        };
        assert_eq!(names("a"), ["a", "b"]);
        assert_eq!((names("c"), names("disk")), (vec!["c"], vec!["disk"]));
    }
}
