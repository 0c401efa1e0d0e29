//! Which services there are, and what is known of each.
//!
//! *Proven* means that the conformance suite passes against a server of that protocol which others wrote.
//! *Experimental* means that OpenDAL has it and nothing here has been tried against it.

use opendal::{Capability, Operator, services};
use safelight_core::error::{Error, Kind, Result};

/// What is known of one service.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Service {
    /// OpenDAL's word for it.
    pub(crate) name: &'static str,
    /// User metadata really works, not only says so.
    pub(crate) metadata: bool,
    /// Every version has an etag, so that none needs to be made up from size and time.
    pub(crate) etags: bool,
    /// A listing is of a prefix, not of a folder.
    pub(crate) flat: bool,
    /// Stands near the beginning of every page of a listing. OpenDAL takes anything else, such as the sign-in
    /// page of a hotel, for an empty listing.
    pub(crate) page: &'static str,
    /// It vouches for what it received, by CRC-32C or else by etags that are MD5s, so that a CRC-32C taken while
    /// reading makes a proof of that.
    pub(crate) crc32c: bool,
    /// Longest path in bytes.
    pub(crate) max_path: Option<usize>,
    /// Largest object in bytes, beyond what OpenDAL declares.
    pub(crate) max_object: Option<u64>,
    /// How many `put`s at once are sensible.
    pub(crate) concurrency: usize,
    /// How many reads at once are sensible to begin with: what comes down is small and far away.
    pub(crate) reads: usize,
    /// How many reads at once it takes where that pays.
    pub(crate) most_reads: usize,
}

const CLOUD: Service = Service {
    name: "",
    metadata: true,
    etags: true,
    flat: true,
    page: "{",
    crc32c: false,
    max_path: Some(1024),
    max_object: None,
    concurrency: 8,
    reads: 32,
    most_reads: 256,
};

const TIB: u64 = 1 << 40;

const ALL: &[Service] = &[
    Service {
        name: "s3",
        page: "<ListBucketResult",
        crc32c: true,
        max_object: Some(5 * TIB),
        ..CLOUD
    },
    Service {
        name: "webdav",
        metadata: false,
        etags: false,
        flat: false,
        page: "multistatus",
        max_path: None,
        concurrency: 4,
        reads: 8,
        most_reads: 32,
        ..CLOUD
    },
    #[cfg(feature = "gcs")]
    Service { name: "gcs", max_object: Some(5 * TIB), ..CLOUD },
    #[cfg(feature = "azblob")]
    Service { name: "azblob", page: "<EnumerationResults", ..CLOUD },
    #[cfg(feature = "b2")]
    Service { name: "b2", etags: false, ..CLOUD },
    #[cfg(feature = "swift")]
    Service { name: "swift", page: "[", ..CLOUD },
];

/// For `about` and error messages.
pub(crate) const ABOUT: &str = "other services through OpenDAL; proven: s3, webdav; \
     experimental: b2, swift, and gcs, azblob if built with the feature of that name";

/// What is known of `name`.
///
/// # Errors
/// [`Kind::Unsupported`], naming what is there.
pub(crate) fn known(name: &str) -> Result<Service> {
    let unknown = || {
        let there: Vec<_> = ALL.iter().map(|service| service.name).collect();
        let there = there.join(", ");
        Error::new(Kind::Unsupported, format!("no service `{name}`; this build has {there}"))
    };
    ALL.iter().find(|service| service.name == name).copied().ok_or_else(unknown)
}

/// Opens a service with OpenDAL's own names for its options.
///
/// # Errors
/// [`Kind::Unsupported`] if an option is not right. OpenDAL's words are not repeated: they may hold values.
pub(crate) fn operator(service: Service, options: Vec<(String, String)>) -> Result<Operator> {
    let operator = match service.name {
        "s3" => Operator::from_iter::<services::S3>(options),
        "webdav" => Operator::from_iter::<services::Webdav>(options),
        #[cfg(feature = "gcs")]
        "gcs" => Operator::from_iter::<services::Gcs>(options),
        #[cfg(feature = "azblob")]
        "azblob" => Operator::from_iter::<services::Azblob>(options),
        #[cfg(feature = "b2")]
        "b2" => Operator::from_iter::<services::B2>(options),
        #[cfg(feature = "swift")]
        "swift" => Operator::from_iter::<services::Swift>(options),
        name => return known(name).and(Err(Error::new(Kind::Internal, "a service without code"))),
    };
    operator.map_err(|_| {
        let context = format!("OpenDAL does not accept the settings for `{}`", service.name);
        Error::new(Kind::Unsupported, context)
    })
}

/// How things are done at one service.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Ways {
    /// Create-only is the service's business.
    pub(crate) create_only: bool,
    /// Replace-exactly is the service's business.
    pub(crate) replace_exactly: bool,
    /// Large objects go in parts.
    pub(crate) parts: bool,
    /// A `PUT` is visible while it arrives: send to a temporary name, then move.
    pub(crate) staged: bool,
    /// Digest and time go along as user metadata.
    pub(crate) metadata: bool,
    /// Reading can be pinned to an etag.
    pub(crate) pinned_read: bool,
    /// Removing can be pinned to an etag.
    pub(crate) pinned_delete: bool,
    /// Copying can be told not to replace.
    pub(crate) copy_create_only: bool,
    /// It copies on its own side.
    pub(crate) copies: bool,
    /// It moves on its own side in one step.
    pub(crate) renames: bool,
}

impl Ways {
    /// From what OpenDAL declares; `conditions` is false where the user knows that the service ignores them.
    pub(crate) fn of(service: Service, can: Capability, conditions: bool) -> Self {
        Self {
            create_only: conditions && can.write_with_if_not_exists,
            replace_exactly: conditions && can.write_with_if_match,
            parts: can.write_can_multi,
            staged: can.rename && !can.write_can_multi,
            metadata: service.metadata && can.write_with_user_metadata,
            pinned_read: can.read_with_if_match,
            pinned_delete: conditions && can.delete_with_if_match,
            copy_create_only: conditions && can.copy_with_if_not_exists,
            copies: can.copy,
            renames: can.rename,
        }
    }
}
