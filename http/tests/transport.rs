//! The transport against scripted servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use safelight_core::error::{Error, Kind, Retry};
use safelight_core::http::{HttpBody, HttpTransport, Patience};
use safelight_core::time::SystemClock;
use safelight_http::{Limits, ReqwestTransport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use wiremock::matchers::{body_bytes, header, header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn transport(idle: Duration) -> ReqwestTransport {
    let limits = Limits { idle, ..Limits::default() };
    ReqwestTransport::with_limits(Arc::new(SystemClock::start()), limits).unwrap()
}

fn usual() -> ReqwestTransport {
    ReqwestTransport::new(Arc::new(SystemClock::start())).unwrap()
}

async fn get(transport: &ReqwestTransport, url: &str) -> Result<Response<HttpBody>, Error> {
    transport.send(Request::get(url).body(HttpBody::empty()).unwrap()).await
}

/// Answers every connection with `answer` and then keeps it open without a word.
async fn stalling_server(answer: &'static [u8]) -> (String, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path?token=canary", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer).await;
            open.push(socket);
        }
    });
    (url, tasks)
}

/// Answers `together` requests at a time, none of them before all are there; counts connections.
async fn patient_server(together: usize) -> (String, Arc<AtomicUsize>, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (connections, all) = (Arc::<AtomicUsize>::default(), Arc::new(Barrier::new(together)));
    let counted = Arc::clone(&connections);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let all = Arc::clone(&all);
            open.spawn(async move {
                let mut request = [0; 4096];
                while socket.read(&mut request).await.is_ok_and(|read| read > 0) {
                    all.wait().await;
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nphoto";
                    socket.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (url, connections, tasks)
}

#[tokio::test]
async fn as_many_connections_stay_open_as_were_used_at_once() {
    const TOGETHER: usize = 100;
    let (url, connections, _server) = patient_server(TOGETHER).await;
    let transport = usual();
    for _ in 0..3 {
        let answers = (0..TOGETHER).map(|_| async {
            let answer = get(&transport, &url).await.unwrap();
            assert_eq!(&answer.into_body().collect(64).await.unwrap()[..], b"photo");
        });
        join_all(answers).await;
    }
    // They come back to the pool by tasks of their own, and some may be late.
    let connections = connections.load(Ordering::SeqCst);
    assert!(connections < TOGETHER * 3 / 2, "{connections}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(302).insert_header("location", "/elsewhere");
    Mock::given(path("/here")).respond_with(away).expect(1).mount(&server).await;
    Mock::given(path("/elsewhere"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&server)
        .await;
    let answer = get(&usual(), &format!("{}/here", server.uri())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn bodies_arrive_as_they_are_and_name_the_sender() {
    let server = MockServer::start().await;
    let packed = ResponseTemplate::new(200)
        .set_body_bytes(b"not really packed")
        .insert_header("content-encoding", "gzip");
    let agent = concat!("safelight/", env!("CARGO_PKG_VERSION"));
    Mock::given(header("user-agent", agent)).respond_with(packed).mount(&server).await;
    let answer = get(&usual(), &server.uri()).await.unwrap();
    let HttpBody::Stream { length, .. } = answer.body() else { panic!("not streamed") };
    assert_eq!(*length, Some(17));
    assert_eq!(&answer.into_body().collect(64).await.unwrap()[..], b"not really packed");
}

#[tokio::test]
async fn streamed_requests_carry_their_length() {
    let server = MockServer::start().await;
    let whole: Vec<u8> = (0..200_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    Mock::given(method("PUT"))
        .and(header("content-length", "200000"))
        .and(body_bytes(whole.clone()))
        .respond_with(ResponseTemplate::new(201))
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(header_exists("transfer-encoding"))
        .respond_with(ResponseTemplate::new(500))
        .expect(0)
        .mount(&server)
        .await;
    let pieces: Vec<_> =
        whole.chunks(70_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let streamed = HttpBody::Stream { length: Some(200_000), chunks: stream::iter(pieces).boxed() };
    for body in [streamed, HttpBody::Whole(whole.into())] {
        let request = Request::put(server.uri()).body(body).unwrap();
        assert_eq!(usual().send(request).await.unwrap().status(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_body_that_fails_by_itself_keeps_its_own_error() {
    let server = MockServer::start().await;
    let broken = [Ok(Bytes::from_static(b"ab")), Err(Error::new(Kind::Changed, "it grew"))];
    let body = HttpBody::Stream { length: Some(10), chunks: stream::iter(broken).boxed() };
    let request = Request::put(server.uri()).body(body).unwrap();
    assert_eq!(usual().send(request).await.unwrap_err().kind(), Kind::Changed);
}

#[tokio::test]
async fn silence_before_the_head_is_an_error_without_the_address() {
    let (url, _server) = stalling_server(b"").await;
    let error = get(&transport(Duration::from_millis(60)), &url).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (Kind::Timeout, Retry::BackOff));
    let told = format!("{error} {error:?}");
    assert!(!told.contains("canary") && !told.contains("secret-path"), "{told}");
}

#[tokio::test]
async fn a_body_that_stalls_is_an_error() {
    let (url, _server) = stalling_server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let answer = get(&transport(Duration::from_millis(60)), &url).await.unwrap();
    let mut chunks = answer.into_body().into_stream();
    assert_eq!(&chunks.next().await.unwrap().unwrap()[..], b"abc");
    assert_eq!(chunks.next().await.unwrap().unwrap_err().kind(), Kind::Timeout);
    assert!(chunks.next().await.is_none());
}

#[tokio::test]
async fn a_body_that_drips_is_an_error() {
    let (url, _server) = stalling_server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let limits = Limits { window: Duration::ZERO, window_bytes: 4, ..Limits::default() };
    let transport = ReqwestTransport::with_limits(Arc::new(SystemClock::start()), limits).unwrap();
    let error = get(&transport, &url).await.unwrap().into_body().collect(64).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
}

#[tokio::test]
async fn a_closed_port_is_unavailable_and_its_query_stays_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?token=canary", listener.local_addr().unwrap());
    drop(listener);
    let error = get(&usual(), &url).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let told = format!("{error} {error:?}");
    assert!(!told.contains("canary"), "{told}");
}

#[tokio::test]
async fn a_request_may_ask_for_more_patience() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_millis(400));
    Mock::given(method("GET")).respond_with(late).mount(&server).await;
    let hasty = transport(Duration::from_millis(100));
    assert_eq!(get(&hasty, &server.uri()).await.unwrap_err().kind(), Kind::Timeout);
    let request = Request::get(server.uri()).extension(Patience(Duration::from_mins(1)));
    let answer = hasty.send(request.body(HttpBody::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}
