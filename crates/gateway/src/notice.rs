//! Alerts and alarms as CloudEvents for subscribers. Pure.
//!
//! An alert that is raised and one that is cleared have ids that depend on the centre, the alert and the moment it was
//! raised alone: told again after a restart they are the same events. Not here: when they are told (`alerts`,
//! `alarms`), which alerts there are (`views`).

use std::collections::{BTreeMap, BTreeSet};

use bus::alarm::Alarm;
use bus::outward::Outbound;
use bus::subjects::{ACUTE_CORE, AcuteSubject};
use domain::Timestamp;
use network::{AlertRule, CentreId, Network, SilentOf};
use serde::Serialize;
use serde_json::{Map, Value, json};
use views::{About, Alert, AlertChange, AlertStep, Because, CareCode, Condition, Rule};

use crate::recorded::hex;

/// The type of an alert that is so.
pub(crate) const RAISED: &str = "nl.doorstroom.alert.raised.v1";
/// The type of an alert that is so no longer.
pub(crate) const CLEARED: &str = "nl.doorstroom.alert.cleared.v1";
/// The type of an alarm of the node itself.
const ALARM: &str = "nl.doorstroom.alarm.raised.v1";
/// The last token of the subject of alarms.
const ALARM_KIND: &str = "alarm";
/// Why an alert ends whose rule, or region, the network file no longer has.
const RULE_REMOVED: &str = "rule.removed";

/// Who wants to know what.
pub(crate) type Rules = BTreeMap<Rule, BTreeSet<CentreId>>;

/// The rules that every centre of `network` has in `current`, for each region it has in `network`: only for these there
/// are streams.
pub(crate) fn rules(network: &Network, current: &Network) -> Rules {
    let mut rules = Rules::new();
    for centre in network.centres() {
        let alerts = current.centre(&centre.code).map_or(&[][..], |centre| &centre.alerts);
        for region in &centre.regions {
            for alert in alerts {
                let rule = Rule { region: region.clone(), condition: condition(alert) };
                rules.entry(rule).or_default().insert(centre.code.clone());
            }
        }
    }
    rules
}

fn condition(rule: &AlertRule) -> Condition {
    match rule {
        AlertRule::OfferableBelow { care_type, below } => {
            Condition::OfferableBelow { care_type: CareCode::from(care_type), below: *below }
        }
        AlertRule::CrisisUnplaced { minutes } => Condition::CrisisUnplaced { minutes: *minutes },
        AlertRule::Silent { hours, of: SilentOf::Location } => Condition::LocationSilent { hours: *hours },
        AlertRule::Silent { hours, of: SilentOf::Region } => Condition::RegionSilent { hours: *hours },
    }
}

/// Something to be told, with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The id of the CloudEvent.
    pub(crate) id: String,
    /// The message.
    pub(crate) message: Outbound,
}

/// What names one occurrence of an alert for one centre.
pub(crate) fn occurrence(centre: &CentreId, alert: &Alert, raised_at: Timestamp) -> String {
    let Alert { rule: Rule { region, condition }, about } = alert;
    let condition = match condition {
        Condition::OfferableBelow { care_type, below } => format!("offerable-below/{care_type}/{below}"),
        Condition::CrisisUnplaced { minutes } => format!("crisis-unplaced/{minutes}"),
        Condition::LocationSilent { hours } => format!("silent/location/{hours}"),
        Condition::RegionSilent { hours } => format!("silent/region/{hours}"),
    };
    let about = match about {
        About::Region => String::new(),
        About::Location(location) => location.to_string(),
        About::Referral(referral) => referral.to_string(),
    };
    let named = format!("{region}/{condition}/{about}/{}", raised_at.as_micros());
    hex(&contracts::key(centre.as_str(), &named))
}

