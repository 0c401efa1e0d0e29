//! How kind the stand-in is, and how fast.

use std::collections::BTreeSet;
use std::time::Duration;

/// How much room there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quota {
    /// One person's, in bytes.
    Individual(u64),
    /// A member's of a team, in bytes.
    Team {
        /// What the team has.
        allocated: u64,
        /// What the others of the team use.
        used_by_others: u64,
        /// What this member may use of it; 0 for no limit of their own.
        member_limit: u64,
    },
}

/// How often may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls per second in the long run; refused ones count.
    pub calls_per_second: u32,
    /// Calls that may come at once.
    pub burst: u32,
    /// The shortest wait that is asked for, in seconds.
    pub retry_after: u64,
}

/// What happens to a commit while another one holds the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenLocked {
    /// It waits for its turn.
    Wait,
    /// It is refused with `too_many_write_operations`.
    Refuse,
}

/// A team space: the member's own folder is one of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamSpace {
    /// The id of the namespace of the whole team space.
    pub root_namespace: String,
    /// The name of the member's own folder in it.
    pub home: String,
}

/// How the stand-in behaves. The default is fast, kind and roomy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Behaviour {
    /// What passes before each call is looked at.
    pub latency: Duration,
    /// How long each commit, delete, move or copy holds its namespace.
    pub commit_time: Duration,
    /// What happens to the next one meanwhile.
    pub when_locked: WhenLocked,
    /// Bytes per second that one connection can send.
    pub upload_rate: Option<u64>,
    /// How often may be called.
    pub rate_limit: Option<RateLimit>,
    /// How much room there is.
    pub quota: Quota,
    /// How long an access token is good, from its making.
    pub token_life: Duration,
    /// The longest page of a listing, whatever limit was asked for.
    pub longest_page: usize,
    /// Every other page of a listing is empty although more follows.
    pub empty_pages: bool,
    /// Parents in `path_display` come in another case than they were made with.
    pub parents_in_other_case: bool,
    /// The route `upload_session/append_batch` is known.
    pub append_batch: bool,
    /// Names may hold characters above U+FFFF.
    pub emoji_names: bool,
    /// Moves and copies in batches answer with a job instead of a result.
    pub relocation_jobs: bool,
    /// How often a job is still `in_progress` when it is asked for.
    pub checks_in_progress: u32,
    /// The account belongs to a team with a team space.
    pub team_space: Option<TeamSpace>,
    /// The user says no on the page that asks for access.
    pub deny_access: bool,
    /// Addresses to which the user may be sent back; empty for any on this machine.
    pub redirect_uris: Vec<String>,
    /// The longest `Dropbox-API-Arg`, in bytes.
    pub longest_header: usize,
    /// Folded paths of files that were taken down: `restricted_content`.
    pub restricted: BTreeSet<String>,
    /// Folded paths of files that cannot be downloaded: `unsupported_file`.
    pub not_downloadable: BTreeSet<String>,
    /// Seconds that an answer of longpoll asks to wait before the next.
    pub backoff: Option<u64>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            commit_time: Duration::ZERO,
            when_locked: WhenLocked::Wait,
            upload_rate: None,
            rate_limit: None,
            quota: Quota::Individual(2 << 40),
            token_life: Duration::from_hours(4),
            longest_page: 2000,
            empty_pages: false,
            parents_in_other_case: false,
            append_batch: true,
            emoji_names: true,
            relocation_jobs: false,
            checks_in_progress: 0,
            team_space: None,
            deny_access: false,
            redirect_uris: Vec::new(),
            longest_header: 64 * 1024,
            restricted: BTreeSet::new(),
            not_downloadable: BTreeSet::new(),
            backoff: None,
        }
    }
}
