//! The service `availability`: the rows of the board, on request.
//!
//! A request is `{"region"?, "care_type"?, "location"?}` or nothing; the answer is `{position, recorded_at, rows}`.

use std::sync::Arc;

use bus::subjects::Service;
use bytes::Bytes;
use domain::{CareType, LocationId, RegionId};
use network::Network;
use serde::Serialize;
use serde_json::{Map, Value};
use views::{Availability, CareCode, Row};

use crate::service::{ANSWER_BYTES_MAX, Answering, Refusal, Sight, text};

const FIELDS: &str = "region, care_type and location";

/// Answers with rows.
pub(crate) struct Rows {
    pub(crate) view: projector::Handle<Availability>,
    pub(crate) network: Arc<Network>,
}

/// Which rows are asked for; what is `None` is not asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    region: Option<RegionId>,
    care_type: Option<CareCode>,
    location: Option<LocationId>,
}

#[derive(Serialize)]
struct Answer {
    position: u64,
    recorded_at: Option<String>,
    rows: Vec<Row>,
}

impl Answering for Rows {
    const SERVICE: Service = Service::Availability;

    async fn answer(&self, sight: Sight<'_>, request: Map<String, Value>) -> Result<Bytes, Refusal> {
        let filter = Filter::parse(request)?;
        if let Some(region) = &filter.region {
            sight.check(&self.network, region)?;
        }
        let answer = self.view.read(|view| Answer {
            position: view.position(),
            recorded_at: (view.position() > 0).then(|| view.recorded_at().to_string()),
            rows: filter.rows(view, sight),
        });
        let body = serde_json::to_vec(&answer).map_err(|error| Refusal::failed(&error))?;
        if body.len() > ANSWER_BYTES_MAX {
            let rows = answer.rows.len();
            let reason = format!("These are {rows} rows, too many for one message: ask by {FIELDS}.");
            return Err(Refusal::new(413, "answer_too_large", reason));
        }
        Ok(Bytes::from(body))
    }
}

impl Filter {
    fn parse(request: Map<String, Value>) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        for (field, value) in request {
            let wrong = |error: &dyn std::fmt::Display| Refusal::field(&field, error);
            let text = text(&value);
            match field.as_str() {
                "region" => filter.region = Some(text.parse().map_err(|error| wrong(&error))?),
                "location" => filter.location = Some(text.parse().map_err(|error| wrong(&error))?),
                "care_type" => filter.care_type = Some(care_type(text)?),
                _ => return Err(Refusal::unknown_field(&field, FIELDS)),
            }
        }
        Ok(filter)
    }

    fn rows(&self, view: &Availability, sight: Sight<'_>) -> Vec<Row> {
        let asked = |row: &Row| {
            self.care_type.is_none_or(|care_type| row.care_type == care_type)
                && self.location.as_ref().is_none_or(|location| row.location == *location)
        };
        let seen = view.regions().filter(|region| sight.sees(region));
        let wanted = seen.filter(|region| self.region.as_ref().is_none_or(|asked| asked == *region));
        wanted.flat_map(|region| view.rows_of(region)).filter(asked).collect()
    }
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
