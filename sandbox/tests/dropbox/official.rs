//! The official Python client works with the stand-in. Skipped where `python3` has no package `dropbox`.

use tokio::process::Command;

use crate::service::Service;
use crate::tls::Door;

const SCRIPT: &str = include_str!("official.py");

async fn has_client() -> bool {
    let tried = Command::new("python3").args(["-c", "import dropbox"]).output().await;
    tried.is_ok_and(|tried| tried.status.success())
}

#[tokio::test]
#[allow(clippy::print_stdout)]
async fn the_official_client_works_with_it() {
    if !has_client().await {
        println!("skipped: the official Dropbox client (python3 -m pip install dropbox)");
        return;
    }
    let service = Service::start().await;
    let inside = service.sandbox.url().replace("http://", "");
    let door = Door::open(inside).await;
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("ca.pem");
    std::fs::write(&pem, &door.pem).unwrap();
    let mut client = Command::new("python3");
    for host in ["API", "API_CONTENT", "API_NOTIFY", "WEB"] {
        client.env(format!("DROPBOX_{host}_HOST"), &door.address);
    }
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        client.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    // They would win over the CA that the script hands over.
    client.env_remove("REQUESTS_CA_BUNDLE").env_remove("CURL_CA_BUNDLE");
    let ran = client
        .args(["-c", SCRIPT])
        .arg(&pem)
        .arg(service.sandbox.app_key())
        .arg(service.sandbox.refresh_token().expose())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "all well");
}
