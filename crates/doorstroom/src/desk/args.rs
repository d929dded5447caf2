//! What a person types: the parts of the commands, read once.

use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use domain::desk::Step;
use domain::{
    AgeBand, BedId, CareType, ContactKind, EventId, Feature, LocationId, OfferId, Origin, Purpose,
    ReferralId, RegionId, Role, StayId, Urgency,
};
use serde_json::{Value, json};

use super::client::{self, Client};
use super::codes::{codes, contacts, steps};
use crate::failure::Failure;

/// The longest private text that is read, in bytes; the API says what is too much.
const PRIVATE_BYTES_MAX: u64 = 64 * 1024;

/// Which region a command is about.
#[derive(Args, Clone, Debug)]
pub(super) struct Found {
    /// The region, where it is another than the desk's own
    #[arg(long = "of", value_name = "REGION")]
    of: Option<RegionId>,
}

impl Found {
    pub(super) fn region(&self, client: &Client) -> Result<RegionId, Failure> {
        let region = self.of.clone().or_else(|| client.region.clone());
        region.ok_or_else(|| Failure::usage("say which region: `desk --region zk23 …`, or --of zk23"))
    }
}

/// A referral.
#[derive(Args, Clone, Debug)]
pub(super) struct Referral {
    /// The referral's id
    #[arg(value_name = "REFERRAL")]
    referral: ReferralId,
}

impl Referral {
    pub(super) fn path(&self) -> String {
        format!("/referrals/{}", self.referral)
    }
}

/// A stay.
#[derive(Args, Clone, Debug)]
pub(super) struct Stay {
    /// The stay's id
    #[arg(value_name = "STAY")]
    stay: StayId,
}

impl Stay {
    pub(super) fn path(&self) -> String {
        format!("/stays/{}", self.stay)
    }
}

/// An offer, by its own id or by the location that was asked.
#[derive(Args, Clone, Debug)]
pub(super) struct Answer {
    #[command(flatten)]
    referral: Referral,
    /// The location that was asked, or the offer's id
    #[arg(value_name = "LOCATION|OFFER")]
    offer: String,
    /// With whom the desk spoke on the telephone
    #[arg(long, value_name = "ROLE", value_parser = codes(Role::KNOWN))]
    pub(super) spoken_with: Option<String>,
}

impl Answer {
    /// The address of the offer and what is said of it.
    pub(super) fn path(&self, client: &Client, what: &str) -> Result<String, Failure> {
        let offer = match self.offer.parse::<OfferId>() {
            Ok(offer) => offer.to_string(),
            Err(_) => self.at_location(client)?,
        };
        Ok(format!("{}/offers/{offer}/{what}", self.referral.path()))
    }

    /// The last offer to this location.
    fn at_location(&self, client: &Client) -> Result<String, Failure> {
        let shown = client.ask(&self.referral.path(), None)?;
        let offers = shown.get("offers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let here =
            offers.iter().filter(|offer| offer.get("location").and_then(Value::as_str) == Some(&self.offer));
        // Ids begin with a time: the greatest is the newest.
        let newest = here.filter_map(|offer| offer.get("offer").and_then(Value::as_str)).max();
        newest.map(str::to_owned).ok_or_else(|| {
            Failure::usage(format!(
                "{} was not asked for this referral; `desk show` tells who was",
                self.offer
            ))
        })
    }
}

/// A bed as LOCATION/BED, or a location.
#[derive(Clone, Debug)]
pub(super) struct Bed {
    location: LocationId,
    bed: Option<BedId>,
}

impl FromStr for Bed {
    type Err = domain::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((location, bed)) => Ok(Self { location: location.parse()?, bed: Some(bed.parse()?) }),
            None => Ok(Self { location: text.parse()?, bed: None }),
        }
    }
}

impl Bed {
    pub(super) fn place(&self, care_type: &str) -> Value {
        json!({ "location": self.location, "bed": self.bed, "care_type": care_type })
    }

    pub(super) fn asked(&self, care_type: &str, act: Option<EventId>) -> Value {
        let mut asked = self.place(care_type);
        if let Some(asked) = asked.as_object_mut() {
            let what = format!("offer {}/{:?}", self.location, self.bed);
            asked.insert("offer".to_owned(), client::id_of(act, &what).into());
        }
        asked
    }

    pub(super) fn path(&self) -> Result<String, Failure> {
        let Some(bed) = &self.bed else { return Err(Failure::usage("say which bed: LOCATION/BED")) };
        Ok(format!("/locations/{}/beds/{bed}", self.location))
    }
}

