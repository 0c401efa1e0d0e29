//! Errors as data: what happened, whether trying again helps, how far the damage reaches.
//!
//! Invariant: code decides by [`Kind`], [`Retry`], [`Scope`] and [`Code`], never by the words of a message.

use std::fmt;
use std::time::Duration;

use crate::codes::{self, Code};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There is nothing under this key.
    NotFound,
    /// Create-only, but something is there.
    Exists,
    /// The object is not the version that was expected, or changed while it was read.
    Changed,
    /// Length or digest of what arrived is wrong.
    Corrupt,
    /// The destination cannot hold an item of this name.
    Name,
    /// The item is larger than the destination takes.
    TooLarge,
    /// The destination refuses this content.
    Refused,
    /// No room left.
    NoRoom,
    /// Nothing can be written there.
    ReadOnly,
    /// Access to this one thing is denied.
    Denied,
    /// The destination or library is not there at all.
    Absent,
    /// Something else stands where the destination was expected.
    NotOurs,
    /// The sign-in is missing, wrong or expired.
    SignIn,
    /// Too many requests.
    RateLimited,
    /// The service or the line failed; nothing is known about why.
    Unavailable,
    /// It took too long.
    Timeout,
    /// The answer makes no sense.
    Protocol,
    /// The medium failed to read or write.
    Io,
    /// This provider cannot do that.
    Unsupported,
    /// Stopped on request.
    Cancelled,
    /// A mistake in Safelight itself.
    Internal,
}

/// Whether and when trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    Never,
    /// At once.
    Now,
    /// Not before this much time has passed; the service said so.
    After(Duration),
    /// Later, waiting longer each time.
    BackOff,
    /// Only after a person has done something.
    NeedsPerson,
}

/// How far the damage reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// This item at this destination.
    Item,
    /// Everything at this destination.
    Destination,
    /// The whole run.
    Run,
}

/// One failure.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    retry: Retry,
    scope: Scope,
    code: Code,
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this kind, with the retry advice, scope and code that usually go with the kind.
    /// `context` says in a lower-case fragment what was tried on which thing; no secrets.
    pub fn new(kind: Kind, context: impl Into<String>) -> Self {
        let (retry, scope, code) = usual(kind);
        Self(Box::new(Inner { kind, retry, scope, code, context: context.into(), source: None }))
    }

    /// Replaces the retry advice.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Replaces the scope.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.0.scope = scope;
        self
    }

    /// Replaces the code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether trying again may help.
    pub fn retry_advice(&self) -> Retry {
        self.0.retry
    }

    /// How far the damage reaches.
    pub fn reach(&self) -> Scope {
        self.0.scope
    }

    /// The code that `safelight explain` knows.
    pub fn id(&self) -> Code {
        self.0.code
    }

    /// What was tried on which thing.
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// A copy for a second listener; the cause becomes text.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let Inner { kind, retry, scope, code, context, source } = &*self.0;
        let source = source.as_ref().map(|cause| cause.to_string().into());
        Self(Box::new(Inner {
            kind: *kind,
            retry: *retry,
            scope: *scope,
            code: *code,
            context: context.clone(),
            source,
        }))
    }

    /// Maps an error of the operating system, with the usual meaning of its kind.
    pub fn io(error: std::io::Error, context: impl Into<String>) -> Self {
        use std::io::ErrorKind as Os;
        let kind = match error.kind() {
            Os::NotFound => Kind::NotFound,
            Os::PermissionDenied => Kind::Denied,
            Os::AlreadyExists => Kind::Exists,
            Os::StorageFull | Os::QuotaExceeded => Kind::NoRoom,
            Os::ReadOnlyFilesystem => Kind::ReadOnly,
            Os::FileTooLarge => Kind::TooLarge,
            Os::InvalidFilename => Kind::Name,
            Os::StaleNetworkFileHandle | Os::NotConnected => Kind::Absent,
            Os::TimedOut => Kind::Timeout,
            _ => Kind::Io,
        };
        Self::new(kind, context).source(error)
    }
}

fn usual(kind: Kind) -> (Retry, Scope, Code) {
    use Retry::{BackOff, NeedsPerson, Never};
    use Scope::{Destination, Item, Run};
    match kind {
        Kind::NotFound => (Never, Item, codes::ITEM_NOT_FOUND),
        Kind::Exists => (Never, Item, codes::ITEM_EXISTS),
        Kind::Changed => (Never, Item, codes::CHANGED_WHILE_READING),
        Kind::Corrupt => (Retry::Now, Item, codes::CORRUPT_TRANSFER),
        Kind::Name => (Never, Item, codes::NAME_REFUSED),
        Kind::TooLarge => (Never, Item, codes::TOO_LARGE),
        Kind::Refused => (Never, Item, codes::CONTENT_REFUSED),
        Kind::NoRoom => (NeedsPerson, Destination, codes::NO_ROOM),
        Kind::ReadOnly => (NeedsPerson, Destination, codes::READ_ONLY),
        Kind::Denied => (Never, Item, codes::DENIED),
        Kind::Absent => (NeedsPerson, Destination, codes::ABSENT),
        Kind::NotOurs => (NeedsPerson, Destination, codes::NOT_OURS),
        Kind::SignIn => (NeedsPerson, Destination, codes::SIGN_IN),
        Kind::RateLimited => (BackOff, Destination, codes::RATE_LIMITED),
        Kind::Unavailable => (BackOff, Destination, codes::UNAVAILABLE),
        Kind::Timeout => (BackOff, Item, codes::TIMEOUT),
        Kind::Protocol => (BackOff, Item, codes::PROTOCOL),
        Kind::Io => (Never, Item, codes::IO),
        Kind::Unsupported => (Never, Item, codes::UNSUPPORTED),
        Kind::Cancelled => (Never, Run, codes::CANCELLED),
        Kind::Internal => (Never, Item, codes::INTERNAL),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)?;
        match &self.0.source {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|cause| cause as _)
    }
}
