//! The last listing, remembered in the notebook: the next one asks only for what has changed since.
//!
//! What was listed stands on pages that are never changed; what has changed since stands beside the cursor on one page, the
//! head, and is laid over them. Once that is more than a share of the whole, the next listing begins anew.
//!
//! Invariant: the head is written last, and as one page. A listing that dies half-way leaves the one before it or none,
//! never a mixture; what does not fit together counts as nothing remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use safelight_core::error::Result;
use safelight_core::notebook::Notebook;
use safelight_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::Metadata;

const HEAD: &str = "listing";
/// What another version of Safelight wrote is not read.
const FORM: u32 = 1;
/// However few changes there are: now and then everything is asked for anew.
const LIFE: Duration = Duration::from_hours(30 * 24);
/// So many changes are always laid over ...
const FEW: usize = 2000;
/// ... and one for so many files.
const SHARE: u64 = 8;

/// A listing of everything below the root, as of its cursor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    form: u32,
    root: String,
    /// Nanoseconds since 1970.
    began: i64,
    /// Tells the pages of one listing from those of another.
    number: u64,
    pages: u32,
    files: u64,
    /// Where Dropbox goes on from.
    pub(crate) cursor: String,
    /// What has changed since the pages were written.
    pub(crate) since: Changes,
}

impl Remembered {
    /// What is remembered of this root, if it is not too old.
    pub(crate) async fn find(
        notebook: &dyn Notebook,
        root: &str,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(text) = notebook.read(HEAD).await? else { return Ok(None) };
        let found = serde_json::from_str::<Self>(&text).ok().filter(|found| {
            let age = now.since(Timestamp::from_nanos(found.began));
            found.form == FORM && found.root == root && age < LIFE
        });
        Ok(found)
    }

    /// Whether so much has changed that it is better to begin anew.
    pub(crate) fn is_worn(&self) -> bool {
        let most = usize::try_from(self.files / SHARE).unwrap_or(usize::MAX).max(FEW);
        self.since.len() > most
    }

    /// Remembers the changes that were learned.
    pub(crate) async fn keep(&self, notebook: &dyn Notebook) -> Result<()> {
        notebook.write(HEAD, serde_json::to_string(self).ok()).await
    }

    /// Nothing is remembered.
    pub(crate) async fn forget(notebook: &dyn Notebook) -> Result<()> {
        notebook.write(HEAD, None).await
    }

    /// How the folders were spelled, by their folded paths.
    pub(crate) async fn folders(
        &self,
        notebook: &dyn Notebook,
    ) -> Result<Option<HashMap<String, String>>> {
        let text = notebook.read(&page(self.number, None)).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub(crate) const fn pages(&self) -> u32 {
        self.pages
    }

    /// The files of one page that are still what they were; `None` if the page is lost.
    pub(crate) async fn page(
        &self,
        notebook: &dyn Notebook,
        number: u32,
    ) -> Result<Option<Vec<Metadata>>> {
        let Some(text) = notebook.read(&page(self.number, Some(number))).await? else {
            return Ok(None);
        };
        let Ok(files) = serde_json::from_str::<Vec<Metadata>>(&text) else { return Ok(None) };
        let stands = |file: &Metadata| {
            file.path_lower.as_deref().is_some_and(|path| !self.since.covers(path))
        };
        Ok(Some(files.into_iter().filter(stands).collect()))
    }
}

fn page(listing: u64, number: Option<u32>) -> String {
    let number = number.map_or_else(|| "folders".to_owned(), |number| number.to_string());
    format!("{HEAD}:{listing}:{number}")
}

/// What is different from the pages.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// What stood at or below these paths is gone.
    cut: BTreeSet<String>,
    /// What stands there now.
    now: BTreeMap<String, Metadata>,
}

