//! One transfer on its way, and which of them go together in a call.

use std::collections::{HashSet, VecDeque};

use safelight_core::error::{Error, Result};
use serde_json::Value;

use crate::names::fold;
use crate::transfer::Transfer;
use crate::wire::Metadata;

/// A transfer whose source was looked at.
pub(crate) struct Step {
    pub(crate) transfer: Transfer,
    /// The paths still to go, from the one where it is.
    pub(crate) way: VecDeque<(String, String)>,
    pub(crate) seen: Metadata,
    /// It is on its way back because of this.
    pub(crate) failed: Option<Error>,
}

pub(crate) enum Outcome {
    End(Box<Result<Metadata>>),
    On,
    Later,
}

impl Step {
    pub(crate) fn end(self, answer: Result<Metadata>) {
        let answer = match self.failed {
            Some(error) => Err(error),
            None => answer,
        };
        self.transfer.end(answer);
    }

    /// After a failure: ends, or goes back to where it came from.
    pub(crate) fn turn_back(&mut self, error: Error) -> Outcome {
        let half_way = self.failed.is_none()
            && self
                .way
                .front()
                .is_some_and(|(at, _)| self.transfer.source.paths().all(|path| path != *at));
        if !half_way {
            return Outcome::End(Box::new(Err(error)));
        }
        let at = self.way.pop_front().map(|(at, _)| at).unwrap_or_default();
        self.way = VecDeque::from([(at, self.transfer.source.path.clone())]);
        self.failed = Some(error);
        Outcome::On
    }
}

/// Splits off what would meet in one call: Dropbox refuses a batch in which a path occurs twice, or one within
/// another.
pub(crate) fn apart(steps: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
    let (mut taken, mut above) = (HashSet::new(), HashSet::new());
    steps.into_iter().partition(|step| {
        let Some((from, to)) = step.way.front() else { return true };
        let paths = [fold(from), fold(to)];
        let folders = |path: &str| -> Vec<String> {
            path.match_indices('/').skip(1).map(|(at, _)| path[..at].to_owned()).collect()
        };
        let meets = paths.iter().any(|path| {
            taken.contains(path)
                || above.contains(path)
                || folders(path).iter().any(|folder| taken.contains(folder))
        });
        if !meets {
            for path in paths {
                above.extend(folders(&path));
                taken.insert(path);
            }
        }
        !meets
    })
}

pub(crate) fn success(result: &Value) -> Option<Metadata> {
    (result.get(".tag").and_then(Value::as_str) == Some("success"))
        .then(|| serde_json::from_value(result.get("success")?.clone()).ok())?
}