/// What a centre is told of a change.
pub(crate) fn of_alert(
    node: &str,
    centre: &CentreId,
    change: &AlertChange,
) -> Result<Notice, serde_json::Error> {
    let occurrence = occurrence(centre, &change.alert, change.raised_at);
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("alert", json!(occurrence));
    put("centre", json!(centre.as_str()));
    put("region", json!(change.alert.rule.region));
    put("since", json!(change.raised_at.to_string()));
    let kind = match change.alert.rule.condition {
        Condition::OfferableBelow { care_type, below } => {
            put("care_type", json!(care_type));
            put("below", json!(below));
            "offerable-below"
        }
        Condition::CrisisUnplaced { minutes } => {
            put("minutes", json!(minutes));
            "crisis-unplaced"
        }
        Condition::LocationSilent { hours } | Condition::RegionSilent { hours } => {
            put("hours", json!(hours));
            "silent"
        }
    };
    put("kind", json!(kind));
    match &change.alert.about {
        About::Region => None,
        About::Location(location) => put("location", json!(location)),
        About::Referral(referral) => put("referral", json!(referral)),
    };
    match change.step {
        AlertStep::Raised { because: Because::Offerable(count) } => put("offerable", json!(count)),
        AlertStep::Raised { because: Because::WaitsSince(moment) } => {
            put("waits_since", json!(moment.to_string()))
        }
        AlertStep::Raised { because: Because::LastWord(moment) } => {
            put("last_word", json!(moment.to_string()))
        }
        AlertStep::Cleared { at, position, by } => {
            put("cleared_at", json!(at.to_string()));
            put("position", json!(position));
            put("by", json!(by))
        }
    };
    let is = match change.step {
        AlertStep::Raised { .. } => RAISED,
        AlertStep::Cleared { .. } => CLEARED,
    };
    told(node, centre, kind, (is, change.at()), data)
}

/// What a centre is told when an alert it was told of has no rule any more: `raised` is the data of that alert.
pub(crate) fn of_removed(
    node: &str,
    centre: &CentreId,
    mut raised: Map<String, Value>,
    now: Timestamp,
) -> Result<Notice, serde_json::Error> {
    let kind = raised.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    raised.insert("cleared_at".to_owned(), json!(now.to_string()));
    raised.insert("by".to_owned(), json!(RULE_REMOVED));
    told(node, centre, &kind, (CLEARED, now), raised)
}

fn told(
    node: &str,
    centre: &CentreId,
    kind: &str,
    (is, at): (&str, Timestamp),
    data: Map<String, Value>,
) -> Result<Notice, serde_json::Error> {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let ending = if is == RAISED { "raised" } else { "cleared" };
    let id = format!("{}-{ending}", text("alert").unwrap_or_default());
    let region = text("region").map(str::to_owned);
    let about = text("location").or_else(|| text("referral")).or(region.as_deref()).map(str::to_owned);
    let event = CloudEvent::new(node, &id, is, at, (about, region), data);
    Ok(Notice { message: event.message(centre.as_str(), kind)?, id })
}

/// An alarm of the node. `raised` is how many of its code there were since the node began, told or not; `left_out` how
/// many of any code were not told just before this one.
pub(crate) fn of_alarm(
    node: &str,
    alarm: &Alarm,
    (at, number): (Timestamp, u64),
    (raised, left_out): (u64, u64),
) -> Result<Notice, serde_json::Error> {
    let id = hex(&contracts::key(node, &format!("alarm/{}/{number}", at.as_micros())));
    let region = alarm.region.as_ref().map(ToString::to_string);
    let data = json!({
        "code": alarm.code,
        "region": region,
        "sender": alarm.sender.as_ref().map(ToString::to_string),
        "position": alarm.position,
        "detail": alarm.detail,
        "security": alarm.security,
        "raised": raised,
        "left_out": left_out,
    });
    let event = CloudEvent::new(node, &id, ALARM, at, (region.clone(), region), data);
    Ok(Notice { message: event.message(ACUTE_CORE, ALARM_KIND)?, id })
}

/// Structured JSON, as the NL GOV profile has it.
#[derive(Serialize)]
struct CloudEvent<'a, D> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'a str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    data: D,
}

impl<'a, D: Serialize> CloudEvent<'a, D> {
    fn new(
        node: &str,
        id: &'a str,
        r#type: &'a str,
        time: Timestamp,
        (subject, region): (Option<String>, Option<String>),
        data: D,
    ) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: format!("urn:doorstroom:node:{node}"),
            r#type,
            time: time.to_string(),
            subject,
            datacontenttype: "application/json",
            region,
            data,
        }
    }

    fn message(&self, whom: &str, kind: &str) -> Result<Outbound, serde_json::Error> {
        let token = |text: &str| text.parse().map_err(<serde_json::Error as serde::ser::Error>::custom);
        Ok(Outbound {
            subject: AcuteSubject { whom: token(whom)?, kind: token(kind)? }.to_string(),
            headers: vec![("Content-Type".to_owned(), "application/cloudevents+json".to_owned())],
            payload: serde_json::to_vec(self)?.into(),
        })
    }
}

