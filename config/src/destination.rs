//! The typed settings of `[destination.NAME]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use safelight_core::class::MediaClass;

use crate::amazon::{AmazonEndpoint, AmazonPhotos};
use crate::secrets::SecretRef;
use crate::units::{Amount, BadUnit, ByteSize};

/// One destination: where copies go, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The NAME of `[destination.NAME]`.
    pub name: String,
    /// What stores the copies, with its own settings.
    pub storage: Storage,
    /// It is not in the same house as the library.
    pub offsite: bool,
    /// It may be absent without that being an error.
    pub removable: bool,
    /// How long it may be absent before somebody has to act.
    pub overdue: Duration,
    /// The quotas. A class that no pool counts has no quota.
    pub pools: Vec<Pool>,
}

/// What kind of storage, with the settings of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// A folder or an external disk.
    Disk(Disk),
    /// Amazon S3 or a compatible service.
    S3(S3),
    /// Any other service of OpenDAL.
    OpenDal(OpenDal),
    /// Dropbox.
    Dropbox(Dropbox),
    /// Amazon Photos.
    AmazonPhotos(AmazonPhotos),
}

impl Storage {
    /// The word of the setting `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Disk(_) => "disk",
            Self::S3(_) => "s3",
            Self::OpenDal(_) => "opendal",
            Self::Dropbox(_) => "dropbox",
            Self::AmazonPhotos(_) => "amazon-photos",
        }
    }

    /// Every setting that refers to a secret, with the reference.
    pub fn secrets(&self) -> Vec<(&str, &SecretRef)> {
        match self {
            Self::Disk(_) => Vec::new(),
            Self::S3(s3) => s3.keys.iter().flat_map(S3Keys::references).collect(),
            Self::OpenDal(service) => service.references().collect(),
            Self::Dropbox(dropbox) => dropbox.sign_in.iter().map(DropboxKey::reference).collect(),
            Self::AmazonPhotos(amazon) => {
                amazon.account.iter().map(|reference| ("account", reference)).collect()
            }
        }
    }

    /// Whether the service may stop to answer on any day, so that a copy there never counts alone. What a stand-in plays is
    /// as good as a folder.
    pub fn is_best_effort(&self) -> bool {
        matches!(self, Self::AmazonPhotos(_)) && !self.is_sandbox()
    }

    /// Whether a stand-in inside the program plays the service, which asks for no sign-in.
    pub fn is_sandbox(&self) -> bool {
        match self {
            Self::Disk(_) | Self::OpenDal(_) => false,
            Self::S3(s3) => matches!(s3.endpoint, Endpoint::Sandbox { .. }),
            Self::Dropbox(dropbox) => matches!(dropbox.endpoint, DropboxEndpoint::Sandbox { .. }),
            Self::AmazonPhotos(amazon) => {
                matches!(amazon.endpoint, AmazonEndpoint::Sandbox { .. })
            }
        }
    }
}

/// `type = "disk"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Where the folder is.
    pub place: DiskPlace,
    /// Room that is left free on the file system.
    pub reserve: Amount,
    /// Every new copy is read again before it counts as proved.
    pub read_back: bool,
}

/// How a folder on a disk is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskPlace {
    /// Always under this absolute path.
    Folder(PathBuf),
    /// On this volume, wherever it is mounted. At least one of label and id is there.
    Volume {
        /// The file system's label.
        label: Option<String>,
        /// The file system's id.
        id: Option<String>,
        /// The folder inside the volume, `a/b`; empty: the whole volume.
        path: String,
    },
}

/// `type = "s3"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// Which service is asked.
    pub endpoint: Endpoint,
    /// The bucket.
    pub bucket: String,
    /// The region, `us-east-1` where the service does not care.
    pub region: String,
    /// Both halves of the key; None only for the sandbox.
    pub keys: Option<S3Keys>,
    /// The prefix of all objects, without slashes around it; may be empty.
    pub root: String,
    /// The bucket stands in the path, not in the host name.
    pub path_style: bool,
    /// The storage class of new objects; None: the bucket's own.
    pub storage_class: Option<String>,
    /// What proves that an object arrived: `crc32c`, or `none` besides ETags.
    pub checksum: String,
    /// The service can write under a condition.
    pub conditional_writes: bool,
}

