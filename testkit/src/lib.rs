//! What tests of Safelight and of foreign providers stand on.
//!
//! * [`conformance`]: the public suite that proves the contract of a provider.
//! * [`memory`]: a strict provider in memory, also to be used as a library that tests can edit.
//! * [`faulty`], [`slow`]: wrappers that make any provider fail, stall, die or drag, repeatably.
//! * [`clock`]: a clock that tests set and move, and one that runs fast.
//! * [`short`]: short forms of what tests do with a provider.
//! * [`generate`]: seeded trees of files with nasty names.
//!
//! Nothing here draws on chance or on the machine's time: the same seed gives the same run.
//!
//! # How to prove a provider of your own
//!
//! Hand [`conformance::run`] a closure that opens an empty destination each time it is called:
//!
//! ```
//! use std::sync::Arc;
//!
//! use safelight_testkit::clock::SimClock;
//! use safelight_testkit::conformance::{self, Subject};
//! use safelight_testkit::memory::MemoryProvider;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let outcome = conformance::run(async || {
//!     let clock = Arc::new(SimClock::start());
//!     // Here stands your own provider, opened with this clock.
//!     let provider = MemoryProvider::build("mine").clock(clock.clone()).finish();
//!     Subject::new(Arc::new(provider), clock)
//! })
//! .await;
//! outcome.assert();
//! # });
//! ```

pub mod clock;
pub mod conformance;
pub mod content;
pub mod faulty;
pub mod generate;
pub mod memory;
mod relay;
pub mod short;
pub mod slow;
