//! Access tokens: fetched with the refresh token shortly before they are needed, by one caller for all.
//!
//! Invariant: at most one refresh is under way. A sign-in that the service has ended is not tried again.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_core::secret::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::pace::Pace;
use crate::trouble::Trouble;

/// A token is renewed so long before its end.
const EARLY: Duration = Duration::from_mins(5);
/// Longest answer of the token endpoint that is read.
const LIMIT: usize = 64 * 1024;

/// How a token is come by.
#[derive(Debug)]
pub(crate) enum Source {
    /// It was handed in and holds as long as it holds.
    Fixed(Secret),
    /// With a refresh token, for the app of this key.
    Refresh { app_key: String, token: Secret },
}

#[derive(Debug)]
pub(crate) struct Tokens {
    source: Source,
    /// `https://api.dropboxapi.com/oauth2/token`.
    address: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<(Secret, Duration)>,
    ended: Option<Error>,
}

/// What the token endpoint answers.
#[derive(Deserialize)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    #[serde(default)]
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: Option<String>,
}

impl Tokens {
    pub(crate) fn new(source: Source, api: &str) -> Self {
        let address = format!("{api}/oauth2/token");
        Self { source, address, state: Mutex::default() }
    }

    /// A token that is good for a while.
    ///
    /// # Errors
    /// [`Kind::SignIn`] if the service has ended the sign-in; what keeps the token endpoint from answering.
    pub(crate) async fn get(&self, http: &dyn HttpTransport, pace: &Pace) -> Result<Secret> {
        let (app_key, refresh) = match &self.source {
            Source::Fixed(token) => {
                let ended = &self.state.lock().await.ended;
                return ended
                    .as_ref()
                    .map_or_else(|| Ok(token.clone()), |ended| Err(ended.duplicate()));
            }
            Source::Refresh { app_key, token } => (app_key, token),
        };
        let mut state = self.state.lock().await;
        if let Some(ended) = &state.ended {
            return Err(ended.duplicate());
        }
        let now = pace.clock().elapsed();
        if let Some((token, until)) = &state.current
            && now < *until
        {
            return Ok(token.clone());
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("client_id", app_key),
        ];
        let granted = match ask(http, pace, &self.address, &form, "renewing the sign-in").await {
            Ok(granted) => granted,
            Err(error) => {
                if error.kind() == Kind::SignIn {
                    state.ended = Some(error.duplicate());
                }
                return Err(error);
            }
        };
        let life = Duration::from_secs(granted.expires_in);
        let token = Secret::new(granted.access_token);
        let good_for = life.saturating_sub(EARLY.min(life / 2));
        state.current = Some((token.clone(), now + good_for));
        Ok(token)
    }

    /// Notes that the service says `token` is over: the next caller fetches another.
    pub(crate) async fn expired(&self, token: &Secret) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|(current, _)| current == token) {
            state.current = None;
        }
    }

    /// Whether another token can be had.
    pub(crate) fn renews(&self) -> bool {
        matches!(self.source, Source::Refresh { .. })
    }

    /// Notes that the sign-in has ended for good.
    pub(crate) async fn end(&self, error: &Error) {
        self.state.lock().await.ended = Some(error.duplicate());
    }
}

/// Asks the token endpoint.
///
/// # Errors
/// [`Kind::SignIn`] if it refuses; what keeps it from answering.
pub(crate) async fn ask(
    http: &dyn HttpTransport,
    pace: &Pace,
    address: &str,
    form: &[(&str, &str)],
    doing: &str,
) -> Result<Granted> {
    pace.enter().await?;
    let internal = |_| Error::new(Kind::Internal, format!("{doing}: a bad request"));
    let request = Request::builder()
        .method(Method::POST)
        .uri(address)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(HttpBody::Whole(Bytes::from(encode_form(form))))
        .map_err(internal)?;
    let (head, body) = http.send(request).await?.into_parts();
    let body = body.collect(LIMIT).await?;
    if head.status.is_success() {
        // The answer holds secrets: not even the reason why it cannot be read is told.
        return serde_json::from_slice(&body).map_err(|_| {
            Error::new(Kind::Protocol, format!("{doing}: the answer makes no sense"))
        });
    }
    let trouble = Trouble::of_answer(head.status, &head.headers, &body, doing);
    if let safelight_core::error::Retry::After(wait) = trouble.error.retry_advice() {
        pace.refused(wait);
    }
    // `invalid_grant` and its like: the user has unlinked the app, or the code was used before.
    Err(match head.status.as_u16() {
        400 | 401 => Error::new(Kind::SignIn, trouble.error.context()),
        _ => trouble.error,
    })
}

/// A form as browsers write it.
pub(crate) fn encode_form(form: &[(&str, &str)]) -> String {
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_escaped() {
        assert_eq!(encode_form(&[("a", "b c&d"), ("e", "é~")]), "a=b%20c%26d&e=%C3%A9~");
    }
}
