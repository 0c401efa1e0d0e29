//! The suite that every provider must pass: built in, experimental or a third party's.
//!
//! Cases are chosen by what the provider declares: what it declares must hold, what it does not declare must
//! answer `Unsupported`. Each case gets a destination of its own, so that a failure in one cannot hide or
//! cause another. The suite prints nothing and has no state.

mod bench;
mod broken;
mod dropped;
mod list;
mod names;
mod put;
mod read;
mod relocate;
mod remove;
mod standing;

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use safelight_core::provider::Provider;
use safelight_core::time::Clock;

use self::bench::{Bench, Miss, Verdict};
use crate::clock::SimClock;

/// How long one case may take by the subject's clock before it counts as hanging.
const CASE_LIMIT: Duration = Duration::from_mins(10);

/// One empty destination to be tried.
pub struct Subject {
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    simulated: Option<Arc<SimClock>>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// A provider that was opened with this simulated clock. The clock may follow a running tokio clock.
    pub fn new(provider: Arc<dyn Provider>, clock: Arc<SimClock>) -> Self {
        Self { provider, clock: clock.clone(), simulated: Some(clock), guard: None }
    }

    /// A provider with a clock that cannot be moved; cases that need time to pass do not apply to it.
    pub fn with_fixed_clock(provider: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        Self { provider, clock, simulated: None, guard: None }
    }

    /// Keeps `guard` until the case is over: a temporary folder, a server.
    #[must_use]
    pub fn holding(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The contract holds.
    Passed,
    /// It does not, and why.
    Failed(String),
    /// The provider does not declare what the case is about.
    NotApplicable(String),
}

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// Topic and name, such as `put::create_refuses_what_exists`.
    pub name: &'static str,
    /// What became of it.
    pub finding: Finding,
}

/// What became of all cases.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// In the order in which they ran.
    pub cases: Vec<CaseResult>,
}

impl Outcome {
    /// The names of the cases that failed, with the reasons.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cases.iter().filter_map(|case| match &case.finding {
            Finding::Failed(why) => Some((case.name, why.as_str())),
            Finding::Passed | Finding::NotApplicable(_) => None,
        })
    }

    /// The test passes only if no case failed.
    ///
    /// # Panics
    /// If one failed; the message lists all that did.
    pub fn assert(&self) {
        self.assert_except(&[]);
    }

    /// Like [`Outcome::assert`], for a provider that is known to break some cases: pairs of a case's name and
    /// the reason. An exception whose case does not fail any more is a failure too, so that none outlives its
    /// reason.
    ///
    /// # Panics
    /// If any other case failed, or a listed one did not.
    pub fn assert_except(&self, known: &[(&str, &str)]) {
        let expected = |name: &str| known.iter().any(|(case, _)| *case == name);
        let mut wrong: Vec<String> = self
            .failures()
            .filter(|(name, _)| !expected(name))
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        for (case, reason) in known {
            if !self.failures().any(|(name, _)| name == *case) {
                wrong.push(format!("{case}: does not fail any more (was expected: {reason})"));
            }
        }
        assert!(!self.cases.is_empty(), "no case was run");
        assert!(wrong.is_empty(), "{} cases went wrong\n  {}", wrong.len(), wrong.join("\n  "));
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            match &case.finding {
                Finding::Passed => writeln!(f, "passed          {}", case.name)?,
                Finding::Failed(why) => writeln!(f, "FAILED          {}: {why}", case.name)?,
                Finding::NotApplicable(why) => writeln!(f, "not applicable  {}: {why}", case.name)?,
            }
        }
        Ok(())
    }
}

/// One check of the contract.
struct Case {
    name: &'static str,
    check: for<'a> fn(&'a Bench) -> BoxFuture<'a, Verdict>,
}

/// Makes the table of cases of one topic from the names of its functions.
macro_rules! cases {
    ($topic:literal: $($check:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: concat!($topic, "::", stringify!($check)),
            check: |bench| Box::pin($check(bench)),
        }),*];
    };
}
use cases;

const TOPICS: &[&[Case]] = &[
    standing::CASES,
    put::CASES,
    broken::CASES,
    dropped::CASES,
    read::CASES,
    list::CASES,
    names::CASES,
    remove::CASES,
    relocate::CASES,
];

/// Runs every case. `fresh` opens an empty destination each time it is called.
pub async fn run(fresh: impl AsyncFn() -> Subject) -> Outcome {
    run_chosen(fresh, |_| true).await
}

/// Runs the cases whose name `choose` says yes to.
pub async fn run_chosen(
    fresh: impl AsyncFn() -> Subject,
    choose: impl Fn(&str) -> bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    for case in TOPICS.iter().copied().flatten().filter(|case| choose(case.name)) {
        let bench = Bench::new(fresh().await);
        let finding = find(&bench, case).await;
        outcome.cases.push(CaseResult { name: case.name, finding });
    }
    outcome
}

async fn find(bench: &Bench, case: &Case) -> Finding {
    let check = AssertUnwindSafe((case.check)(bench)).catch_unwind();
    match select(check, bench.clock().sleep(CASE_LIMIT)).await {
        Either::Left((Ok(Ok(())), _)) => Finding::Passed,
        Either::Left((Ok(Err(Miss::Failed(why))), _)) => Finding::Failed(why),
        Either::Left((Ok(Err(Miss::NotApplicable(why))), _)) => {
            Finding::NotApplicable(why.to_owned())
        }
        Either::Left((Err(_), _)) => Finding::Failed("the provider panicked".to_owned()),
        Either::Right(_) => Finding::Failed(format!("no end after {CASE_LIMIT:?}")),
    }
}
