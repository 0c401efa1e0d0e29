//! Answers that are spoiled.

use std::time::Duration;

use safelight_sandbox::{Fault, Rule};
use serde_json::json;

use crate::service::{Service, content_hash};

fn upload(service: &Service) -> http::request::Builder {
    let hash = content_hash(b"hello");
    let argument = json!({"path": "/a", "content_hash": hash}).to_string();
    service
        .request("files/upload")
        .header("Content-Type", "application/octet-stream")
        .header("Dropbox-API-Arg", argument)
}

#[tokio::test]
async fn an_answer_can_be_lost_before_and_after_the_act() {
    let service = Service::start().await;
    let traffic = service.sandbox.traffic();
    traffic.inject(Rule::next(Fault::Reset).containing("/upload"));
    assert!(service.try_send(upload(&service), "hello").await.is_err());
    assert!(service.paths().await.is_empty());
    traffic.inject(Rule::next(Fault::LoseAnswer).containing("/upload"));
    assert!(service.try_send(upload(&service), "hello").await.is_err());
    assert_eq!(service.paths().await, ["/a"]);
}

#[tokio::test]
async fn bytes_can_be_wrong_on_either_way() {
    let service = Service::start().await;
    let traffic = service.sandbox.traffic();
    traffic.inject(Rule::next(Fault::FlipSent(4)));
    service.send(upload(&service), "hello").await.refused("content_hash_mismatch");
    service.send(upload(&service), "hello").await.ok();
    traffic.inject(Rule::next(Fault::FlipBody(4)));
    let download = async || service.download(json!({"path": "/a"})).await;
    assert_eq!(download().await.text(), "helln");
    assert_eq!(download().await.text(), "hello");
}

#[tokio::test]
async fn an_answer_can_break_off_and_be_late() {
    let service = Service::start().await;
    service.send(upload(&service), "hello").await.ok();
    let traffic = service.sandbox.traffic();
    traffic.inject(Rule::next(Fault::CutBody(2)));
    let download = service.request("files/download").header("Dropbox-API-Arg", "{\"path\":\"/a\"}");
    assert!(service.try_send(download, "").await.is_err());
    traffic.inject(Rule::next(Fault::Delay(Duration::from_millis(50), service.clock.clone())));
    assert_eq!(service.download(json!({"path": "/a"})).await.text(), "hello");
}

#[tokio::test]
async fn an_answer_can_be_another_one() {
    let service = Service::start().await;
    let traffic = service.sandbox.traffic();
    let gateway = Fault::Status { status: 502, retry_after: None, body: "<html>bad</html>" };
    let busy = Fault::Status { status: 429, retry_after: Some(2), body: "{\"error\":{}}" };
    traffic.inject(Rule::next(gateway));
    traffic.inject(Rule::next(busy));
    let call = async || service.rpc("files/list_folder", json!({"path": ""})).await;
    let first = call().await;
    assert_eq!((first.status, first.header("content-type")), (502, ""));
    let second = call().await;
    assert_eq!((second.status, second.header("retry-after")), (429, "2"));
    assert_eq!(second.header("content-type"), "application/json");
    call().await.ok();
}

#[tokio::test]
async fn a_client_that_hangs_up_stores_nothing_and_holds_nobody_up() {
    let service = Service::start().await;
    let address = service.sandbox.url().replace("http://", "");
    let head = format!(
        "POST /2/files/upload HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/octet-stream\r\ndropbox-api-arg: {{\"path\":\"/a\"}}\r\n\
         content-length: 100\r\n\r\nhalf",
        service.token
    );
    let mut socket = std::net::TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut socket, head.as_bytes()).unwrap();
    drop(socket);
    assert!(service.paths().await.is_empty());
    let Service { sandbox, .. } = service;
    tokio::time::timeout(Duration::from_secs(20), sandbox.stop()).await.unwrap();
}
