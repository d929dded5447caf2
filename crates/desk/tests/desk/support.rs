//! A desk over a log in a folder, and what people do there.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use desk::{Config, Desk, DeskError, Done};
use domain::desk::{Act, Actor, Asked, Command, Refusal};
use domain::testing::{added, label};
use domain::{
    Event, EventId, Fact, LocationMode, LocationProfile, OfferId, OfferRef, Place, ReferralId,
    ReferralProfile, RegionId, Role, StayId, Timestamp, Urgency,
};
use eventlog::{AppendCondition, EventLog, Options};
use recorder::InnerDoor;
use tempfile::TempDir;
use tests::Hand;
use uuid::Uuid;

pub(crate) const ZK23: &str = "zk23";
pub(crate) const HC: &str = "ELV_HC";
pub(crate) const MINUTE: i64 = 60_000_000;
/// When the tests begin.
pub(crate) const NINE: &str = "2026-03-02T09:00:00Z";

pub(crate) fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn uuid(number: u64) -> Uuid {
    Uuid::from_u128((7 << 76) | (0b10 << 62) | (u128::from(number) << 12))
}

pub(crate) fn referral(number: u64) -> ReferralId {
    ReferralId::new(uuid(0x100_0000 + number)).unwrap()
}

pub(crate) fn offer(number: u64) -> OfferId {
    OfferId::new(uuid(0x200_0000 + number)).unwrap()
}

pub(crate) fn stay(number: u64) -> StayId {
    StayId::new(uuid(0x300_0000 + number)).unwrap()
}

pub(crate) fn offer_ref(number: u64, of: u64, location: &str) -> OfferRef {
    OfferRef { offer: offer(number), referral: referral(of), location: parse(location) }
}

/// A node without a bus: its log, its inner door, its desk.
pub(crate) struct Node {
    pub(crate) dir: Arc<TempDir>,
    pub(crate) log: EventLog,
    pub(crate) door: InnerDoor,
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<Hand>,
    task: projector::Task,
}

static IDS: AtomicU64 = AtomicU64::new(0x1000_0000);

pub(crate) fn next_id() -> EventId {
    EventId::new(uuid(IDS.fetch_add(0x100, Ordering::Relaxed))).unwrap()
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::open(Arc::new(TempDir::new().unwrap()), parse(NINE))
    }

    pub(crate) fn open(dir: Arc<TempDir>, at: Timestamp) -> Self {
        let clock = Arc::new(Hand::at(at.as_micros()));
        let (log, _) =
            EventLog::open(&dir.path().join("log"), Options::new(Arc::<Hand>::clone(&clock))).unwrap();
        let door = InnerDoor::new(log.clone(), Arc::default());
        let config = Config::new(dir.path().join("desk"), parse("urn:keeper"));
        let config = Config { clock: Arc::<Hand>::clone(&clock), ..config };
        let (desk, task) = config.start(door.clone()).unwrap();
        Self { dir, log, door, desk, clock, task }
    }

    /// Ends it, as a restart does.
    pub(crate) async fn close(self) -> Arc<TempDir> {
        let Self { dir, log, door, desk, clock: _, task } = self;
        task.shutdown().await;
        drop((door, desk));
        log.close().await;
        dir
    }

    /// A location with these beds takes part.
    pub(crate) async fn opens(&self, location: &str, beds: &[&str]) {
        let profile = LocationProfile {
            location: parse(location),
            provider: label("zorgdragers"),
            name: label(location),
            mode: LocationMode::Beds,
            care_types: vec![HC.into()],
            postcode4: None,
            phone: None,
            phone_night: None,
            wards: Vec::new(),
        };
        self.told(Fact::LocationRegistered(profile)).await;
        for bed in beds {
            self.told(added(location, bed, &[HC])).await;
        }
    }

    /// A fact past all rules, as it comes over the bus.
    pub(crate) async fn told(&self, fact: Fact) -> u64 {
        let (id, time) = (next_id(), self.desk.now());
        let event =
            Event { source: parse("urn:location"), id, time, region: parse(ZK23), occurred_at: time, fact };
        self.door.record(&[event], AppendCondition::default()).await.unwrap().position
    }

    pub(crate) fn command(&self, by: Actor, act: Act) -> Command {
        command(&self.desk, by, act)
    }

    pub(crate) async fn desk_does(&self, act: Act) -> Result<Done, DeskError> {
        let region: RegionId = parse(ZK23);
        self.desk.handle(self.command(Actor::Desk(region), act)).await
    }

    pub(crate) async fn location_does(&self, location: &str, act: Act) -> Result<Done, DeskError> {
        self.desk.handle(self.command(Actor::Location(parse(location)), act)).await
    }

    /// The kinds of everything that is recorded, in order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let records = self.log.reader().read(eventlog::Query::default());
        let kind = |kind: &str| kind["nl.doorstroom.".len()..].trim_end_matches(".v1").to_owned();
        records.map(|record| kind(&record.unwrap().kind)).collect()
    }

    /// How often something of this kind is recorded.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|of| *of == kind).count()
    }
}

pub(crate) fn command(desk: &Desk, by: Actor, act: Act) -> Command {
    let source = match &by {
        Actor::Desk(region) => format!("urn:desk:{region}"),
        Actor::Location(_) => "urn:location".to_owned(),
        Actor::Centre(_) | Actor::Referrer | Actor::Keeper => "urn:other".to_owned(),
    };
    let (id, region, at) = (next_id(), parse(ZK23), desk.now());
    Command { id, source: parse(&source), region, at, occurred_at: None, by, act }
}

/// A crisis: nothing has to come before an offer, and the first yes wins.
pub(crate) fn make(number: u64) -> Act {
    let profile = ReferralProfile {
        referral: referral(number),
        origin: "gp".into(),
        care_type: Some(HC.into()),
        urgency: Urgency::Crisis,
        ready_since: None,
        wished_at: None,
        area: None,
        age_band: None,
        sex: None,
        constraints: Vec::new(),
        expected_days: None,
        purpose: None,
        channel: label("phone"),
        payer: None,
        consent: true,
        callback_desk: None,
        sealed: None,
    };
    Act::MakeReferral { profile, not_a_double: false }
}

pub(crate) fn ask(of: u64, to: &[(u64, &str)]) -> Act {
    let asked = |(number, location): &(u64, &str)| Asked {
        offer: offer(*number),
        location: parse(location),
        bed: None,
        care_type: HC.into(),
    };
    Act::SendOffers {
        referral: referral(of),
        to: to.iter().map(asked).collect(),
        answer_by: None,
        receipt: None,
    }
}

pub(crate) fn yes(offer: OfferRef, bed: Option<&str>, from: Timestamp) -> Act {
    let bed = bed.map(parse);
    Act::AcceptOffer { offer, bed, care_type: HC.into(), from, role: Role::Nurse, spoken_with: None }
}

pub(crate) fn admit(number: u64, of: Option<u64>, location: &str, bed: &str) -> Act {
    let place = Place { location: parse(location), bed: Some(parse(bed)), care_type: HC.into() };
    let referral = of.map(referral);
    Act::Admit { stay: stay(number), referral, place, funding: None, triage: None, plan: Vec::new() }
}

#[track_caller]
pub(crate) fn refusal(outcome: Result<Done, DeskError>) -> Refusal {
    match outcome {
        Err(DeskError::Refused(refusal)) => refusal,
        other => panic!("it is refused: {other:?}"),
    }
}
