//! One of each thing the gateway publishes or answers, made by the code that does: for the description of the bus.
//!
//! Not here: the description (`doorstroom asyncapi`).

use bus::alarm::Alarm;
use domain::{LocationId, Timestamp};
use serde_json::Value;
use views::{About, Alert, AlertChange, AlertStep, Because, CareCode, Condition, Rule};

use crate::{head, history, notice, service};

/// What is said by an example of each kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// A heartbeat of a log with events, and of one without.
    pub heads: Vec<Value>,
    /// Alerts of every kind, raised and cleared.
    pub alerts: Vec<Value>,
    /// An alarm of the node.
    pub alarms: Vec<Value>,
    /// An answer of the service `history`, with an event in JSON and one in other bytes.
    pub history: Vec<Value>,
    /// A refusal of a service.
    pub refusals: Vec<Value>,
}

/// The moment of the examples.
const MOMENT: Timestamp = Timestamp::from_micros(1_772_442_843_120_000);

/// One of each.
///
/// # Errors
/// Never: all are plain data.
pub fn examples() -> Result<Examples, serde_json::Error> {
    let position = 31_917;
    let alarm = Alarm {
        region: "zk23".parse().ok(),
        sender: "zk23-de-linde".parse().ok(),
        position: Some(position),
        security: true,
        ..Alarm::new("bad_signature", "the signature is of another key: see `doorstroom quarantine`")
    };
    let alarm = notice::of_alarm("node", &alarm, (MOMENT, 1), (1, 0))?;
    let refusal =
        service::Refusal::new(403, "not_your_region", "zk01 is not a region of your centre.".to_owned());
    Ok(Examples {
        heads: head::examples(MOMENT)?,
        alerts: alerts(position)?,
        alarms: vec![serde_json::from_slice(&alarm.message.payload)?],
        history: vec![history::example(MOMENT)?],
        refusals: vec![serde_json::to_value(refusal)?],
    })
}

fn alerts(position: u64) -> Result<Vec<Value>, serde_json::Error> {
    let (Ok(region), Ok(centre), Ok(location)) =
        ("zk23".parse(), "midden-nl".parse(), "zk23-de-linde".parse::<LocationId>())
    else {
        return Ok(Vec::new());
    };
    let referral = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".parse().map_or(About::Region, About::Referral);
    let low = Condition::OfferableBelow { care_type: CareCode::from("ELV_HC"), below: 3 };
    let of = |condition: Condition, about: About, step: AlertStep| {
        let rule = Rule { region: domain::RegionId::clone(&region), condition };
        let change = AlertChange { alert: Alert { rule, about }, raised_at: MOMENT, step };
        let notice = notice::of_alert("node", &centre, &change)?;
        serde_json::from_slice(&notice.message.payload)
    };
    let raised = |because: Because| AlertStep::Raised { because };
    let cleared = AlertStep::Cleared { at: MOMENT, position, by: "bed.freed" };
    [
        of(low, About::Region, raised(Because::Offerable(2))),
        of(low, About::Region, cleared),
        of(Condition::CrisisUnplaced { minutes: 30 }, referral, raised(Because::WaitsSince(MOMENT))),
        of(
            Condition::LocationSilent { hours: 26 },
            About::Location(location),
            raised(Because::LastWord(MOMENT)),
        ),
        of(Condition::RegionSilent { hours: 4 }, About::Region, raised(Because::LastWord(MOMENT))),
    ]
    .into_iter()
    .collect()
}