/// What is known of somebody.
#[derive(Args, Debug)]
pub(super) struct Profile {
    #[command(flatten)]
    pub(super) of: Found,
    /// Who asks
    #[arg(long, value_parser = codes(Origin::KNOWN))]
    origin: String,
    /// How soon
    #[arg(long, value_parser = codes(Urgency::KNOWN))]
    urgency: String,
    /// The care type asked for
    #[arg(long, value_name = "CODE", value_parser = codes(CareType::KNOWN))]
    care_type: Option<String>,
    /// The first two digits of the postcode
    #[arg(long, value_name = "DIGITS")]
    area: Option<String>,
    /// Age in a band
    #[arg(long, value_name = "BAND", value_parser = codes(AgeBand::KNOWN))]
    age: Option<String>,
    /// Sex as recorded by the referrer
    #[arg(long)]
    sex: Option<String>,
    /// What the place must offer; may be given more than once
    #[arg(long = "needs", value_name = "FEATURE", value_parser = codes(Feature::KNOWN))]
    needs: Vec<String>,
    /// Since when the person could go
    #[arg(long, value_name = "TIME", value_parser = moment)]
    ready_since: Option<String>,
    /// When a place is wished for
    #[arg(long, value_name = "TIME", value_parser = moment)]
    wished_at: Option<String>,
    /// Expected length of stay in days
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,
    /// What the stay is for
    #[arg(long, value_parser = codes(Purpose::KNOWN))]
    purpose: Option<String>,
    /// Who pays
    #[arg(long)]
    payer: Option<String>,
    /// How it came in
    #[arg(long, default_value = "phone")]
    channel: String,
    /// The person agreed to being referred
    #[arg(long)]
    consent: bool,
    /// The likely doubles were looked at: this is another person
    #[arg(long)]
    not_a_double: bool,
    /// Who it is and what else people should know, from this file (- for standard input): kept sealed only
    #[arg(long, value_name = "FILE")]
    private: Option<PathBuf>,
}

impl Profile {
    pub(super) fn body(&self, region: &RegionId, id: &str) -> Result<Value, Failure> {
        let private = self.private.as_ref().map(read_private).transpose()?;
        Ok(json!({
            "region": region,
            "referral": id,
            "not_a_double": self.not_a_double,
            "private": private,
            "profile": {
                "origin": self.origin,
                "urgency": self.urgency,
                "care_type": self.care_type,
                "area": self.area,
                "age_band": self.age,
                "sex": self.sex,
                "constraints": self.needs,
                "ready_since": self.ready_since,
                "wished_at": self.wished_at,
                "expected_days": self.days,
                "purpose": self.purpose,
                "payer": self.payer,
                "channel": self.channel,
                "consent": self.consent,
            },
        }))
    }
}

/// A moment as people type it: with its zone, or on the clock of the Netherlands, there today if no day is said.
pub(super) fn moment(text: &str) -> Result<String, String> {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    let today = || text.parse::<jiff::civil::Time>().ok().map(|time| client::today().to_datetime(time));
    let local = text.parse::<jiff::civil::DateTime>().ok().filter(|_| text.contains(':')).or_else(today);
    let zoned = local.and_then(|local| local.to_zoned(client::AMSTERDAM.clone()).ok());
    zoned.map(|zoned| zoned.timestamp().to_string()).ok_or_else(|| {
        "not a time: 14:00, 2026-03-05T14:00, or with its zone 2026-03-05T14:00:00+01:00".to_owned()
    })
}

