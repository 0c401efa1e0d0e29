//! What a run tells while it goes. The engine never prints; it tells a [`Monitor`].

use crate::catalog::{Amount, Problem, RunId};
use crate::codes::Code;
use crate::error::Retry;
use crate::key::Key;
use crate::provider::Proof;

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// The library is being listed; so many files were seen so far.
    Scanning {
        /// Files seen.
        files: u64,
    },
    /// The plan is made and the transfer begins.
    Started {
        /// The run.
        run: RunId,
        /// The job.
        job: &'a str,
        /// Files in the library.
        files: u64,
        /// Items with at least one leg to do, each counted once.
        new: Amount,
    },
    /// What a destination has to do.
    Planned {
        /// The destination.
        destination: &'a str,
        /// To be sent.
        send: Amount,
    },
    /// A destination waits or stopped; it is not an error of the run.
    Waiting {
        /// The destination.
        destination: &'a str,
        /// Why.
        code: Code,
        /// For people.
        message: &'a str,
    },
    /// A destination cannot go on in this run.
    Stopped {
        /// The destination.
        destination: &'a str,
        /// Why.
        code: Code,
        /// For people.
        message: &'a str,
    },
    /// A destination that had stopped goes on: somebody has signed in again. What is to be sent there is planned anew.
    Resumed {
        /// The destination.
        destination: &'a str,
    },
    /// Bytes went to a destination.
    Sent {
        /// The destination.
        destination: &'a str,
        /// How many.
        bytes: u64,
    },
    /// A copy is stored, durable and recorded.
    Copied {
        /// The destination.
        destination: &'a str,
        /// The item.
        key: &'a Key,
        /// Its size.
        bytes: u64,
        /// How well we know.
        proof: Proof,
        /// It was moved on the destination's own side instead of being sent.
        moved: bool,
    },
    /// A dry run would send this.
    Intended {
        /// The destination.
        destination: &'a str,
        /// The item.
        key: &'a Key,
        /// Its size.
        bytes: u64,
        /// Why it would be held back instead.
        hold: Option<Code>,
    },
    /// Something was removed into the destination's trash.
    Removed {
        /// The destination.
        destination: &'a str,
        /// What it was in the library.
        key: &'a Key,
    },
    /// A named problem.
    Problem {
        /// What.
        problem: &'a Problem,
        /// Whether trying again may help.
        retry: Retry,
    },
}

/// Listens to a run. Called from several tasks; must not block.
pub trait Monitor: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &Event<'_>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn event(&self, _: &Event<'_>) {}
}
