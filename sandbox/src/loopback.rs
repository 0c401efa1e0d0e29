//! An HTTP/1 server on loopback that owns all of its tasks.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, Either, FutureExt, select};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use safelight_core::error::{Error, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::faults::{Broken, apply};
use crate::traffic::Traffic;

/// The body of an answer of a stand-in.
pub type AnswerBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An answer of a stand-in.
pub type Answer = Response<AnswerBody>;

type Handler = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A running server. Dropping it ends every connection at once.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Loopback {
    /// Starts to serve `handler` on 127.0.0.1; `traffic` counts the requests and spoils answers on demand.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn serve<H, F>(traffic: Traffic, handler: H) -> Result<Self>
    where
        H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let failed = |error| Error::io(error, "opening a port on 127.0.0.1");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let handler: Handler = Arc::new(move |request| handler(request).boxed());
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, handler, traffic, stopped));
        Ok(Self { address, stop, tasks })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connection, lets every request that has begun finish, and ends.
    pub async fn stop(mut self) {
        // The receiver lives as long as the task that is waited for next.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn accept(
    listener: TcpListener,
    handler: Handler,
    traffic: Traffic,
    stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let told = pin!(told_to_stop(stopped.clone()));
        match select(told, pin!(listener.accept())).await {
            Either::Left(_) => break,
            Either::Right((Ok((socket, _)), _)) => {
                let (handler, traffic) = (handler.clone(), traffic.clone());
                connections.spawn(connection(socket, handler, traffic, stopped.clone()));
            }
            // One connection that failed while it was opened is its client's concern.
            Either::Right((Err(_), _)) => {}
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(
    socket: TcpStream,
    handler: Handler,
    traffic: Traffic,
    stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, traffic) = (handler.clone(), traffic.clone());
        async move {
            let fault = traffic.note(request.method(), request.uri());
            apply(fault, request, &*handler).await.map_err(|Broken| Broken)
        }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    let mut serving = pin!(serving);
    let told = pin!(told_to_stop(stopped));
    // How a connection ends is the client's affair; a broken one is often what a test asked for.
    if let Either::Right(_) = select(serving.as_mut(), told).await {
        serving.as_mut().graceful_shutdown();
        let _ = serving.await;
    }
}

async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone says the same as one that tells.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The body of a request from the wire, as those have that come without a socket.
pub(crate) fn boxed(body: Incoming) -> AnswerBody {
    use http_body_util::BodyExt;
    body.map_err(Into::into).boxed_unsync()
}

/// An answer body of bytes that are all there.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> AnswerBody {
    use http_body_util::{BodyExt, Full};
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}
