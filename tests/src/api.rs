//! The HTTP API as a desk's or a location's system uses it, with the token of the node's own operator.
//!
//! Not here: assertions about it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use eventlog::{Clock as _, SystemClock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Node;

/// How long an answer may take on a slow machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A way to the API in the name of a source.
#[derive(Clone, Debug)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
    token: String,
    source: String,
}

/// A new id of an act or a thing: a UUIDv7.
#[must_use]
pub fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Ids of acts made in the same millisecond are apart, because those of one act follow from its own.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = Uuid::now_v7().as_u128();
    Uuid::from_u128((id & !0xffff_ffff) | u128::from(count << 8) & 0xffff_ffff).to_string()
}

/// The moment so many minutes from now, as the API and events have it.
#[must_use]
pub fn in_minutes(minutes: i64) -> String {
    let now = Timestamp::from_micros(SystemClock.now());
    now.saturating_add_micros(minutes * 60_000_000).to_string()
}

impl Api {
    /// To this node, as this source.
    ///
    /// # Panics
    /// If the node has no token for its operator.
    #[must_use]
    pub fn new(node: &Node, source: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let token = fs::read_to_string(node.data().join("operator.token")).unwrap();
        let base = format!("{}/api/v1", node.http());
        Self { agent, base, token: token.trim().to_owned(), source: source.to_owned() }
    }

    /// The same as another source.
    #[must_use]
    pub fn as_source(&self, source: &str) -> Self {
        Self { source: source.to_owned(), ..self.clone() }
    }

    /// Does something, with a new id: the status and the answer.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn act(&self, path: &str, body: &Value) -> (u16, Value) {
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.entry("id").or_insert_with(|| new_id().into());
        }
        let request =
            self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        Self::answer(self.headers(request).send(body.to_string()))
    }

    /// Does something that has to be done.
    ///
    /// # Panics
    /// If it is not.
    pub fn done(&self, path: &str, body: &Value) {
        let (status, answer) = self.act(path, body);
        assert!((200..300).contains(&status), "{path} {body}: {status} {answer}");
    }

    /// Asks something.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn ask(&self, path: &str) -> (u16, Value) {
        Self::answer(self.headers(self.agent.get(format!("{}{path}", self.base))).call())
    }

    fn headers<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        request
            .header("authorization", format!("Bearer {}", self.token))
            .header("doorstroom-as", &self.source)
            .header("accept-language", "nl")
    }

    fn answer(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
        let mut response = sent.unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), value)
    }

    /// A location with these beds takes part; all for `ELV_HC`.
    ///
    /// # Panics
    /// If it can not.
    pub fn opens(&self, region: &str, location: &str, beds: &[&str]) {
        let site = json!({
            "provider": "zorgdragers", "name": location, "mode": "beds", "care_types": ["ELV_HC"]
        });
        self.done(&format!("/regions/{region}/locations"), &json!({"location": location, "site": site}));
        for bed in beds {
            let facts = json!({"care_types": ["ELV_HC"]});
            self.done(&format!("/locations/{location}/beds/{bed}/add"), &json!({"facts": facts}));
        }
    }

    /// A crisis is referred, and these locations are asked: the referral's id, and the offers' by location.
    ///
    /// # Panics
    /// If it is not done.
    #[must_use]
    pub fn crisis_before(&self, region: &str, locations: &[&str]) -> (String, BTreeMap<String, String>) {
        let referral = new_id();
        let profile = json!({
            "origin": "gp", "care_type": "ELV_HC", "urgency": "crisis", "channel": "phone", "consent": true
        });
        self.done("/referrals", &json!({"region": region, "referral": referral, "profile": profile}));
        let offers: BTreeMap<String, String> =
            locations.iter().map(|location| ((*location).to_owned(), new_id())).collect();
        let to: Vec<Value> = offers
            .iter()
            .map(|(location, offer)| json!({"offer": offer, "location": location, "care_type": "ELV_HC"}))
            .collect();
        self.done(&format!("/referrals/{referral}/offers"), &json!({"to": to}));
        (referral, offers)
    }

    /// A location promises a place: the status and the answer.
    #[must_use]
    pub fn accept(&self, referral: &str, offer: &str, bed: Option<&str>, from: &str) -> (u16, Value) {
        let body = match bed {
            Some(bed) => json!({"from": from, "role": "nurse", "bed": bed}),
            None => json!({"from": from, "role": "nurse"}),
        };
        self.act(&format!("/referrals/{referral}/offers/{offer}/accept"), &body)
    }
}
