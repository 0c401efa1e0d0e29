//! Downloads.

use std::time::Duration;

use futures::StreamExt;
use http::Request;
use safelight_core::http::{HttpBody, HttpTransport};
use safelight_sandbox::{Fault, Rule};

use crate::support::{OWNER, Reply, Web, encode, photo};

async fn redirect(web: &Web, id: &str) -> Reply {
    let suffix = encode("?download=true");
    web.get(&format!("nodes/{id}/contentRedirection?querySuffix={suffix}&ownerId={OWNER}")).await
}

#[tokio::test]
async fn a_redirect_leads_to_another_origin_that_wants_no_credentials() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "ä \"1\".jpg", &photo("a"), "").await.id();
    let there = redirect(&web, &id).await;
    let link = there.header("location").to_owned();
    assert_eq!(there.status, 302);
    assert!(link.starts_with(&web.sandbox.signed_url()) && link.ends_with("?download=true"));
    assert!(!web.sandbox.metadata_url().starts_with(&web.sandbox.signed_url()));
    let good = web.bare(Request::get(&link), Vec::new()).await.unwrap();
    assert_eq!((good.status, good.bytes), (200, photo("a")));
    assert_eq!(good.headers["content-disposition"], "attachment; filename=\"_ _1_.jpg\"");
    assert_eq!(web.sandbox.counters().credentials_on_signed_links, 0);
    let refused = web.send(Request::get(&link), Vec::new()).await;
    assert_eq!(refused.status, 400);
    let token = Request::get(&link).header("x-amz-access-token", "Atza|x");
    assert_eq!(web.bare(token, Vec::new()).await.unwrap().status, 400);
    let counters = web.sandbox.counters();
    assert_eq!((counters.credentials_on_signed_links, counters.signed), (2, 3));
    web.clock.skip(Duration::from_hours(1));
    let late = web.bare(Request::get(&link), Vec::new()).await.unwrap();
    assert_eq!(late.status, 403);
    assert!(late.text().contains("Request has expired"));
    let made_up = format!("{}/signed/0", web.sandbox.signed_url());
    assert_eq!(web.bare(Request::get(made_up), Vec::new()).await.unwrap().status, 403);
}

#[tokio::test]
async fn the_owner_has_to_be_named_and_folders_have_no_content() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert_eq!(web.get(&format!("nodes/{id}/contentRedirection")).await.status, 400);
    assert_eq!(redirect(&web, &root).await.status, 400);
    assert_eq!(redirect(&web, "AAAAAAAAAAAAAAAAAAAAAA").await.status, 404);
}

#[tokio::test]
async fn the_content_host_serves_parts() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("abcdef"), "").await.id();
    let url = format!("{}/cdproxy/nodes/{id}/content", web.sandbox.content_url());
    let part = async |range: &str| {
        let reply = web.send(Request::get(&url).header("range", range), Vec::new()).await;
        (reply.status, reply.header("content-range").to_owned(), reply.text())
    };
    assert_eq!(part("bytes=4-6").await, (206, "bytes 4-6/10".into(), "abc".into()));
    assert_eq!(part("bytes=7-").await, (206, "bytes 7-9/10".into(), "def".into()));
    assert_eq!(part("bytes=10-").await, (416, "bytes */10".into(), String::new()));
    let whole = web.send(Request::get(&url), Vec::new()).await;
    assert_eq!((whole.status, whole.bytes), (200, photo("abcdef")));
    let scaled = web.send(Request::get(format!("{url}?viewBox=100")), Vec::new()).await;
    assert!(scaled.bytes.starts_with(b"GIF89a"));
    let thumbnails = web.sandbox.thumbnails_url();
    let url = format!("{thumbnails}/v1/thumbnail/{id}?ownerId={OWNER}&viewBox=100");
    assert_eq!(web.send(Request::get(url), Vec::new()).await.bytes, scaled.bytes);
}

#[tokio::test]
async fn a_temporary_link_is_there_when_asked_for() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert!(web.get(&format!("nodes/{id}")).await.json().get("tempLink").is_none());
    let told = web.get(&format!("nodes/{id}?tempLink=true")).await.json();
    let link = told["tempLink"].as_str().unwrap();
    let got = web.bare(Request::get(link).header("range", "bytes=0-1"), Vec::new()).await.unwrap();
    assert_eq!((got.status, got.bytes), (206, photo("a")[..2].to_vec()));
}

#[tokio::test]
async fn downloads_can_be_cut_and_damaged() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("abcdef"), "").await.id();
    let link = redirect(&web, &id).await.header("location").to_owned();
    let fault = Rule::next(Fault::CutBody(3)).containing("/signed/");
    web.sandbox.traffic().inject(fault);
    assert!(web.bare(Request::get(&link), Vec::new()).await.is_none());
    let good = web.bare(Request::get(&link), Vec::new()).await.unwrap();
    assert_eq!(good.bytes, photo("abcdef"));
    // Damaged on the service's side, and the metadata does not know.
    web.sandbox.behave(|behaviour| behaviour.stale_digests = true);
    std::fs::write(web.plain("a.jpg"), photo("abcdeF")).unwrap();
    let bad = web.bare(Request::get(&link), Vec::new()).await.unwrap();
    assert_eq!(bad.bytes, photo("abcdeF"));
}

#[tokio::test]
async fn a_download_is_under_way_until_its_last_byte() {
    let web = Web::start().await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo(&"x".repeat(32 << 20)), "").await.id();
    let link = redirect(&web, &id).await.header("location").to_owned();
    assert_eq!(web.sandbox.counters().peak, 1);
    let request = Request::get(&link).body(HttpBody::empty()).unwrap();
    let download = web.transport.send(request).await.unwrap();
    web.get("account/info").await;
    assert_eq!(web.sandbox.counters().peak, 2);
    let chunks = download.into_body().into_stream();
    assert_eq!(
        chunks.map(|chunk| chunk.unwrap().len()).fold(0, async |a, b| a + b).await,
        4 + (32 << 20)
    );
}

#[tokio::test]
async fn without_a_socket_both_origins_answer_as_over_one() {
    let web = Web::start().await;
    let id = web.upload(&web.root().await, "a.jpg", &photo("a"), "").await.id();
    let link = redirect(&web, &id).await.header("location").to_owned();
    web.sandbox.forget();
    let direct = web.sandbox.direct();
    let answer = direct.send(Request::get(link).body(HttpBody::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.into_body().collect(100).await.unwrap(), photo("a"));
    let mut request = Request::get(format!("{}/nodes/{id}", web.sandbox.metadata_url()));
    for (name, value) in &web.headers {
        request = request.header(name, value);
    }
    let answer = direct.send(request.body(HttpBody::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let counters = web.sandbox.counters();
    assert_eq!((counters.signed, counters.metadata, web.sandbox.traffic().total()), (1, 1, 2));
}