/// What a stream of alerts says: which were told, and which of them are raised and not cleared.
#[derive(Debug, Default)]
pub(crate) struct Held {
    ids: BTreeSet<String>,
    /// By occurrence, with the data of the event that raised it.
    open: BTreeMap<String, Map<String, Value>>,
}

impl Held {
    /// Takes one more message of the stream into account; what is no alert of ours says nothing.
    pub(crate) fn take(&mut self, payload: &[u8]) {
        let Ok(Value::Object(mut event)) = serde_json::from_slice(payload) else { return };
        let (Some(Value::String(id)), Some(Value::Object(data))) = (event.remove("id"), event.remove("data"))
        else {
            return;
        };
        let Some(occurrence) = data.get("alert").and_then(Value::as_str).map(str::to_owned) else { return };
        match event.get("type").and_then(Value::as_str) {
            Some(RAISED) => {
                self.open.insert(occurrence, data);
            }
            Some(CLEARED) => {
                self.open.remove(&occurrence);
            }
            Some(_) | None => return,
        }
        self.ids.insert(id);
    }

    /// Whether this was told.
    pub(crate) fn has(&self, notice: &Notice) -> bool {
        self.ids.contains(&notice.id)
    }

    /// Occurrences that were told as raised and not as cleared, except `raised`.
    pub(crate) fn left(&self, raised: &BTreeSet<String>) -> Vec<(String, Map<String, Value>)> {
        let left = self.open.iter().filter(|(occurrence, _)| !raised.contains(*occurrence));
        left.map(|(occurrence, data)| (occurrence.clone(), data.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(step: AlertStep) -> AlertChange {
        let rule = Rule {
            region: "zk23".parse().unwrap(),
            condition: Condition::OfferableBelow { care_type: CareCode::from("ELV_HC"), below: 3 },
        };
        let alert = Alert { rule, about: About::Region };
        AlertChange { alert, raised_at: Timestamp::from_micros(1_772_442_843_120_000), step }
    }

    fn centre(code: &str) -> CentreId {
        code.parse().unwrap()
    }

    fn json_of(notice: &Notice) -> Value {
        serde_json::from_slice(&notice.message.payload).unwrap()
    }

    #[test]
    fn an_alert_is_a_cloud_event_whose_id_says_which_occurrence_it_is() {
        let raised = change(AlertStep::Raised { because: Because::Offerable(2) });
        let notice = of_alert("node-1", &centre("midden-nl"), &raised).unwrap();
        assert_eq!(notice.message.subject, "acute.midden-nl.offerable-below");
        let event = json_of(&notice);
        let alert = event["data"]["alert"].as_str().unwrap();
        assert_eq!(event["id"], format!("{alert}-raised"));
        assert_eq!(event["time"], "2026-03-02T09:14:03.120Z");
        let expected = json!({
            "alert": alert, "centre": "midden-nl", "kind": "offerable-below", "region": "zk23",
            "care_type": "ELV_HC", "below": 3, "offerable": 2, "since": "2026-03-02T09:14:03.120Z",
        });
        assert_eq!(event["data"], expected);
        let cleared = change(AlertStep::Cleared {
            at: Timestamp::from_micros(1_772_442_900_000_000),
            position: 9,
            by: "bed.freed",
        });
        let cleared = of_alert("node-2", &centre("midden-nl"), &cleared).unwrap();
        assert_eq!(cleared.id, format!("{alert}-cleared"));
        assert_eq!(json_of(&cleared)["data"]["by"], "bed.freed");
        let other = of_alert("node-1", &centre("oost"), &raised).unwrap();
        assert_ne!(other.id, notice.id);
    }

    #[test]
    fn a_stream_says_what_is_raised_and_not_cleared() {
        let raised = change(AlertStep::Raised { because: Because::Offerable(2) });
        let notice = of_alert("node-1", &centre("midden-nl"), &raised).unwrap();
        let mut held = Held::default();
        held.take(b"anything");
        assert!(!held.has(&notice));
        held.take(&notice.message.payload);
        assert!(held.has(&notice));
        let left = held.left(&BTreeSet::new());
        assert_eq!(left.len(), 1);
        assert!(held.left(&BTreeSet::from([left[0].0.clone()])).is_empty());
        let (_, data) = left.into_iter().next().unwrap();
        let removed = of_removed("node-1", &centre("midden-nl"), data, Timestamp::from_micros(0)).unwrap();
        assert_eq!(json_of(&removed)["data"]["by"], "rule.removed");
        held.take(&removed.message.payload);
        assert!(held.left(&BTreeSet::new()).is_empty());
    }
}
