//! Ghosts, lost answers, limits of calls.

use std::time::Duration;

use http::Method;
use safelight_sandbox::amazon::RateLimit;
use safelight_sandbox::{Fault, Rule};

use crate::support::{Web, photo};

#[tokio::test]
async fn ghosts_are_stored_but_look_like_failures_and_are_the_same_every_time() {
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let web =
            Web::with(|behaviour| (behaviour.ghosts_per_thousand, behaviour.seed) = (300, 5)).await;
        let root = web.root().await;
        let mut statuses = Vec::new();
        for n in 0..40 {
            let reply = web.upload(&root, &format!("{n}.jpg"), &photo(&n.to_string()), "").await;
            statuses.push(reply.status);
        }
        let ghosts = statuses.iter().filter(|status| **status >= 500).count() as u64;
        let counters = web.sandbox.counters();
        assert_eq!((counters.stored, counters.ghosts), (40, ghosts));
        assert!((4..24).contains(&ghosts), "{ghosts}");
        let missing = statuses.iter().position(|status| *status >= 500).unwrap();
        let again = web.upload(&root, "again.jpg", &photo(&missing.to_string()), "").await;
        assert_eq!(again.status, 409);
        assert_eq!(web.list("nodes", "kind:FILE", "").await.count(), 40);
        rounds.push(statuses);
    }
    assert_eq!(rounds[0], rounds[1]);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_file_there() {
    let web = Web::start().await;
    let root = web.root().await;
    let lost = Rule::next(Fault::LoseAnswer).method(Method::POST).containing("/v2/upload");
    web.sandbox.traffic().inject(lost);
    let request = web.upload_request(&root, "a.jpg", 5, "");
    let request = request.header("x-amzn-file-md5", crate::support::md5(&photo("a")));
    assert!(web.try_send(request, photo("a")).await.is_none());
    assert_eq!(web.upload(&root, "a.jpg", &photo("a"), "").await.status, 409);
    assert_eq!(web.sandbox.counters().bytes_uploaded, 10);
}

#[tokio::test]
async fn too_many_calls_are_refused_and_those_that_do_not_wait_are_counted() {
    let limit = RateLimit { calls_per_second: 1, burst: 2, status: 503, retry_after: 30 };
    let web = Web::with(|behaviour| behaviour.rate_limit = Some(limit)).await;
    assert_eq!(web.get("account/info").await.status, 200);
    assert_eq!(web.get("account/info").await.status, 200);
    let refused = web.get("account/info").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"));
    assert_eq!(refused.json()["message"], "Rate exceeded");
    web.clock.skip(Duration::from_secs(10));
    let early = web.get("account/info").await;
    assert_eq!((early.status, early.header("retry-after")), (503, "20"));
    web.clock.skip(Duration::from_secs(21));
    assert_eq!(web.get("account/info").await.status, 200);
    let counters = web.sandbox.counters();
    assert_eq!((counters.refused, counters.within_retry_after), (2, 1));
    assert_eq!((counters.metadata, web.sandbox.calls("GET account/info")), (5, 5));
    web.sandbox.behave(|behaviour| behaviour.rate_limit = None);
    web.sandbox.refuse_for(Duration::from_mins(1), 429);
    assert_eq!(web.get("account/info").await.status, 429);
    web.sandbox.forget();
    assert_eq!((web.sandbox.counters().refused, web.sandbox.traffic().total()), (0, 0));
}

#[tokio::test]
async fn bytes_that_do_not_all_arrive_are_not_stored() {
    let web = Web::start().await;
    let root = web.root().await;
    let (host, path) = {
        let url = web.upload_request(&root, "a.jpg", 100, "");
        let url = url.uri_ref().unwrap().clone();
        (url.authority().unwrap().to_string(), url.path_and_query().unwrap().to_string())
    };
    let mut socket = std::net::TcpStream::connect(&host).unwrap();
    let headers: Vec<_> =
        web.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{headers}x-amzn-file-md5: {}\r\ncontent-length: 100\r\n\r\nhalf",
        "0".repeat(32)
    );
    std::io::Write::write_all(&mut socket, head.as_bytes()).unwrap();
    drop(socket);
    assert_eq!(web.list("nodes", "kind:FILE", "").await.count(), 0);
    web.sandbox.stop().await;
    assert_eq!(std::fs::read_dir(web.folder.path().join(".state/incoming")).unwrap().count(), 0);
}
