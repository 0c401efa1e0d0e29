//! Signing in: the page that asks, and the endpoint that hands out tokens.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::errors::{Failure, reply, text};
use super::routes::all_scopes;
use super::service::Service;
use super::state::Grant;
use super::users::ACCOUNT;
use super::{APP_KEY, random_word};
use crate::form::{Fields, encode};
use crate::loopback::Answer;

/// Codes that were shown and not yet used, with what they were asked for.
pub(super) type Codes = BTreeMap<String, Fields>;

/// `GET /oauth2/authorize`: as if the user had clicked at once.
pub(super) fn authorize(service: &Service, uri: &Uri) -> Result<Answer, Failure> {
    let asked = Fields::read(uri.query().unwrap_or(""));
    let field = |name| asked.get(name).unwrap_or_default();
    let page = |why: &str| Ok(text(StatusCode::BAD_REQUEST, why.into()));
    if field("client_id") != APP_KEY {
        return page("Invalid client_id: this app is not known.");
    }
    if field("response_type") != "code" {
        return page("response_type: only \"code\" is known.");
    }
    if field("code_challenge_method") != "S256" || field("code_challenge").len() != 43 {
        return page("code_challenge: one made with S256 is needed.");
    }
    let behaviour = service.behaviour();
    let back = asked.get("redirect_uri");
    let allowed = |uri: &str| match behaviour.redirect_uris.as_slice() {
        [] => ["http://localhost:", "http://127.0.0.1:"].iter().any(|here| uri.starts_with(here)),
        known => known.iter().any(|one| one == uri),
    };
    if back.is_some_and(|back| !allowed(back)) {
        return page("Invalid redirect_uri: it must be one that the app has registered.");
    }
    let state = asked.get("state").map(|state| format!("&state={}", encode(state)));
    let state = state.unwrap_or_default();
    if behaviour.deny_access {
        return match back {
            Some(back) => Ok(redirect(back, &format!("error=access_denied{state}"))),
            None => Ok(text(StatusCode::OK, "Access was denied.".into())),
        };
    }
    let code = random_word().map_err(Failure::Broken)?;
    let answer = match back {
        Some(back) => redirect(back, &format!("code={code}{state}")),
        None => code_page(&code),
    };
    service.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code, asked);
    Ok(answer)
}

fn redirect(back: &str, query: &str) -> Answer {
    let mut answer = text(StatusCode::FOUND, String::new());
    let joint = if back.contains('?') { '&' } else { '?' };
    if let Ok(to) = HeaderValue::from_str(&format!("{back}{joint}{query}")) {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    answer
}

fn code_page(code: &str) -> Answer {
    let page = format!("<!doctype html><title>Access code</title><p>Your code: <b>{code}</b>\n");
    let mut answer = text(StatusCode::OK, page);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, html);
    answer
}

/// `POST /oauth2/token`.
pub(super) async fn token(
    service: &Service,
    headers: &HeaderMap,
    body: &str,
) -> Result<Answer, Failure> {
    let form = Fields::read(body);
    let field = |name| form.get(name).unwrap_or_default();
    let basic = basic_user(headers);
    if basic.as_deref().unwrap_or(field("client_id")) != APP_KEY {
        return Err(Failure::OAuth("invalid_client", "this app is not known".into()));
    }
    match field("grant_type") {
        "authorization_code" => exchange(service, &form).await,
        "refresh_token" => refresh(service, field("refresh_token")).await,
        other => Err(Failure::OAuth("unsupported_grant_type", format!("unknown: {other:?}"))),
    }
}

fn basic_user(headers: &HeaderMap) -> Option<String> {
    let basic = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
    Some(pair.split(':').next().unwrap_or_default().to_owned())
}

async fn exchange(service: &Service, form: &Fields) -> Result<Answer, Failure> {
    let field = |name| form.get(name).unwrap_or_default();
    let asked = {
        let mut codes = service.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(field("code"))
    };
    let wrong = |why: &str| Err(Failure::OAuth("invalid_grant", why.into()));
    let Some(asked) = asked else { return wrong("code doesn't exist or has expired") };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    if asked.get("code_challenge") != Some(&*challenge) {
        return wrong("invalid code verifier");
    }
    if asked.get("redirect_uri") != form.get("redirect_uri") {
        return wrong("redirect_uri mismatch");
    }
    let scopes = asked.get("scope").map(|scope| scope.split(' ').map(str::to_owned).collect());
    let scopes = scopes.unwrap_or_else(all_scopes);
    let scope = scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let grant = Grant { app_key: APP_KEY.into(), scopes, dead_before: 0, made: 0 };
    let refresh_token = random_word().map_err(Failure::Broken)?;
    let made = service
        .with({
            let refresh_token = refresh_token.clone();
            move |store| {
                store.sign_in(&refresh_token, grant);
                let life = store.behaviour.token_life;
                store.access_token(&refresh_token, life).map(|token| (token, life))
            }
        })
        .await?;
    let Some((access_token, life)) = made else { return wrong("the sign-in is gone") };
    let mut answer = json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": life.as_secs(),
        "scope": scope,
        "uid": "1000001",
        "account_id": ACCOUNT,
    });
    if asked.get("token_access_type") == Some("offline") {
        answer["refresh_token"] = refresh_token.into();
    }
    Ok(reply(StatusCode::OK, &answer))
}

async fn refresh(service: &Service, refresh_token: &str) -> Result<Answer, Failure> {
    let token = refresh_token.to_owned();
    let made = service
        .with(move |store| {
            let life = store.behaviour.token_life;
            store.access_token(&token, life).map(|token| (token, life))
        })
        .await?;
    let Some((access_token, life)) = made else {
        let why = "refresh token is invalid or revoked".into();
        return Err(Failure::OAuth("invalid_grant", why));
    };
    let expires_in = life.as_secs();
    let answer = json!({
        "access_token": access_token, "token_type": "bearer", "expires_in": expires_in,
    });
    Ok(reply(StatusCode::OK, &answer))
}
