//! What one operation of ours learns from the requests that OpenDAL makes for it.
//!
//! OpenDAL gives back neither status nor headers, so every operation gets an HTTP transport of its own that
//! writes them down here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{StatusCode, Uri};
use safelight_core::digest::Algorithm;
use safelight_core::error::Error;
use safelight_core::provider::Proof;

use crate::errors::Refusal;

/// How the requests of one operation are to be treated.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// MOVE and COPY must not replace what stands at the target; OpenDAL always lets them.
    pub(crate) keep_target: bool,
    /// Several requests run at once, so the failed one need not be the last.
    pub(crate) parallel: bool,
}

/// The record of one operation.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) manner: Manner,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    last: Option<Failure>,
    earlier: Option<Failure>,
    status: Option<StatusCode>,
    listed: Option<Uri>,
    checks: Checks,
}

/// Why a request did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service said no.
    Refused(Refusal),
    /// There was no answer, or it broke off.
    Broken(Error),
}

impl Clone for Failure {
    fn clone(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Broken(error) => Self::Broken(error.duplicate()),
        }
    }
}

/// What the service said about the bodies it received.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Bodies that were sent to be stored.
    pub(crate) sent: u32,
    /// Bodies whose checksum the service gave back.
    pub(crate) crc32c: u32,
    /// Bodies whose MD5 the service gave back as etag.
    pub(crate) md5: u32,
    /// The service computed another checksum than was sent.
    pub(crate) differs: bool,
}

impl Checks {
    /// What these answers prove of everything that was sent: each single body must be vouched for.
    pub(crate) fn proof(&self) -> Option<Proof> {
        if self.sent == 0 || self.differs || self.crc32c + self.md5 < self.sent {
            None
        } else if self.md5 == 0 {
            Some(Proof::ServerHash(Algorithm::Crc32c))
        } else {
            Some(Proof::ServerHash(Algorithm::Md5))
        }
    }
}

impl Call {
    pub(crate) fn new(manner: Manner) -> Self {
        Self { manner, facts: Mutex::default() }
    }

    /// The failure that ended the operation, if it was one of a request.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let facts = self.facts();
        let earlier = if self.manner.parallel { facts.earlier.as_ref() } else { None };
        facts.last.as_ref().or(earlier).cloned()
    }

    /// The status of the last answer.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.facts().status
    }

    /// What the service said about the bodies so far.
    pub(crate) fn checks(&self) -> Checks {
        self.facts().checks.clone()
    }

    pub(crate) fn succeeded(&self, status: StatusCode) {
        let mut facts = self.facts();
        facts.status = Some(status);
        facts.last = None;
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        let mut facts = self.facts();
        facts.status = Some(refusal.status);
        facts.earlier = Some(Failure::Refused(refusal.clone()));
        facts.last = Some(Failure::Refused(refusal));
    }

    pub(crate) fn broke(&self, error: &Error) {
        let mut facts = self.facts();
        facts.earlier = Some(Failure::Broken(error.duplicate()));
        facts.last = Some(Failure::Broken(error.duplicate()));
    }

    /// Notes the address of a page of a listing; false if it is the one asked for just before.
    pub(crate) fn goes_on(&self, page: &Uri) -> bool {
        let mut facts = self.facts();
        let goes_on = facts.listed.as_ref() != Some(page);
        facts.listed = Some(page.clone());
        goes_on
    }

    pub(crate) fn check(&self, note: impl FnOnce(&mut Checks)) {
        note(&mut self.facts().checks);
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_service_vouches_for_body_by_body_is_proof() {
        let crc = Some(Proof::ServerHash(Algorithm::Crc32c));
        let md5 = Some(Proof::ServerHash(Algorithm::Md5));
        let cases = [
            ((0, 0, 0, false), None),
            ((1, 0, 0, false), None),
            ((1, 1, 0, false), crc),
            ((1, 0, 1, false), md5),
            ((3, 3, 0, false), crc),
            ((3, 2, 1, false), md5),
            ((3, 2, 0, false), None),
            ((3, 3, 0, true), None),
        ];
        for ((sent, crc32c, md5, differs), proof) in cases {
            let checks = Checks { sent, crc32c, md5, differs };
            assert_eq!(checks.proof(), proof, "{checks:?}");
        }
    }
}
