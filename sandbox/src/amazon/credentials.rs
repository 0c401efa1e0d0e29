//! Cookies and access tokens: who is signed in, and how that ends.
//!
//! Invariant: a session that has ended never comes back; new cookies are a new session.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use super::behaviour::{Behaviour, Expiry};

/// How long an access token is good, in milliseconds.
const TOKEN_LIFE: i64 = 3_600_000;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// Not signed in; it shows in this way.
    Out(Expiry),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    id: String,
    ubid: String,
    at: String,
    born: i64,
    ended: Option<Expiry>,
    /// How the session before this one ended.
    before: Expiry,
}

/// The sessions of one account, on disk as soon as [`Credentials::save`] is called.
#[derive(Debug)]
pub(super) struct Credentials {
    path: PathBuf,
    session: Session,
    /// After that many more calls the session ends so.
    fuse: Option<(u64, Expiry)>,
    tokens: HashMap<String, i64>,
}

impl Credentials {
    /// Those that an earlier stand-in left in `folder`, or new ones.
    pub(super) fn open(folder: &Path, now: i64) -> io::Result<Self> {
        let path = folder.join("session.json");
        let session = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Session::begin(now, Expiry::Unauthorized)?
            }
            Err(error) => return Err(error),
        };
        let credentials = Self { path, session, fuse: None, tokens: HashMap::new() };
        credentials.save()?;
        Ok(credentials)
    }

    /// Writes down what is to survive a restart.
    pub(super) fn save(&self) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(&self.session)?)?;
        fs::rename(fresh, &self.path)
    }

    /// A new session; the one before is over.
    pub(super) fn renew(&mut self, now: i64) -> io::Result<()> {
        let before = self.session.ended.unwrap_or(Expiry::Unauthorized);
        self.session = Session::begin(now, before)?;
        self.fuse = None;
        self.tokens.clear();
        Ok(())
    }

    /// The session ends after this many more calls.
    pub(super) fn end_after(&mut self, calls: u64, how: Expiry) {
        self.fuse = Some((calls, how));
    }

    /// Names and values of the cookies.
    pub(super) fn cookies(&self, country: &str) -> [(String, String); 3] {
        let suffix = suffix(country);
        let session = &self.session;
        [
            ("session-id".to_owned(), session.id.clone()),
            (format!("ubid-{suffix}"), session.ubid.clone()),
            (format!("at-{suffix}"), session.at.clone()),
        ]
    }

    /// An access token for the content host, and how many seconds it is good.
    pub(super) fn token(&mut self, now: i64) -> io::Result<(String, i64)> {
        let token = format!("Atza|{}", random_word(40)?);
        self.tokens.insert(token.clone(), now + TOKEN_LIFE);
        Ok((token, TOKEN_LIFE / 1000))
    }

    /// Whether a request with these headers comes from the member. `takes_tokens`: it came to the content host.
    pub(super) fn look(
        &mut self,
        headers: &HeaderMap,
        takes_tokens: bool,
        reads: bool,
        now: i64,
        behaviour: &Behaviour,
    ) -> Standing {
        let given = cookies_of(headers);
        let wanted = self.cookies(&behaviour.country);
        let right = wanted.iter().all(|(name, value)| given.get(name) == Some(value));
        let header = headers.get("x-amzn-sessionid").and_then(|value| value.to_str().ok());
        let by_cookie = right && header == Some(&self.session.id);
        let token = headers.get("x-amz-access-token").and_then(|value| value.to_str().ok());
        let until = token.and_then(|token| self.tokens.get(token));
        let by_token = takes_tokens && until.is_some_and(|until| now < *until);
        if !by_cookie && !by_token {
            let complete = wanted.iter().all(|(name, _)| given.contains_key(name));
            // Cookies of a session that is over show how it ended; what never was one is a plain 401.
            let stale = complete && !right;
            return Standing::Out(if stale { self.session.before } else { Expiry::Unauthorized });
        }
        match self.burn(now, behaviour) {
            Some(how) if !(reads && behaviour.reads_outlive_session) => Standing::Out(how),
            _ => Standing::Good,
        }
    }

    /// How the session has ended, if it has.
    fn burn(&mut self, now: i64, behaviour: &Behaviour) -> Option<Expiry> {
        if let Some((calls, how)) = &mut self.fuse {
            if *calls == 0 {
                self.session.ended.get_or_insert(*how);
            }
            *calls = calls.saturating_sub(1);
        }
        let life = behaviour.session_life.and_then(|life| i64::try_from(life.as_millis()).ok());
        if life.is_some_and(|life| now >= self.session.born.saturating_add(life)) {
            self.session.ended.get_or_insert(behaviour.session_end);
        }
        self.session.ended
    }
}

impl Session {
    fn begin(now: i64, before: Expiry) -> io::Result<Self> {
        let digits = || -> io::Result<String> {
            let word = random_word(14)?;
            let digits: String = word.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
            Ok(format!("{}-{}-{}", &digits[..3], &digits[3..10], &digits[10..17]))
        };
        let (id, ubid) = (digits()?, digits()?);
        let at = format!("Atza|{}", random_word(60)?);
        Ok(Self { id, ubid, at, born: now, ended: None, before })
    }
}

/// `main` at home, `acbuk` for `co.uk`.
fn suffix(country: &str) -> String {
    match country.rsplit('.').next() {
        Some("com") | None => "main".to_owned(),
        Some(country) => format!("acb{country}"),
    }
}

/// The cookies that a request carries.
fn cookies_of(headers: &HeaderMap) -> HashMap<String, String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

/// Hex digits that nobody can guess.
pub(super) fn random_word(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_their_own_cookie_names() {
        let names = ["com", "de", "co.uk", "co.jp"].map(suffix);
        assert_eq!(names, ["main", "acbde", "acbuk", "acbjp"]);
    }
}
