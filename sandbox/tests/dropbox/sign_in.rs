//! The pages and endpoints of OAuth, and tokens that are no longer good.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::service::{Reply, Service};

const VERIFIER: &str = "a-verifier-of-at-least-43-characters-is-needed~";
const BACK: &str = "http://localhost:53682/";

async fn authorize(service: &Service, more: &str) -> Reply {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let (url, key) = (service.sandbox.url(), service.sandbox.app_key());
    let url = format!(
        "{url}/oauth2/authorize?client_id={key}&response_type=code&token_access_type=offline\
         &code_challenge={challenge}&code_challenge_method=S256{more}"
    );
    service.send(Request::get(url), "").await
}

async fn token(service: &Service, form: &str) -> Reply {
    let url = format!("{}/oauth2/token", service.sandbox.url());
    let form = format!("client_id={}&{form}", service.sandbox.app_key());
    let request = Request::post(url).header("Content-Type", "application/x-www-form-urlencoded");
    service.send(request, form).await
}

/// The code that was sent back.
async fn code(service: &Service, more: &str) -> String {
    let back = "&redirect_uri=http%3A%2F%2Flocalhost%3A53682%2F";
    let sent = authorize(service, &format!("{back}&state=s%201{more}")).await;
    assert_eq!(sent.status, 302, "{}", sent.text());
    let query = sent.header("location").strip_prefix(BACK).unwrap();
    let code = query.strip_prefix("?code=").unwrap().strip_suffix("&state=s%201").unwrap();
    code.to_owned()
}

async fn exchange(service: &Service, code: &str, verifier: &str) -> Reply {
    let form = format!(
        "grant_type=authorization_code&code={code}&code_verifier={verifier}&redirect_uri={BACK}"
    );
    token(service, &form).await
}

async fn refresh(service: &Service, refresh_token: &str) -> Reply {
    token(service, &format!("grant_type=refresh_token&refresh_token={refresh_token}")).await
}

#[track_caller]
fn refused(reply: &Reply, error: &str) {
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!(error)));
}

