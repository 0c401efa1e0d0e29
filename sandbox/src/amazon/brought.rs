//! What other devices of the member do: files, films and albums come and go past every call and count.

use md5::{Digest, Md5};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::time::Timestamp;

use super::AmazonSandbox;
use super::credentials::random_word;
use super::state::{NewFile, Received, Refusal, Store};

/// A file that another device brings in. Of bytes that the account has already nothing is taken.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// From the account's root, as in `Pictures/Phone/IMG_1.HEIC`; folders are made as they are needed.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// It is a favourite.
    pub favourite: bool,
    /// It is hidden.
    pub hidden: bool,
    /// What is said about it.
    pub caption: Option<String>,
    /// Words that it is filed under.
    pub keywords: Vec<String>,
    /// The date that it is filed under, the camera's time taken for UTC; otherwise what the bytes say.
    pub taken: Option<Timestamp>,
    /// The film of a live photo: its name and its bytes.
    pub film: Option<(String, Vec<u8>)>,
    /// Names of the albums that refer to it; made if there are none.
    pub albums: Vec<String>,
}

impl Brought {
    /// Bytes at a path, and nothing else.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: bytes.into(), ..Self::default() }
    }
}

impl AmazonSandbox {
    /// Puts a file into the account; the answer is its id.
    ///
    /// # Errors
    /// [`Kind::Refused`] if the service would not take it; those of the file system.
    pub async fn bring(&self, item: Brought) -> Result<String> {
        let received = self.receive(&item.bytes).await?;
        let film = match &item.film {
            Some((name, bytes)) => Some((name.clone(), self.receive(bytes).await?)),
            None => None,
        };
        let scratch: Vec<_> = film.iter().map(|(_, film)| film.path.clone()).collect();
        let scratch = [scratch, vec![received.path.clone()]].concat();
        let stored = self.service.act(move |store| install(store, &item, &received, film.as_ref()));
        if let Ok(id) = stored.await {
            return Ok(id);
        }
        for path in scratch {
            // What was taken before the refusal is there no more.
            let _ = tokio::fs::remove_file(path).await;
        }
        Err(Error::new(Kind::Refused, "the sandbox does not take it"))
    }

    /// Makes a photo that is there a live photo: `film` becomes a node of its own below it. The answer is its id.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no such photo; those of the file system.
    pub async fn attach_film(&self, still: &str, name: &str, film: Vec<u8>) -> Result<String> {
        let received = self.receive(&film).await?;
        let path = received.path.clone();
        let (still, name) = (still.to_owned(), name.to_owned());
        let attach = self.service.act(move |store| store.add_asset(&still, &name, &received));
        let Ok(id) = attach.await else {
            tokio::fs::remove_file(path).await.map_err(failed)?;
            return Err(Error::new(Kind::NotFound, "a photo of the sandbox"));
        };
        Ok(id)
    }

    /// Makes an album with nothing in it; the answer is its id.
    ///
    /// # Errors
    /// [`Kind::Refused`] for a name that the service does not take.
    pub async fn make_album(&self, name: &str, description: Option<&str>) -> Result<String> {
        let (name, description) = (name.to_owned(), description.map(str::to_owned));
        let made = self.service.act(move |store| store.add_album(&name, description)).await;
        made.map_err(|_| Error::new(Kind::Refused, "an album of the sandbox"))
    }

    /// The id of the folder or file of this path from the account's root, if one is there.
    pub fn id(&self, path: &str) -> Option<String> {
        self.service.peek().find(path)
    }

    /// Moves a node to the trash.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no such node.
    pub async fn trash(&self, id: &str) -> Result<()> {
        let ids = [id.to_owned()];
        let trashed = self.service.act(move |store| store.trash(&ids)).await;
        trashed.map_err(|_| Error::new(Kind::NotFound, "a node of the sandbox"))
    }

    async fn receive(&self, bytes: &[u8]) -> Result<Received> {
        let path = self.service.peek().incoming().join(random_word(12).map_err(failed)?);
        tokio::fs::write(&path, bytes).await.map_err(failed)?;
        let md5 = hex::encode(Md5::digest(bytes));
        Ok(Received { path, size: bytes.len() as u64, md5 })
    }
}

fn install(
    store: &mut Store,
    item: &Brought,
    received: &Received,
    film: Option<&(String, Received)>,
) -> std::result::Result<String, Refusal> {
    let mut names: Vec<_> = item.path.split('/').collect();
    let name = names.pop().unwrap_or_default().to_owned();
    let wish = NewFile {
        name,
        parent: Some(store.ensure_folder(&names)?),
        date: item.taken.map(|taken| taken.as_nanos() / 1_000_000),
        favorite: item.favourite,
        hidden: item.hidden,
        description: item.caption.clone(),
        keywords: item.keywords.clone(),
        ..NewFile::default()
    };
    let id = store.add_file(&wish, received)?;
    if let Some((name, film)) = film {
        store.add_asset(&id, name, film)?;
    }
    for name in &item.albums {
        let album = match store.album(name) {
            Some(album) => album,
            None => store.add_album(name, None)?,
        };
        store.edit_album(&album, true, std::slice::from_ref(&id))?;
    }
    Ok(id)
}

fn failed(error: std::io::Error) -> Error {
    Error::io(error, "the sandbox's files")
}