/// The key of an S3 account, as references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// The public half.
    pub access_key_id: SecretRef,
    /// The secret half.
    pub secret_access_key: SecretRef,
    /// What keys that expire need besides.
    pub session_token: Option<SecretRef>,
}

impl S3Keys {
    fn references(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        let session = self.session_token.as_ref().map(|token| ("session_token", token));
        [("access_key_id", &self.access_key_id), ("secret_access_key", &self.secret_access_key)]
            .into_iter()
            .chain(session)
    }
}

/// Which S3 service is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Amazon's own, by region.
    Aws,
    /// The one at this address.
    Url(String),
    /// A server started inside the program for trying things out.
    Sandbox {
        /// Where it keeps its objects; None: below the state folder.
        folder: Option<PathBuf>,
    },
}

/// `type = "opendal"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDal {
    /// OpenDAL's name of the service, such as `webdav`.
    pub service: String,
    /// The options of that service, passed on as they are.
    pub options: BTreeMap<String, OptionValue>,
    /// The folder inside the service, without slashes around it; may be empty.
    pub root: String,
}

impl OpenDal {
    fn references(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        self.options.iter().filter_map(|(name, value)| match value {
            OptionValue::Text(_) => None,
            OptionValue::Secret(reference) => Some((name.as_str(), reference)),
        })
    }
}

/// The value of one OpenDAL option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// As written.
    Text(String),
    /// To be fetched when the service is opened.
    Secret(SecretRef),
}

/// `type = "dropbox"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropbox {
    /// The key of the app that asks; None only for the sandbox.
    pub app_key: Option<String>,
    /// The sign-in; None only for the sandbox.
    pub sign_in: Option<DropboxKey>,
    /// The folder inside Dropbox, or inside the app's folder, without slashes around it; may be empty.
    pub root: String,
    /// The namespace id of a team space; None: the user's own.
    pub path_root: Option<String>,
    /// Which service is asked.
    pub endpoint: DropboxEndpoint,
}

/// What opens a Dropbox account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropboxKey {
    /// A refresh token, from which access tokens are had.
    Token(SecretRef),
    /// An access token, good for a few hours.
    AccessToken(SecretRef),
}

impl DropboxKey {
    fn reference(&self) -> (&str, &SecretRef) {
        match self {
            Self::Token(reference) => ("token", reference),
            Self::AccessToken(reference) => ("access_token", reference),
        }
    }
}

/// Which Dropbox is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropboxEndpoint {
    /// The service, at its own addresses where no other is given.
    Service {
        /// Where calls go.
        api: Option<String>,
        /// Where files go.
        content: Option<String>,
        /// Where changes are waited for.
        notify: Option<String>,
        /// Where people sign in.
        www: Option<String>,
    },
    /// A stand-in started inside the program for trying things out.
    Sandbox {
        /// Where it keeps its files; None: below the state folder.
        folder: Option<PathBuf>,
    },
}

/// One quota and the media classes that count against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The classes; no class is in two pools of a destination.
    pub counts: Vec<MediaClass>,
    /// How much there is.
    pub limit: PoolLimit,
    /// Room that is left free in it.
    pub keep_free: Amount,
    /// Which items go first when not all fit.
    pub when_full: WhenFull,
}

/// How much room a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolLimit {
    /// No end.
    Unlimited,
    /// This much.
    Bytes(ByteSize),
    /// What the service answers when asked.
    Ask,
}

impl FromStr for PoolLimit {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Self, BadUnit> {
        match text.trim() {
            "unlimited" => Ok(Self::Unlimited),
            "ask" => Ok(Self::Ask),
            size => size.parse().map(Self::Bytes).map_err(|_| BadUnit {
                expected: "\"unlimited\", \"ask\" or a size such as \"5 GB\"",
            }),
        }
    }
}

impl fmt::Display for PoolLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Ask => f.write_str("ask"),
            Self::Bytes(size) => size.fmt(f),
        }
    }
}

/// Which items go first into a pool that cannot hold all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The most recently taken.
    NewestFirst,
    /// The smallest, so that as many as possible fit.
    SmallestFirst,
    /// None: nothing more is sent to this pool until there is room for all.
    Stop,
}
