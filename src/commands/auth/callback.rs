//! The answer of the browser: a listener on this machine that takes one redirect and nothing else.
//!
//! Whatever else knocks (a browser asking for its icon, a page with a wrong `state`, a connection that says
//! nothing) is answered briefly and forgotten. Requests are bounded in size, time and number.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use safelight_core::time::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The longest request; a code is far shorter.
const LONGEST: usize = 16 * 1024;
/// Most connections at a time.
const VISITORS: usize = 16;
/// How long a connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back from the service.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A code to exchange.
    Code(String),
    /// The person said no, or the service did: its word for why.
    Refused(String),
}

/// A port on which the answer is awaited.
pub struct Callback {
    listener: TcpListener,
    port: u16,
    clock: Arc<dyn Clock>,
}

impl Callback {
    /// Takes the first of these ports that is free; `None` if none is.
    pub async fn listen(ports: &[u16], clock: &Arc<dyn Clock>) -> Option<Self> {
        for &port in ports {
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                let port = listener.local_addr().ok()?.port();
                return Some(Self { listener, port, clock: Arc::clone(clock) });
            }
        }
        None
    }

    /// Where the service sends the answer, letter by letter as it is registered there.
    pub fn address(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Waits for the answer that carries this `state`. Dropping the future closes every connection.
    pub async fn answer(&self, state: &str) -> Answer {
        let mut visitors = JoinSet::new();
        loop {
            tokio::select! {
                visitor = self.listener.accept(), if visitors.len() < VISITORS => {
                    // One connection that failed while it was opened is its client's concern.
                    if let Ok((socket, _)) = visitor {
                        let (state, patience) = (state.to_owned(), self.clock.sleep(PATIENCE));
                        visitors.spawn(async move {
                            tokio::select! {
                                answer = visit(socket, &state) => answer,
                                () = patience => None,
                            }
                        });
                    }
                }
                Some(visited) = visitors.join_next() => {
                    if let Ok(Some(answer)) = visited {
                        return answer;
                    }
                }
            }
        }
    }
}

async fn visit(mut socket: TcpStream, state: &str) -> Option<Answer> {
    let head = head(&mut socket).await?;
    let (status, words, answer) = match judge(&head, state) {
        Ok(Answer::Code(code)) => (
            "200 OK",
            "Safelight has the answer. You can close this window and go back to the terminal.",
            Some(Answer::Code(code)),
        ),
        Ok(refused) => (
            "200 OK",
            "Safelight was not let in. You can close this window; nothing was changed.",
            Some(refused),
        ),
        Err(refusal) => (refusal.0, refusal.1, None),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Safelight</title><p>{words}</p></html>\n"
    );
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // Whether the browser still shows the page changes nothing about the answer.
    let _ = socket.write_all(reply.as_bytes()).await;
    let _ = socket.shutdown().await;
    answer
}

/// The head of a request, without the empty line at its end; `None` if it does not end in time or measure.
async fn head(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            bytes.truncate(end);
            return String::from_utf8(bytes).ok();
        }
        if bytes.len() >= LONGEST || socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Status line and words for what is not the answer.
struct Refusal(&'static str, &'static str);

fn judge(head: &str, state: &str) -> Result<Answer, Refusal> {
    let mut line = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    if method != "GET" {
        return Err(Refusal("405 Method Not Allowed", "Only GET is understood here."));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/" {
        return Err(Refusal("404 Not Found", "There is nothing here."));
    }
    let field = |wanted: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| decoded(value))
    };
    if field("state").as_deref() != Some(state) {
        return Err(Refusal(
            "400 Bad Request",
            "This does not belong to the sign-in that is under way. Use the address in the terminal.",
        ));
    }
    match (field("error"), field("code")) {
        (Some(error), _) => Ok(Answer::Refused(error)),
        (None, Some(code)) if !code.is_empty() => Ok(Answer::Code(code)),
        _ => Err(Refusal("400 Bad Request", "The answer has no code.")),
    }
}

/// Text as it was before it was put into an address.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|two| u8::from_str_radix(two, 16).ok());
        match (byte, hex) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn status(head: &str) -> &'static str {
        match judge(head, "s+1") {
            Ok(_) => "an answer",
            Err(refusal) => refusal.0,
        }
    }

    #[test]
    fn only_the_answer_to_this_sign_in_is_taken() {
        for (head, outcome) in [
            ("GET /?code=c&state=s%2B1 HTTP/1.1", "an answer"),
            ("GET /?error=access_denied&state=s%2B1 HTTP/1.1", "an answer"),
            ("POST /?code=c&state=s%2B1 HTTP/1.1", "405 Method Not Allowed"),
            ("GET /favicon.ico HTTP/1.1", "404 Not Found"),
            ("GET / HTTP/1.1", "400 Bad Request"),
            ("GET /?code=c HTTP/1.1", "400 Bad Request"),
            ("GET /?code=c&state=other HTTP/1.1", "400 Bad Request"),
            ("GET /?code=&state=s%2B1 HTTP/1.1", "400 Bad Request"),
            ("GET /?state=s%2B1 HTTP/1.1", "400 Bad Request"),
            ("", "405 Method Not Allowed"),
        ] {
            assert_eq!(status(head), outcome, "{head}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_a_code() {
        let of = |query: &str| judge(&format!("GET /?{query}&state=x HTTP/1.1"), "x").ok().unwrap();
        assert_eq!(of("code=a%2Fb+c%"), Answer::Code("a/b c%".to_owned()));
        assert_eq!(of("error=access_denied&code=x"), Answer::Refused("access_denied".to_owned()));
    }
}