#[track_caller]
fn signed_out(reply: &Reply, tag: &str) {
    assert_eq!((reply.status, &reply.json()["error"][".tag"]), (401, &json!(tag)));
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_by_its_owner() {
    let mut service = Service::start().await;
    let stolen = code(&service, "").await;
    refused(&exchange(&service, &stolen, "another-verifier").await, "invalid_grant");
    let code = code(&service, "").await;
    let signed_in = exchange(&service, &code, VERIFIER).await.ok();
    assert_eq!(signed_in["token_type"], "bearer");
    assert_eq!(signed_in["expires_in"], 14400);
    for field in ["scope", "uid", "account_id", "refresh_token"] {
        assert!(signed_in[field].is_string(), "{field}");
    }
    refused(&exchange(&service, &code, VERIFIER).await, "invalid_grant");
    service.token = signed_in["access_token"].as_str().unwrap().to_owned();
    service.rpc("users/get_current_account", Value::Null).await.ok();
    let again = refresh(&service, signed_in["refresh_token"].as_str().unwrap()).await.ok();
    assert!(again.get("refresh_token").is_none());
    service.token = again["access_token"].as_str().unwrap().to_owned();
    service.rpc("users/get_current_account", Value::Null).await.ok();
}

#[tokio::test]
async fn without_an_address_the_page_shows_the_code() {
    let service = Service::start().await;
    let page = authorize(&service, "").await;
    assert_eq!(page.status, 200);
    let code = page.text().split("<b>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let form = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
    token(&service, &form).await.ok();
}

#[tokio::test]
async fn the_user_may_say_no() {
    let service = Service::with(|behaviour| behaviour.deny_access = true).await;
    let sent = authorize(&service, "&redirect_uri=http://localhost:53682/&state=x").await;
    assert_eq!(sent.header("location"), format!("{BACK}?error=access_denied&state=x"));
}

#[tokio::test]
async fn the_way_back_must_be_registered_and_the_app_known() {
    let service = Service::start().await;
    let elsewhere = authorize(&service, "&redirect_uri=https://example.com/").await;
    assert_eq!(elsewhere.status, 400);
    let known = vec!["http://localhost:1/".to_owned()];
    service.sandbox.behave(|behaviour| behaviour.redirect_uris = known).await.unwrap();
    assert_eq!(authorize(&service, &format!("&redirect_uri={BACK}")).await.status, 400);
    let known = "&redirect_uri=http://localhost:1/";
    assert_eq!(authorize(&service, known).await.status, 302);
    let url = format!("{}/oauth2/token", service.sandbox.url());
    let form = "client_id=other&grant_type=refresh_token&refresh_token=x";
    refused(&service.send(Request::post(&url), form).await, "invalid_client");
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:", service.sandbox.app_key())));
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        service.sandbox.refresh_token().expose()
    );
    service.send(Request::post(&url).header("Authorization", basic), form).await.ok();
}

#[tokio::test]
async fn an_access_token_expires_and_a_session_outlives_it() {
    let mut service = Service::start().await;
    let refresh_token = service.sandbox.refresh_token().expose().to_owned();
    let renew = async |service: &mut Service| {
        let made = refresh(service, &refresh_token).await.ok();
        service.token = made["access_token"].as_str().unwrap().to_owned();
    };
    renew(&mut service).await;
    let id = service.session("1", true).await;
    service.clock.skip(Duration::from_hours(4));
    let late = service.rpc("users/get_space_usage", Value::Null).await;
    signed_out(&late, "expired_access_token");
    renew(&mut service).await;
    let argument = json!({"cursor": {"session_id": id, "offset": 1}, "commit": {"path": "/a"}});
    service.bytes("files/upload_session/finish", argument, "").await.ok();
    service.sandbox.expire_access_tokens();
    let late = service.rpc("users/get_space_usage", Value::Null).await;
    signed_out(&late, "expired_access_token");
    renew(&mut service).await;
    service.rpc("users/get_space_usage", Value::Null).await.ok();
}

#[tokio::test]
async fn revoking_ends_the_sign_in() {
    for by_hand in [false, true] {
        let service = Service::start().await;
        if by_hand {
            service.sandbox.unlink();
        } else {
            assert_eq!(service.rpc("auth/token/revoke", Value::Null).await.ok(), Value::Null);
        }
        let after = service.rpc("users/get_space_usage", Value::Null).await;
        signed_out(&after, "invalid_access_token");
        let token = service.sandbox.refresh_token().expose().to_owned();
        refused(&refresh(&service, &token).await, "invalid_grant");
    }
}

#[tokio::test]
async fn calls_need_a_token_with_the_right_scope() {
    let mut service = Service::start().await;
    let anonymous = Request::post(format!("{}/2/users/get_space_usage", service.sandbox.url()));
    let anonymous = anonymous.header("Content-Type", "application/json");
    service.send(anonymous, "null").await.bad("Authorization");
    let code = code(&service, "&scope=files.metadata.read%20files.content.read").await;
    let signed_in = exchange(&service, &code, VERIFIER).await.ok();
    assert_eq!(signed_in["scope"], "files.content.read files.metadata.read");
    let all = std::mem::replace(
        &mut service.token,
        signed_in["access_token"].as_str().unwrap().to_owned(),
    );
    service.rpc("files/list_folder", json!({"path": ""})).await.ok();
    let write = service.rpc("files/delete_v2", json!({"path": "/a"})).await;
    signed_out(&write, "missing_scope");
    assert_eq!(write.json()["error"]["required_scope"], "files.content.write");
    service.token = all;
    service.sandbox.limit_scopes(&["files.content.write"]);
    let space = service.rpc("users/get_space_usage", Value::Null).await;
    assert_eq!(space.json()["error"]["required_scope"], "account_info.read");
}
