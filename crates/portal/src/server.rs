//! The server: routes, connections within limits, and an orderly end.
//!
//! Not here: what the routes answer (`pages`, `live`, `api`), what holds for every answer (`guard`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::api::{self, open};
use crate::guard::{Refusal, guard};
use crate::{App, assets, live, pages};

/// Connections at the same time: every live page and a second connection for each beside it. More wait in the
/// listener's backlog.
pub const CONNECTIONS_MAX: usize = 1_024;
/// The longest request line and headers together.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a connection may take to send its headers, or stay without a request.
const HEAD_WITHIN_MAX: Duration = Duration::from_secs(30);
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
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) past_boards: Arc<Semaphore>,
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
        readers: Arc::new(Semaphore::new(live::READERS_MAX)),
        past_boards: Arc::new(Semaphore::new(open::PAST_BOARDS_MAX)),
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
        .route("/api/v1/availability", get(open::availability))
        .route("/healthz", get(open::healthz))
        .route("/readyz", get(open::readyz))
        .route("/metrics", get(open::metrics))
        .merge(api::router())
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::BadMethod)
        .layer(middleware::from_fn(guard))
        .with_state(portal)
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
    let service = TowerToHyperService::new(router(app, closing));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN_MAX).max_buf_size(HEAD_BYTES_MAX);
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
            Ok((stream, _peer)) => {
                // Small messages that are waited for: they must not be held back for company.
                let _ = stream.set_nodelay(true);
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    let _permit = permit;
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
