//! Who is signed in, and how that ends.

use std::time::Duration;

use http::Request;
use safelight_sandbox::amazon::Expiry;
use serde_json::json;

use crate::support::{BROWSER, Web, md5, photo};

#[tokio::test]
async fn the_cookies_of_the_country_open_it() {
    let web = Web::with(|behaviour| behaviour.country = "co.uk".into()).await;
    let names: Vec<_> = web.cookies().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["session-id", "ubid-acbuk", "at-acbuk"]);
    assert!(web.sandbox.cookies().expose().contains("\n.amazon.co.uk\tTRUE\t/\tTRUE\t"));
    assert_eq!(web.get("account/info").await.json()["status"], "ACTIVE");
    assert!(!format!("{:?}", web.sandbox.cookies()).contains(&web.cookies()[2].1));
}

#[tokio::test]
async fn without_cookies_or_with_underscores_each_host_refuses_in_its_own_words() {
    let mut web = Web::start().await;
    for (_, value) in &mut web.headers {
        *value = value.replace("ubid-main", "ubid_main").replace("at-main", "at_main");
    }
    let metadata = web.get("account/usage").await;
    assert_eq!(
        (metadata.status, metadata.json()),
        (401, json!({"Message": "No Auth Method Provided"}))
    );
    web.headers.truncate(1);
    let content = web.upload_older("x", "a.jpg", b"a").await;
    let told = content.json();
    assert_eq!((content.status, told["code"].as_str()), (401, Some("")));
    assert_eq!(told["message"], "No Auth Method Provided");
    assert!(told["logref"].is_string());
}

#[tokio::test]
async fn the_session_header_and_a_browser_are_asked_for() {
    let mut web = Web::start().await;
    let good = web.headers.clone();
    web.headers[1].1 = "130-0000000-0000000".into();
    assert_eq!(web.get("account/info").await.status, 401);
    web.headers.remove(1);
    assert_eq!(web.get("account/info").await.status, 401);
    web.headers = good;
    web.headers[0].1 = "curl/8".into();
    assert_eq!(web.get("account/info").await.status, 403);
}

#[tokio::test]
async fn an_access_token_opens_the_content_host_only_and_for_an_hour() {
    let web = Web::start().await;
    let root = web.root().await;
    let token = web.send(Request::get(web.sandbox.token_url()), Vec::new()).await.json();
    assert_eq!(token["duration"], "3600");
    let token = token["access_token"].as_str().unwrap().to_owned();
    let upload = |name: &str, bytes: Vec<u8>| {
        let request = web.upload_request(&root, name, bytes.len(), "");
        let request = request.header("user-agent", BROWSER).header("x-amz-access-token", &token);
        web.bare(request.header("x-amzn-file-md5", md5(&bytes)), bytes)
    };
    assert_eq!(upload("a.jpg", photo("a")).await.unwrap().status, 201);
    let url = format!("{}/account/info", web.sandbox.metadata_url());
    let request = Request::get(url).header("user-agent", BROWSER);
    let metadata = web.bare(request.header("x-amz-access-token", &token), Vec::new()).await;
    assert_eq!(metadata.unwrap().status, 401);
    web.clock.skip(Duration::from_hours(1));
    assert_eq!(upload("b.jpg", photo("b")).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_session_ends_in_one_of_three_forms_and_only_new_cookies_help() {
    for (how, status) in
        [(Expiry::Unauthorized, 401), (Expiry::Forbidden, 403), (Expiry::SignInPage, 200)]
    {
        let mut web = Web::start().await;
        let root = web.root().await;
        web.sandbox.expire_after(1, how);
        assert_eq!(web.get("account/info").await.json()["status"], "ACTIVE");
        for _ in 0..2 {
            let dead = web.get("account/info").await;
            assert_eq!((dead.status, dead.json().is_object()), (status, status == 401));
            assert_eq!(dead.header("content-type").starts_with("text/html"), status != 401);
            let dead = web.upload(&root, "a.jpg", &photo("a"), "").await;
            assert_eq!((dead.status, dead.json()["id"].is_null()), (status, true));
        }
        assert_eq!(web.sandbox.counters().without_session, 4);
        web = web.restart().await;
        assert_eq!(web.get("account/info").await.status, status);
        web.sandbox.renew().await.unwrap();
        assert_eq!(web.get("account/info").await.status, status);
        web.sign_in();
        assert_eq!(web.upload(&root, "a.jpg", &photo("a"), "").await.status, 201);
    }
}

#[tokio::test]
async fn sessions_can_end_by_the_clock_and_for_writing_first() {
    let web = Web::with(|behaviour| {
        behaviour.session_life = Some(Duration::from_hours(48));
        behaviour.reads_outlive_session = true;
    })
    .await;
    let root = web.root().await;
    web.clock.skip(Duration::from_hours(48));
    assert_eq!(web.make_folder(&root, "new").await.status, 401);
    assert_eq!(web.get("account/info").await.status, 200);
    web.sandbox.behave(|behaviour| behaviour.reads_outlive_session = false);
    assert_eq!(web.get("account/info").await.status, 401);
}
