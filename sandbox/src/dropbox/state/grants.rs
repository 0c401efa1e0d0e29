//! Who is signed in.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Store;
use super::record::Record;

/// One sign-in; it lives under its refresh token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dropbox) struct Grant {
    pub(in crate::dropbox) app_key: String,
    pub(in crate::dropbox) scopes: BTreeSet<String>,
    /// Access tokens made before this second are dead.
    pub(in crate::dropbox) dead_before: u64,
    /// How many access tokens were made.
    pub(in crate::dropbox) made: u64,
}

/// What an access token says; it survives a restart because it needs no memory.
#[derive(Debug, Serialize, Deserialize)]
struct Access {
    grant: String,
    number: u64,
    expires: i64,
}

/// How good an access token is.
#[derive(Debug)]
pub(in crate::dropbox) enum Standing {
    /// The sign-in, and the refresh token it lives under.
    Good(Grant, String),
    Expired,
    Invalid,
}

impl Store {
    pub(in crate::dropbox) fn grant(&self, refresh_token: &str) -> Option<&Grant> {
        self.grants.get(refresh_token)
    }

    pub(in crate::dropbox) fn sign_in(&mut self, refresh_token: &str, grant: Grant) {
        self.note(Record::Grant(refresh_token.to_owned(), grant.clone()));
        self.grants.insert(refresh_token.to_owned(), grant);
    }

    pub(in crate::dropbox) fn sign_out(&mut self, refresh_token: &str) {
        self.note(Record::GrantEnd(refresh_token.to_owned()));
        self.grants.remove(refresh_token);
    }

    pub(in crate::dropbox) fn sign_out_all(&mut self) {
        for token in self.grants.keys().cloned().collect::<Vec<_>>() {
            self.sign_out(&token);
        }
    }

    /// Every access token that was made is expired from now on.
    pub(in crate::dropbox) fn expire_all(&mut self) {
        for (token, mut grant) in self.grants.clone() {
            grant.dead_before = grant.made + 1;
            self.sign_in(&token, grant);
        }
    }

    /// Takes scopes away until only `scopes` are left.
    pub(in crate::dropbox) fn limit_scopes(&mut self, scopes: &[&str]) {
        for (token, mut grant) in self.grants.clone() {
            grant.scopes.retain(|scope| scopes.contains(&scope.as_str()));
            self.sign_in(&token, grant);
        }
    }

    /// A new access token, good for `life`.
    pub(in crate::dropbox) fn access_token(
        &mut self,
        refresh_token: &str,
        life: Duration,
    ) -> Option<String> {
        let mut grant = self.grants.get(refresh_token)?.clone();
        grant.made += 1;
        let number = grant.made;
        self.sign_in(refresh_token, grant);
        let expires = self.clock.now().plus(life).seconds();
        let access = Access { grant: refresh_token.to_owned(), number, expires };
        let token = serde_json::to_vec(&access).ok()?;
        Some(format!("sl.{}", URL_SAFE_NO_PAD.encode(token)))
    }

    /// Looks at an access token.
    pub(in crate::dropbox) fn standing(&self, token: &str) -> Standing {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("sl.")?).ok()?;
            let access: Access = serde_json::from_slice(&bytes).ok()?;
            Some((self.grants.get(&access.grant)?.clone(), access))
        };
        match read() {
            None => Standing::Invalid,
            Some((grant, access))
                if access.number < grant.dead_before
                    || access.expires <= self.clock.now().seconds() =>
            {
                Standing::Expired
            }
            Some((grant, access)) => Standing::Good(grant, access.grant),
        }
    }
}
