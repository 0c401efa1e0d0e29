//! How kind the stand-in is, and how fast.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the account pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Photos are free; videos and everything else count.
    Prime,
    /// Everything counts.
    None,
}

/// How a session that is over shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// 401 with JSON, in the words of the host that was asked.
    Unauthorized,
    /// 403 without anything to read.
    Forbidden,
    /// 200 with a page that asks to sign in.
    SignInPage,
}

/// How often may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls per second in the long run; refused ones count.
    pub calls_per_second: u32,
    /// Calls that may come at once.
    pub burst: u32,
    /// The status of a refusal: 429 or 503.
    pub status: u16,
    /// The shortest wait that is announced, in seconds.
    pub retry_after: u64,
}

/// How the stand-in behaves. The default is fast, and as awkward as the service is known or feared to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Behaviour {
    /// What the account pays for.
    pub plan: Plan,
    /// Bytes of room for what counts.
    pub quota: u64,
    /// The end of the host's name, as in `com`, `de`, `co.uk`; it decides the names of the cookies.
    pub country: String,
    /// What passes before each call is looked at.
    pub latency: Duration,
    /// How often may be called.
    pub rate_limit: Option<RateLimit>,
    /// How long a new file is PENDING, without `contentProperties`.
    pub pending: Duration,
    /// How long listings do not know of what was stored, trashed or restored.
    pub listing_lag: Duration,
    /// How long usage and quota are told as they were calculated once.
    pub usage_every: Duration,
    /// Bytes and counts of the usage are text instead of numbers.
    pub numbers_as_text: bool,
    /// Every so many pages of a listing, one carries half of what was asked for, although more follows.
    pub short_pages: Option<u64>,
    /// Every so many pages of a listing that do not begin at 0, one is shifted by an item: in turn one item is left
    /// out or repeated.
    pub drift: Option<u64>,
    /// Listings of a folder hold also what is in the trash, and one node that stands elsewhere.
    pub strays: bool,
    /// The window of 9,999 items holds for `search` as it does for `nodes`.
    pub search_window: bool,
    /// Of a thousand uploads that many are stored but answered with a 5xx.
    pub ghosts_per_thousand: u64,
    /// Decides which uploads those are.
    pub seed: u64,
    /// Content that stands in the trash only is a duplicate too.
    pub trash_counts_as_duplicate: bool,
    /// Content that stands below a still only, as its film, is a duplicate too.
    pub films_count_as_duplicates: bool,
    /// `suppress=DEDUPLICATION` is obeyed; otherwise nobody looks at it.
    pub may_suppress_deduplication: bool,
    /// The status of `InsufficientStorage` and `NoActiveSubscriptionFound`.
    pub no_room_status: u16,
    /// The longest file, in bytes.
    pub largest_file: Option<u64>,
    /// Metadata goes on telling size and digest of the upload, whatever became of the bytes.
    pub stale_digests: bool,
    /// How long a signed link is good.
    pub link_life: Duration,
    /// How long the cookies are good, from their making.
    pub session_life: Option<Duration>,
    /// How the session ends when that time is over.
    pub session_end: Expiry,
    /// A session that is over can still read.
    pub reads_outlive_session: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            plan: Plan::Prime,
            quota: 5 << 30,
            country: "com".to_owned(),
            latency: Duration::ZERO,
            rate_limit: None,
            pending: Duration::ZERO,
            listing_lag: Duration::ZERO,
            usage_every: Duration::from_mins(10),
            numbers_as_text: true,
            short_pages: None,
            drift: None,
            strays: false,
            search_window: true,
            ghosts_per_thousand: 0,
            seed: 0,
            trash_counts_as_duplicate: true,
            films_count_as_duplicates: false,
            may_suppress_deduplication: false,
            no_room_status: 409,
            largest_file: None,
            stale_digests: false,
            link_life: Duration::from_hours(1),
            session_life: None,
            session_end: Expiry::Unauthorized,
            reads_outlive_session: false,
        }
    }
}