/// A text that must not stand on the command line, where every user of the machine could read it.
pub(super) fn read_private(file: &PathBuf) -> Result<String, Failure> {
    let unreadable = |error| Failure::new(format!("{} can not be read", file.display()), error);
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(PRIVATE_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(PRIVATE_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(unreadable)?;
    Ok(text)
}

/// A weighing.
#[derive(Args, Debug)]
pub(super) struct Weighing {
    #[command(flatten)]
    pub(super) referral: Referral,
    /// The instrument with its version, as `desk questions` tells it
    #[arg(long)]
    instrument: String,
    /// An answer, such as wlz=no; may be given more than once. `desk questions` tells the questions, and what each comes to
    #[arg(long = "answer", value_name = "QUESTION=yes|no")]
    answers: Vec<String>,
    /// What is decided instead of the outcome of the answers
    #[arg(long, value_name = "CODE", requires = "reason", value_parser = codes(CareType::KNOWN))]
    set_aside: Option<String>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// Who decided
    #[arg(long, default_value = "nurse", value_name = "ROLE", value_parser = codes(Role::KNOWN))]
    decided_by: String,
    /// The specialist who was consulted
    #[arg(long, value_name = "ROLE", value_parser = codes(Role::KNOWN))]
    consulted: Option<String>,
}

impl Weighing {
    pub(super) fn body(&self) -> Result<Value, Failure> {
        let answer = |text: &String| match text.split_once('=') {
            Some((question, "yes")) => Ok(json!({ "question": question, "yes": true })),
            Some((question, "no")) => Ok(json!({ "question": question, "yes": false })),
            Some(_) | None => Err(Failure::usage("an answer is QUESTION=yes or QUESTION=no")),
        };
        let answers = self.answers.iter().map(answer).collect::<Result<Vec<Value>, Failure>>()?;
        Ok(json!({
            "instrument": self.instrument,
            "answers": answers,
            "set_aside": self.set_aside,
            "reason": self.reason,
            "decided_by": self.decided_by,
            "consulted": self.consulted,
        }))
    }
}

/// The plan of a stay with these items, as `aid=arranged`; what is not named stays as it is.
pub(super) fn plan_with(stay: &Value, items: &[String]) -> Result<Vec<Value>, Failure> {
    let mut plan = stay.get("plan").and_then(Value::as_array).cloned().unwrap_or_default();
    for text in items {
        let (item, state) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage("an item of a plan is ITEM=STATE, such as aid=arranged"))?;
        let known = plan.iter_mut().find(|known| known.get("item").and_then(Value::as_str) == Some(item));
        match known.and_then(Value::as_object_mut) {
            Some(known) => drop(known.insert("state".to_owned(), state.into())),
            None => plan.push(json!({ "item": item, "state": state })),
        }
    }
    Ok(plan)
}

/// A duty handed over.
#[derive(Args, Debug)]
pub(super) struct Duty {
    #[command(flatten)]
    pub(super) of: Found,
    /// Who stands in: the region of a desk or the name of a centre
    #[arg(long)]
    to: String,
    /// Until when
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: String,
    /// A step it may take; may be given more than once
    #[arg(long = "step", value_name = "STEP", default_value = Step::EVERY, value_parser = steps())]
    steps: Vec<String>,
}

impl Duty {
    pub(super) fn body(&self) -> Value {
        json!({ "to": self.to, "until": self.until, "mandate": self.steps })
    }
}

/// A contact.
#[derive(Args, Debug)]
pub(super) struct Contact {
    #[command(flatten)]
    pub(super) of: Found,
    /// With whom
    #[arg(value_parser = contacts())]
    with: String,
    /// How long, in minutes
    #[arg(long)]
    minutes: u32,
    /// What kind
    #[arg(long, default_value = "call", value_parser = codes(ContactKind::KNOWN))]
    kind: String,
    /// What about
    #[arg(long)]
    about: Option<String>,
    /// About whom
    #[arg(long)]
    referral: Option<ReferralId>,
}

impl Contact {
    pub(super) fn body(&self, id: &str) -> Value {
        json!({
            "contact": id,
            "kind": self.kind,
            "with": self.with,
            "about": self.about,
            "minutes": self.minutes,
            "referral": self.referral,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_one_of_the_clock_on_the_wall() {
        let read = |text| moment(text).unwrap();
        assert_eq!(read("2026-03-05T14:00:00+01:00"), "2026-03-05T14:00:00+01:00");
        assert_eq!(read("2026-03-05T14:00"), "2026-03-05T13:00:00Z");
        assert_eq!(read("2026-07-05 14:00"), "2026-07-05T12:00:00Z");
        assert!(read("14:00").contains(&client::today().to_string()));
        for text in ["noon", "2026-03-05", "25:00", ""] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_plan_keeps_what_is_not_named() {
        let stay = json!({ "plan": [{ "item": "aid", "state": "open", "due": "x" }, { "item": "gp", "state": "done" }] });
        let plan = plan_with(&stay, &["aid=arranged".to_owned(), "care-at-home=open".to_owned()]).unwrap();
        let wanted = json!([
            { "item": "aid", "state": "arranged", "due": "x" },
            { "item": "gp", "state": "done" },
            { "item": "care-at-home", "state": "open" },
        ]);
        assert_eq!(Value::Array(plan), wanted);
        assert!(plan_with(&stay, &["aid".to_owned()]).is_err());
    }

    #[test]
    fn an_act_that_is_sent_again_makes_the_same_again() {
        let act: EventId = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".parse().unwrap();
        let id = |what| client::id_of(Some(act), what);
        assert_eq!(id("referral"), id("referral"));
        assert_ne!(id("offer zk23-de-linde/None"), id("offer zk23-de-beuk/None"));
        assert!(id("stay").parse::<EventId>().is_ok() && id("stay").starts_with("019391f2-6f00-7"));
        assert_ne!(client::id_of(None, "stay"), client::id_of(None, "stay"));
    }

    #[test]
    fn a_bed_is_written_with_its_location() {
        let bed: Bed = "zk23-de-linde/12".parse().unwrap();
        assert_eq!(bed.path().unwrap(), "/locations/zk23-de-linde/beds/12");
        let house: Bed = "zk23-de-linde".parse().unwrap();
        assert!(house.path().is_err());
        assert_eq!(house.place("GRZ")["bed"], Value::Null);
        assert!("De Linde/12".parse::<Bed>().is_err());
    }
}