impl Changes {
    /// Takes up what a listing of changes says, in its order.
    pub(crate) fn learn(&mut self, told: Metadata) {
        let Some(path) = told.path_lower.clone() else { return };
        if told.is_folder() {
            self.now.insert(path, told);
            return;
        }
        // Below a file stands nothing.
        let below = format!("{path}/");
        self.now.retain(|other, _| *other != path && !other.starts_with(&below));
        if told.is_file() {
            self.now.insert(path.clone(), told);
        }
        self.cut.insert(path);
    }

    fn len(&self) -> usize {
        self.cut.len() + self.now.len()
    }

    /// Whether what the pages say of this path does not hold any more.
    fn covers(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        self.now.contains_key(path) || above.chain([path]).any(|path| self.cut.contains(path))
    }

    /// What was added or changed: files, and folders for their spelling.
    pub(crate) fn now(&self) -> impl Iterator<Item = &Metadata> {
        self.now.values()
    }
}

/// Writes a listing down while it is made.
pub(crate) struct Recorder {
    root: String,
    began: Timestamp,
    number: u64,
    before: Option<(u64, u32)>,
    pages: u32,
    files: u64,
}

impl Recorder {
    /// Begins; what was remembered before stays until the end.
    pub(crate) async fn begin(notebook: &dyn Notebook, root: &str, now: Timestamp) -> Result<Self> {
        let head = notebook.read(HEAD).await?;
        let head = head.and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
        let before = head.map(|head| (head.number, head.pages));
        // Pages of a listing that died are written over.
        let number = before.map_or(0, |(number, _)| number.wrapping_add(1));
        Ok(Self { root: root.to_owned(), began: now, number, before, pages: 0, files: 0 })
    }

    /// Writes down a page of files.
    pub(crate) async fn page(
        &mut self,
        notebook: &dyn Notebook,
        files: &[&Metadata],
    ) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let files: Vec<_> = files.iter().map(|file| file.for_keeping()).collect();
        let text = serde_json::to_string(&files).ok();
        notebook.write(&page(self.number, Some(self.pages)), text).await?;
        self.pages += 1;
        self.files += files.len() as u64;
        Ok(())
    }

    /// Ends: from now on this listing is what is remembered.
    pub(crate) async fn end(
        self,
        notebook: &dyn Notebook,
        folders: &HashMap<String, String>,
        cursor: String,
    ) -> Result<()> {
        notebook.write(&page(self.number, None), serde_json::to_string(folders).ok()).await?;
        let head = Remembered {
            form: FORM,
            root: self.root,
            began: self.began.as_nanos(),
            number: self.number,
            pages: self.pages,
            files: self.files,
            cursor,
            since: Changes::default(),
        };
        notebook.write(HEAD, serde_json::to_string(&head).ok()).await?;
        if let Some((number, pages)) = self.before {
            for old in (0..pages).map(Some).chain([None]) {
                notebook.write(&page(number, old), None).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(tag: &str, path: &str) -> Metadata {
        let told = json!({".tag": tag, "name": path, "path_lower": path, "rev": "1"});
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn changes_cover_what_they_replace_and_nothing_else() {
        let mut changes = Changes::default();
        for (tag, path) in [
            ("deleted", "/a"),
            ("folder", "/a"),
            ("file", "/a/new.jpg"),
            ("file", "/b.jpg"),
            ("folder", "/c"),
            ("file", "/d/x.jpg"),
            ("deleted", "/d"),
        ] {
            changes.learn(told(tag, path));
        }
        for path in ["/a/old.jpg", "/a/deep/old.jpg", "/a/new.jpg", "/b.jpg", "/d/x.jpg", "/c"] {
            assert!(changes.covers(path), "{path}");
        }
        for path in ["/ab.jpg", "/c/x.jpg", "/b.jpg2", "/e"] {
            assert!(!changes.covers(path), "{path}");
        }
        let now: Vec<_> = changes.now().filter(|one| one.is_file()).collect();
        let now: Vec<_> = now.iter().filter_map(|one| one.path_lower.as_deref()).collect();
        assert_eq!(now, ["/a/new.jpg", "/b.jpg"]);
    }
}
