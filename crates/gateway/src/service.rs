//! Answering requests: who asks, what they may see, and how they are told that they may not.
//!
//! The node's own users see every region; a coordination centre, known by the subject its request came in on, sees
//! its own. An answer is JSON, or `{code, reason}` with the error headers of NATS services.
//! Not here: what is answered (`availability`, `history`).

use std::future::Future;
use std::sync::Arc;

use bus::outward::Outward;
use bus::subjects::{Service, ServiceSubject};
use bus::{Request, Requests};
use bytes::Bytes;
use domain::RegionId;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use network::{Centre, Network};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::{Interrupted, Part};

/// Requests of one service that are answered at once; others wait in the connection. Each may read the disk, and a
/// node has other things to do.
const AT_ONCE_MAX: usize = 4;
/// Requests of one asker, such as a centre, that are answered at once: it takes turns with all others.
const OF_ASKER_MAX: usize = 1;
/// A request has a few short fields, and maybe a list of every type of event.
const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// A message of the broker holds 1 MiB with its headers, unless it is set up otherwise.
pub(crate) const ANSWER_BYTES_MAX: usize = 1_000_000;

/// One service.
pub(crate) trait Answering: Send + Sync {
    /// Which it is.
    const SERVICE: Service;

    /// The answer to a request with these fields, of somebody with this sight.
    fn answer(
        &self,
        sight: Sight<'_>,
        request: Map<String, Value>,
    ) -> impl Future<Output = Result<Bytes, Refusal>> + Send;
}

/// Answers the requests to one service.
pub(crate) struct Answers<A> {
    outward: Outward,
    network: Arc<Network>,
    metrics: Arc<Metrics>,
    answering: A,
}

/// Which regions somebody may see.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sight<'a> {
    /// All of them.
    All,
    /// Those of a centre.
    Of(&'a Centre),
}

/// Why there is nothing else in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// As in HTTP, for the header that NATS services have.
    #[serde(skip)]
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

impl<A: Answering> Part for Answers<A> {
    async fn serve(&mut self) -> Interrupted {
        // The client subscribes again by itself after a loss of the connection.
        let centres: Vec<_> = self.network.centres().map(|centre| centre.code.clone()).collect();
        let askers = match self.outward.service(A::SERVICE, env!("CARGO_PKG_VERSION"), centres).await {
            Ok(askers) => askers,
            Err(error) => return error.into(),
        };
        // First come, first served among the askers: whoever waits for a turn has one request waiting, not all.
        let turns = Semaphore::new(AT_ONCE_MAX);
        let serving = askers.into_iter().map(|asker| self.serve_asker(asker, &turns));
        let mut serving: FuturesUnordered<_> = serving.collect();
        // Nobody is served for ever; the first that ends tells that the connection did.
        let _ended = serving.next().await;
        Interrupted::Lost
    }
}

impl<A: Answering> Answers<A> {
    pub(crate) fn new(outward: Outward, network: Arc<Network>, metrics: Arc<Metrics>, answering: A) -> Self {
        Self { outward, network, metrics, answering }
    }

    async fn serve_asker(&self, requests: Requests, turns: &Semaphore) {
        let requests = futures::stream::unfold(requests, async |mut requests| {
            requests.next().await.map(|request| (request, requests))
        });
        requests
            .for_each_concurrent(OF_ASKER_MAX, async |request| {
                // It is never closed, so an error can not be.
                let _turn = turns.acquire().await;
                self.serve_one(request).await;
            })
            .await;
    }

    async fn serve_one(&self, request: Request) {
        match self.answer(&request).await {
            Ok(body) => {
                self.metrics.answer();
                request.answer(body, None).await;
            }
            Err(refusal) => {
                self.metrics.refusal();
                let body = serde_json::to_vec(&refusal).unwrap_or_default();
                request.answer(Bytes::from(body), Some((refusal.status, &refusal.reason))).await;
            }
        }
    }

    async fn answer(&self, request: &Request) -> Result<Bytes, Refusal> {
        let sight = self.sight(request)?;
        self.answering.answer(sight, fields(request.payload())?).await
    }

    fn sight(&self, request: &Request) -> Result<Sight<'_>, Refusal> {
        let stranger = || Refusal::new(403, "unknown_centre", "No centre of this network asks.".to_owned());
        let ServiceSubject { centre, service: _ } = request.subject().map_err(|_error| stranger())?;
        match centre {
            None => Ok(Sight::All),
            Some(code) => self.network.centre(&code).map(Sight::Of).ok_or_else(stranger),
        }
    }
}

impl Sight<'_> {
    /// Whether this region may be seen.
    pub(crate) fn sees(self, region: &RegionId) -> bool {
        match self {
            Self::All => true,
            Self::Of(centre) => centre.regions.contains(region),
        }
    }

    /// The regions that may be seen, if not all.
    pub(crate) fn regions(&self) -> Option<&[RegionId]> {
        match self {
            Self::All => None,
            Self::Of(centre) => Some(&centre.regions),
        }
    }

    /// Refuses what is asked about a region that is not there, or not for these eyes.
    pub(crate) fn check(self, network: &Network, region: &RegionId) -> Result<(), Refusal> {
        if network.region(region).is_none() {
            return Err(Refusal::new(404, "unknown_region", format!("There is no region {region}.")));
        }
        if !self.sees(region) {
            let reason = format!("{region} is not a region of your centre.");
            return Err(Refusal::new(403, "not_your_region", reason));
        }
        Ok(())
    }
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, reason: String) -> Self {
        Self { status, code, reason }
    }

    /// The request is not what it should be.
    pub(crate) fn malformed(reason: String) -> Self {
        Self::new(400, "malformed", reason)
    }

    /// One of its fields is not.
    pub(crate) fn field(field: &str, error: impl std::fmt::Display) -> Self {
        Self::malformed(format!("The field {field}: {error}."))
    }

    /// It has a field that there is not.
    pub(crate) fn unknown_field(field: &str, fields: &str) -> Self {
        let reason = format!("There is no field {}: a request has {fields}.", field.escape_debug());
        Self::new(400, "unknown_field", reason)
    }

    /// The answer could not be made.
    pub(crate) fn failed(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = crate::chain(error), "a request can not be answered");
        Self::new(500, "failed", "The answer can not be made; the node's log says why.".to_owned())
    }
}

/// The text of a field; what is no text reads as empty, which no name is.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn fields(request: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if request.len() > REQUEST_BYTES_MAX {
        let reason =
            format!("A request has at most {REQUEST_BYTES_MAX} bytes, this one has {}.", request.len());
        return Err(Refusal::new(413, "too_large", reason));
    }
    if request.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(request)
        .map_err(|_error| Refusal::malformed("A request is a JSON object, or nothing.".to_owned()))
}
