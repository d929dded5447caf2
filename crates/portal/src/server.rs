//! The server: routes, connections within limits, and an orderly end.
//!
//! Not here: what the routes answer (`pages`, `live`, `api`), what holds for every answer (`guard`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::api::{self, open};
use crate::guard::{Refusal, guard};
use crate::pace::Paces;
use crate::peer::Peer;
use crate::places::Places;
use crate::shares::Shares;
use crate::stall::Impatient;
use crate::{App, assets, live, pages, site};

/// Connections at the same time: every live page and a second connection for each beside it. More wait in the
/// listener's backlog.
pub const CONNECTIONS_MAX: usize = 2_048;
/// Connections of one address at the same time: half of all, so that nobody takes the last one of everybody else. Half and
/// not less, because a house or a proxy stands behind one address.
pub const CONNECTIONS_OF_ONE_MAX: usize = CONNECTIONS_MAX / 2;
/// The longest request line and headers together.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a connection may take to send its headers, or stay without a request.
const HEAD_WITHIN_MAX: Duration = Duration::from_secs(15);
/// How long nothing of an answer or a stream may be taken: long enough for a wireless network that is gone for a moment.
const STALLED_FOR_MAX: Duration = Duration::from_secs(30);
/// How long answers under way may take once the node is told to stop; live pages end at once.
const DRAIN_MAX: Duration = Duration::from_secs(3);
/// Before the next try when a connection could not be accepted: the usual cause, too many open files, passes.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The portal could not serve.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The listener has no address: it is not listening.
    #[error("the portal's listener can not be used; give it another address to listen on")]
    Listener(#[source] std::io::Error),
}

/// What the handlers share.
pub(crate) struct Portal {
    pub(crate) app: App,
    pub(crate) shelf: live::Shelf,
    /// Of live pages and boards of the past.
    pub(crate) places: Places,
    /// How fast each may act.
    pub(crate) paces: Paces,
    /// Of requests that wait until a view has a position.
    pub(crate) waiting: Semaphore,
    /// Turns true when the node stops: live pages end.
    pub(crate) closing: watch::Receiver<bool>,
}

/// Every address the portal answers to.
pub(crate) fn router(app: App, closing: watch::Receiver<bool>) -> Router {
    let portal = Arc::new(Portal {
        app,
        shelf: live::Shelf::default(),
        places: Places::default(),
        paces: Paces::default(),
        waiting: Semaphore::new(api::WAITING_MAX),
        closing,
    });
    Router::new()
        .route("/", get(pages::desks))
        .route("/overzicht", get(pages::overview))
        .route("/overzicht/stream", get(live::overview))
        .route("/r/{region}", get(pages::region))
        .route("/r/{region}/stream", get(live::region))
        .route("/static/{name}", get(assets::serve))
        .route("/sw.js", get(assets::worker))
        .route("/api/v1/availability", get(open::availability))
        .route("/healthz", get(open::healthz))
        .route("/readyz", get(open::readyz))
        .route("/metrics", get(open::metrics))
        .merge(api::router())
        .merge(site::router())
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::BadMethod)
        .layer(middleware::from_fn(guard))
        .with_state(portal)
}

/// How connections are served.
fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN_MAX).max_buf_size(HEAD_BYTES_MAX);
    http
}

/// Serves the portal on `listener` until `shutdown` is done; then live pages end, answers under way get three
/// seconds, and it returns.
///
/// # Errors
/// If `listener` is not listening. A connection that fails is that connection's matter.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), PortalError> {
    let address = listener.local_addr().map_err(PortalError::Listener)?;
    let (close, closing) = watch::channel(false);
    let trusted: Arc<[IpAddr]> = app.trusted_proxies.as_slice().into();
    let service = TowerToHyperService::new(router(app, closing));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let callers = Shares::default();
    let graceful = GracefulShutdown::new();
    let http = http();
    tracing::info!(%address, "the portal listens");
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut shutdown => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = callers.take(peer.ip(), CONNECTIONS_OF_ONE_MAX) else {
                    tracing::debug!(
                        "an address has as many connections as one may have; a further one is closed"
                    );
                    continue;
                };
                // Small messages that are waited for: they must not be held back for company.
                let _ = stream.set_nodelay(true);
                let (inner, trusted) = (service.clone(), Arc::clone(&trusted));
                let service = service_fn(move |mut request: axum::http::Request<Incoming>| {
                    let from = Peer::of(peer.ip(), request.headers(), &trusted);
                    request.extensions_mut().insert(from);
                    inner.call(request)
                });
                let connection =
                    http.serve_connection(TokioIo::new(Impatient::new(stream, STALLED_FOR_MAX)), service);
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    let (_permit, _place) = (permit, place);
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop(listener);
    let _ = close.send(true);
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("some answers were cut off: they took longer than the time to stop");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn fault_69_who_asks_a_lot_and_never_reads_is_let_go_of() {
        let (near, mut far) = duplex(4 * 1_024);
        let answer = Router::new().route("/", get(async || "x".repeat(64 * 1_024)));
        let near = TokioIo::new(Impatient::new(near, Duration::from_millis(50)));
        let connection = http().serve_connection(near, TowerToHyperService::new(answer));
        let asks = "GET / HTTP/1.1\r\nhost: test\r\n\r\n".repeat(30);
        let (ended, asked) = tokio::join!(connection, far.write_all(asks.as_bytes()));
        asked.unwrap();
        assert!(ended.is_err(), "it ended, and not because all was read");
    }
}
