//! The service `svc.doorstroom.availability`: the rows of the board, on request.
//!
//! A request is JSON `{"region"?, "care_type"?, "location"?}` or nothing; the answer is `{position, recorded_at, rows}`,
//! or `{code, reason}` with the error headers of NATS services.

use std::sync::Arc;

use bus::outward::Outward;
use bytes::Bytes;
use domain::{CareType, LocationId, RegionId};
use network::Network;
use serde::Serialize;
use serde_json::{Map, Value};
use views::{Availability, CareCode, Row};

use crate::metrics::Metrics;
use crate::{Interrupted, Part};

/// A request has three short fields.
const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// A message of the broker holds 1 MiB with its headers, unless it is set up otherwise.
const ANSWER_BYTES_MAX: usize = 1_000_000;
const FIELDS: &str = "region, care_type and location";

/// Answers requests.
pub(crate) struct Answers {
    outward: Outward,
    view: projector::Handle<Availability>,
    network: Arc<Network>,
    metrics: Arc<Metrics>,
}

/// Which rows are asked for; what is `None` is not asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    region: Option<RegionId>,
    care_type: Option<CareCode>,
    location: Option<LocationId>,
}

/// Why there are no rows in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Refusal {
    /// As in HTTP, for the header that NATS services have.
    #[serde(skip)]
    status: u16,
    code: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct Answer {
    position: u64,
    recorded_at: Option<String>,
    rows: Vec<Row>,
}

impl Part for Answers {
    async fn serve(&mut self) -> Interrupted {
        // The client subscribes again by itself after a loss of the connection.
        let mut requests = match self.outward.availability_service(env!("CARGO_PKG_VERSION")).await {
            Ok(requests) => requests,
            Err(error) => return error.into(),
        };
        while let Some(request) = requests.next().await {
            match self.answer(request.payload()) {
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
        Interrupted::Lost
    }
}

impl Answers {
    pub(crate) fn new(
        outward: Outward,
        view: projector::Handle<Availability>,
        network: Arc<Network>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outward, view, network, metrics }
    }

    fn answer(&self, request: &[u8]) -> Result<Bytes, Refusal> {
        let filter = Filter::parse(request)?;
        if let Some(region) = filter.region.as_ref().filter(|region| self.network.region(region).is_none()) {
            return Err(Refusal::new(404, "unknown_region", format!("There is no region {region}.")));
        }
        let answer = self.view.read(|view| Answer {
            position: view.position(),
            recorded_at: (view.position() > 0).then(|| view.recorded_at().to_string()),
            rows: filter.rows(view),
        });
        let body = serde_json::to_vec(&answer).map_err(|error| {
            Refusal::new(500, "failed", format!("The answer can not be written: {error}."))
        })?;
        if body.len() > ANSWER_BYTES_MAX {
            let rows = answer.rows.len();
            let reason = format!("These are {rows} rows, too many for one message: ask by {FIELDS}.");
            return Err(Refusal::new(413, "answer_too_large", reason));
        }
        Ok(Bytes::from(body))
    }
}

impl Filter {
    fn parse(request: &[u8]) -> Result<Self, Refusal> {
        if request.len() > REQUEST_BYTES_MAX {
            let reason =
                format!("A request has at most {REQUEST_BYTES_MAX} bytes, this one has {}.", request.len());
            return Err(Refusal::new(413, "too_large", reason));
        }
        let mut filter = Self::default();
        if request.is_empty() {
            return Ok(filter);
        }
        let fields: Map<String, Value> = serde_json::from_slice(request)
            .map_err(|_error| malformed("A request is a JSON object, or nothing.".to_owned()))?;
        for (field, value) in fields {
            let wrong = |error: &dyn std::fmt::Display| malformed(format!("The field {field}: {error}."));
            let text = match &value {
                Value::String(text) => text.as_str(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => "",
            };
            match field.as_str() {
                "region" => filter.region = Some(text.parse().map_err(|error| wrong(&error))?),
                "location" => filter.location = Some(text.parse().map_err(|error| wrong(&error))?),
                "care_type" => filter.care_type = Some(care_type(text)?),
                _ => {
                    let field = field.escape_debug();
                    let reason = format!("There is no field {field}: a request has {FIELDS}.");
                    return Err(Refusal::new(400, "unknown_field", reason));
                }
            }
        }
        Ok(filter)
    }

    fn rows(&self, view: &Availability) -> Vec<Row> {
        let asked = |row: &Row| {
            self.care_type.is_none_or(|care_type| row.care_type == care_type)
                && self.location.as_ref().is_none_or(|location| row.location == *location)
        };
        match &self.region {
            Some(region) => view.rows_of(region).filter(asked).collect(),
            None => view.rows().filter(asked).collect(),
        }
    }
}

impl Refusal {
    fn new(status: u16, code: &'static str, reason: String) -> Self {
        Self { status, code, reason }
    }
}

fn malformed(reason: String) -> Refusal {
    Refusal::new(400, "malformed", reason)
}

fn care_type(text: &str) -> Result<CareCode, Refusal> {
    let code = CareCode::from(text);
    if code.as_str() == text {
        return Ok(code);
    }
    let reason =
        format!("There is no care type {}: {}, other.", text.escape_debug(), CareType::KNOWN.join(", "));
    Err(Refusal::new(400, "unknown_care_type", reason))
}
