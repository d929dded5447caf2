//! NATS services: requests that a node answers, its own users' and those of the coordination centres.
//!
//! Not here: what is answered (`gateway`), whose request the broker lets through (its own rights: a centre's request
//! comes in on the subject that names that centre, and on no other).

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use async_nats::service::{self, ServiceExt as _, endpoint::Endpoint};
use bytes::Bytes;
use futures::StreamExt as _;
use network::CentreId;

use crate::outward::{Outward, OutwardError};
use crate::subjects::{Service, ServiceSubject, SubjectError};

/// The requests of one asker to a service, in the order they came.
pub struct Requests {
    endpoint: Endpoint,
    // The service answers discovery as long as one of these is held.
    _service: Arc<service::Service>,
}

/// A request to a service.
#[derive(Debug)]
pub struct Request(service::Request);

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}

impl Outward {
    /// Answers requests to this service: those of the node's own users come first in the list, then those of each of
    /// these centres, each with room of its own, so that one who asks without end keeps nobody else waiting. `version`
    /// is a semantic version.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn service(
        &self,
        what: Service,
        version: &str,
        centres: impl IntoIterator<Item = CentreId>,
    ) -> Result<Vec<Requests>, OutwardError> {
        let failed =
            |source| OutwardError::Provision { what: format!("the service {}", what.name()), source };
        let description = match what {
            Service::Availability => "rows of the board, by region, location and care type",
            Service::History => "recorded events, by region, type and position",
        };
        let service = self
            .bus()
            .client()
            .service_builder()
            .description(description)
            .start(what.name(), version)
            .await
            .map_err(failed)?;
        let service = Arc::new(service);
        let mut askers = Vec::new();
        for centre in std::iter::once(None).chain(centres.into_iter().map(Some)) {
            let name = match &centre {
                None => what.name().to_owned(),
                Some(centre) => format!("{}-of-{centre}", what.name()),
            };
            let subject = ServiceSubject { centre, service: what }.to_string();
            let endpoint = service.endpoint_builder().name(name).add(subject).await.map_err(failed)?;
            askers.push(Requests { endpoint, _service: Arc::clone(&service) });
        }
        Ok(askers)
    }
}

impl Requests {
    /// The next request; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<Request> {
        self.endpoint.next().await.map(Request)
    }
}

impl Request {
    /// What was asked.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.0.message.payload
    }

    /// Who asks, and which service, by the subject the request came in on.
    ///
    /// # Errors
    /// When the subject is none of a service, such as one that names no centre.
    pub fn subject(&self) -> Result<ServiceSubject, SubjectError> {
        self.0.message.subject.parse()
    }

    /// Answers. A `refusal` (code as in HTTP, and a sentence) goes in the headers every NATS client knows.
    pub async fn answer(&self, body: Bytes, refusal: Option<(u16, &str)>) {
        let mut headers = HeaderMap::new();
        if let Some((code, sentence)) = refusal {
            if let Ok(sentence) = HeaderValue::from_str(sentence) {
                headers.insert(service::NATS_SERVICE_ERROR, sentence);
            }
            headers.insert(service::NATS_SERVICE_ERROR_CODE, HeaderValue::from(u64::from(code)));
        }
        if let Err(error) = self.0.respond_with_headers(Ok(body), headers).await {
            tracing::debug!(%error, "an answer was not sent");
        }
    }
}
