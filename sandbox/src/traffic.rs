//! What a stand-in saw, and what it shall spoil.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Uri};

use crate::faults::Fault;

/// A handle on the requests of one stand-in; clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<String, u64>,
    lines: Vec<String>,
    rules: Vec<Rule>,
}

/// Which requests to spoil, and how.
#[derive(Debug, Clone)]
pub struct Rule {
    method: Option<Method>,
    containing: Option<String>,
    skip: u64,
    times: u64,
    fault: Fault,
}

impl Rule {
    /// Spoils the next request.
    pub fn next(fault: Fault) -> Self {
        Self { method: None, containing: None, skip: 0, times: 1, fault }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests whose path and query contain `part`.
    #[must_use]
    pub fn containing(mut self, part: &str) -> Self {
        self.containing = Some(part.to_owned());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Spoils this many requests instead of one.
    #[must_use]
    pub fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    fn matches(&self, method: &Method, target: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.containing.as_ref().is_none_or(|part| target.contains(part))
    }
}

impl Traffic {
    /// From now on spoils what `rule` says. Of several rules the oldest that matches and is not used up counts.
    pub fn inject(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// Spoils nothing any more.
    pub fn heal(&self) {
        self.state().rules.clear();
    }

    /// How many requests came with this method since the start or the last [`Traffic::forget`].
    pub fn count(&self, method: &Method) -> u64 {
        self.state().counts.get(method.as_str()).copied().unwrap_or(0)
    }

    /// How many requests came in all.
    pub fn total(&self) -> u64 {
        self.state().counts.values().sum()
    }

    /// Method, path and query of every request, in the order of their arrival.
    pub fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    /// Counts anew from zero.
    pub fn forget(&self) {
        let mut state = self.state();
        state.counts.clear();
        state.lines.clear();
    }

    /// Counts one request and says what shall become of it.
    pub(crate) fn note(&self, method: &Method, uri: &Uri) -> Option<Fault> {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let mut state = self.state();
        *state.counts.entry(method.to_string()).or_default() += 1;
        state.lines.push(format!("{method} {target}"));
        let rule =
            state.rules.iter_mut().find(|rule| rule.times > 0 && rule.matches(method, target))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
