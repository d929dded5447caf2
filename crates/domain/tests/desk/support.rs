//! A desk in a few words: a log in memory, people who want things, and what came of it.
//!
//! Every decision is made as a shell makes it: from the events of its scope only, and recorded on the condition that no
//! such event came after them. Every one is compared with the decision from all events.

use std::str::FromStr;

use domain::desk::{
    Act, Actor, Asked, Command, Refusal, RegionRules, RuleBook, Scope, State, decide, due, evolve,
};
use domain::testing::{added, label, reported};
use domain::{
    AgeBand, BedId, CareType, Event, EventId, Fact, Label, LocationId, LocationMode, LocationProfile,
    OfferId, OfferRef, Place, ReferralId, ReferralProfile, Role, Sealed, SourceId, StayId, Timestamp,
    Urgency,
};
use uuid::Uuid;

pub(crate) const ZK23: &str = "zk23";
pub(crate) const ZK24: &str = "zk24";
/// Beds 1 and 2.
pub(crate) const LINDE: &str = "zk23-linde";
/// Bed 1.
pub(crate) const EIK: &str = "zk23-eik";
/// Reports counts: two can be offered.
pub(crate) const BERK: &str = "zk23-berk";
/// Bed 1, in the other region.
pub(crate) const VLIET: &str = "zk24-vliet";
pub(crate) const HC: &str = "ELV_HC";

const MINUTE: i64 = 60_000_000;

pub(crate) fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// An id that reads as a number in a failed test, and is a UUIDv7.
fn uuid(number: u64) -> Uuid {
    Uuid::from_u128((7 << 76) | (0b10 << 62) | (u128::from(number) << 12))
}

pub(crate) fn referral(number: u64) -> ReferralId {
    ReferralId::new(uuid(0x1_0000 + number)).unwrap()
}

pub(crate) fn offer(number: u64) -> OfferId {
    OfferId::new(uuid(0x2_0000 + number)).unwrap()
}

pub(crate) fn stay(number: u64) -> StayId {
    StayId::new(uuid(0x3_0000 + number)).unwrap()
}

pub(crate) fn place(location: &str, bed: &str) -> Place {
    Place { location: parse(location), bed: Some(parse(bed)), care_type: HC.into() }
}

pub(crate) fn sealed() -> Sealed {
    let [scheme, key, nonce] = ["xchacha20poly1305", "k1", "bm9uY2U="].map(label);
    Sealed { scheme, key, nonce, ciphertext: "Z2VoZWlt".to_owned() }
}

/// Somebody who needs a place. Everybody is of another age and area, unless a test makes them alike.
pub(crate) fn profile(number: u64, urgency: Urgency) -> ReferralProfile {
    let ages = AgeBand::KNOWN;
    ReferralProfile {
        referral: referral(number),
        origin: "gp".into(),
        care_type: Some(HC.into()),
        urgency,
        ready_since: None,
        wished_at: None,
        area: Some(label(&format!("{:02}", number % 90 + 10))),
        age_band: Some(ages[usize::try_from(number).unwrap() % ages.len()].into()),
        sex: None,
        constraints: Vec::new(),
        expected_days: None,
        purpose: None,
        channel: label("phone"),
        payer: None,
        consent: true,
        callback_desk: None,
        sealed: Some(sealed()),
    }
}

pub(crate) fn asked(number: u64, location: &str) -> Asked {
    Asked { offer: offer(number), location: parse(location), bed: None, care_type: HC.into() }
}

pub(crate) fn offer_ref(number: u64, of: u64, location: &str) -> OfferRef {
    OfferRef { offer: offer(number), referral: referral(of), location: parse(location) }
}

/// A yes of the location itself, from now on, on any bed of the type.
pub(crate) fn yes(offer: OfferRef, from: Timestamp) -> Act {
    let role = Role::Nurse;
    Act::AcceptOffer { offer, bed: None, care_type: HC.into(), from, role, spoken_with: None }
}

/// The same on a bed.
pub(crate) fn yes_on(offer: OfferRef, bed: &str, from: Timestamp) -> Act {
    let bed: Option<BedId> = Some(parse(bed));
    Act::AcceptOffer { offer, bed, care_type: HC.into(), from, role: Role::Nurse, spoken_with: None }
}

/// A yes that the desk wrote down on the telephone.
pub(crate) fn yes_by_telephone(offer: OfferRef, from: Timestamp) -> Act {
    let spoken_with = Some(Role::Nurse);
    Act::AcceptOffer { offer, bed: None, care_type: HC.into(), from, role: Role::Nurse, spoken_with }
}

pub(crate) fn no(offer: OfferRef, code: &str) -> Act {
    Act::DeclineOffer { offer, code: code.into(), spoken_with: None }
}

pub(crate) fn take_back(offer: OfferRef, code: &str) -> Act {
    Act::TakeBackPromise { offer, code: code.into(), spoken_with: None }
}

pub(crate) fn ask(of: u64, to: &[(u64, &str)]) -> Act {
    let to = to.iter().map(|(number, location)| asked(*number, location)).collect();
    Act::SendOffers { referral: referral(of), to, answer_by: None, receipt: None }
}

pub(crate) fn make(number: u64, urgency: Urgency) -> Act {
    Act::MakeReferral { profile: profile(number, urgency), not_a_double: false }
}

/// The weighing that comes to `ELV_HC`.
pub(crate) fn weigh(number: u64) -> Act {
    let answers = [
        ("specialist", false),
        ("psychiatric", false),
        ("wlz", false),
        ("stay", true),
        ("palliative", false),
        ("rehabilitation", false),
        ("unclear", false),
        ("interacting", true),
    ];
    let answer =
        |(question, yes): &(&str, bool)| domain::desk::Answer { question: (*question).to_owned(), yes: *yes };
    Act::Triage {
        referral: referral(number),
        instrument: label("afweging-1"),
        answers: answers.iter().map(answer).collect(),
        set_aside: None,
        reason: None,
        decided_by: Role::Nurse,
        consulted: None,
        sealed: Some(sealed()),
    }
}

pub(crate) fn admit(number: u64, of: Option<u64>, place: Place) -> Act {
    Act::Admit {
        stay: stay(number),
        referral: of.map(referral),
        place,
        funding: None,
        triage: None,
        plan: Vec::new(),
    }
}

pub(crate) fn report(fact: Fact) -> Act {
    Act::Report { fact }
}

fn registered(location: &str, mode: LocationMode) -> Fact {
    Fact::LocationRegistered(profile_of(location, mode))
}

/// What a location says of itself.
pub(crate) fn profile_of(location: &str, mode: LocationMode) -> LocationProfile {
    LocationProfile {
        location: parse(location),
        provider: label("zorgdragers"),
        name: label(location),
        mode,
        care_types: vec![HC.into(), "ELV_LC".into()],
        postcode4: None,
        phone: None,
        phone_night: None,
        wards: Vec::new(),
    }
}

/// A log in memory, and what people do.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) log: Vec<Event>,
    pub(crate) now: Timestamp,
    rules: RegionRules,
    ids: u64,
}

/// What came of a command.
#[must_use]
#[derive(Debug)]
pub(crate) struct Then(pub(crate) Result<Vec<Event>, Refusal>);

impl Then {
    /// These events were recorded, in this order.
    #[track_caller]
    pub(crate) fn records(self, kinds: &[&str]) -> Vec<Event> {
        let events = self.0.unwrap_or_else(|refusal| panic!("{}: {}", refusal.code(), refusal.en()));
        assert_eq!(events.iter().map(|event| event.fact.kind()).collect::<Vec<_>>(), kinds);
        events
    }

    /// It was refused for this.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Refusal {
        let refusal = self.0.expect_err("it is refused");
        assert_eq!(refusal.code(), code, "{}", refusal.en());
        refusal
    }
}

impl Story {
    /// At a moment, with the locations of two regions and their beds.
    pub(crate) fn at(moment: &str) -> Self {
        let mut story = Self::small(moment, &RegionRules::default());
        for (location, beds) in [(LINDE, &["1", "2"][..]), (EIK, &["1"]), (VLIET, &["1"])] {
            story.opens(location, beds);
        }
        story.says(BERK, registered(BERK, LocationMode::Counts));
        story.says(BERK, reported(BERK, HC, 10, 8, 2));
        story
    }

    /// At a moment, with nothing yet.
    pub(crate) fn small(moment: &str, rules: &RegionRules) -> Self {
        Self { log: Vec::new(), now: parse(moment), rules: rules.clone(), ids: 0x10_0000 }
    }

    /// A location with these beds takes part.
    pub(crate) fn opens(&mut self, location: &str, beds: &[&str]) {
        self.says(location, registered(location, LocationMode::Beds));
        for bed in beds {
            self.says(location, added(location, bed, &[HC]));
        }
    }

    /// With other rules in every region.
    pub(crate) fn under(mut self, change: impl FnOnce(&mut RegionRules)) -> Self {
        change(&mut self.rules);
        self
    }

    pub(crate) fn minutes_later(&mut self, minutes: i64) -> &mut Self {
        self.now = self.in_minutes(minutes);
        self
    }

    pub(crate) fn in_minutes(&self, minutes: i64) -> Timestamp {
        self.now.saturating_add_micros(minutes * MINUTE)
    }

    /// A desk of a region does something.
    pub(crate) fn desk(&mut self, region: &str, act: Act) -> Then {
        self.act(region, Actor::Desk(parse(region)), act)
    }

    /// A location does something about itself.
    pub(crate) fn location(&mut self, location: &str, act: Act) -> Then {
        self.act(&location[..4], Actor::Location(parse(location)), act)
    }

    /// A fact that a location states, past all rules.
    pub(crate) fn says(&mut self, location: &str, fact: Fact) -> EventId {
        self.told(&location[..4], fact)
    }

    /// A fact of a region that came over the bus, past all rules.
    pub(crate) fn told(&mut self, region: &str, fact: Fact) -> EventId {
        let event = self.event(region, fact);
        self.log.push(event.clone());
        event.id
    }

    /// An event that came over the bus.
    pub(crate) fn event(&mut self, region: &str, fact: Fact) -> Event {
        let (source, id): (SourceId, _) = (parse("urn:location"), self.next_id());
        Event { source, id, time: self.now, region: parse(region), occurred_at: self.now, fact }
    }

    /// Somebody does something, for the desk of a region.
    pub(crate) fn act(&mut self, region: &str, by: Actor, act: Act) -> Then {
        let command = self.command(region, by, act);
        self.submit(&command)
    }

    pub(crate) fn command(&mut self, region: &str, by: Actor, act: Act) -> Command {
        let kind = match &by {
            Actor::Desk(region) => format!("urn:desk:{region}"),
            Actor::Location(_) => "urn:location".to_owned(),
            Actor::Centre(_) => "urn:centre".to_owned(),
            Actor::Referrer => "urn:referrer".to_owned(),
            Actor::Keeper => "urn:keeper".to_owned(),
        };
        let id = self.next_id();
        Command { id, source: parse(&kind), region: parse(region), at: self.now, occurred_at: None, by, act }
    }

    pub(crate) fn submit(&mut self, command: &Command) -> Then {
        let decided = self.decide(command);
        if let Ok(events) = &decided {
            self.log.extend(events.iter().cloned());
        }
        Then(decided)
    }

    /// Decides from what the scope asks for, and from everything: both say the same.
    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let (state, _) = self.fold(command, self.log.len());
        let decided = decide(&state, command);
        let everything = self.state();
        assert_eq!(decided, decide(&everything, command), "the scope of {:?} is too narrow", command.act);
        decided
    }

    /// What a command stands on, among the first events of the log.
    pub(crate) fn fold(&self, command: &Command, until: usize) -> (State, Scope) {
        let narrow = Scope::of(command);
        let state = self.fold_scope(&narrow, until);
        match narrow.wider(command, &state) {
            Some(wider) => (self.fold_scope(&wider, until), wider),
            None => (state, narrow),
        }
    }

    fn fold_scope(&self, scope: &Scope, until: usize) -> State {
        let meant = self.log[..until].iter().filter(|event| scope.matches(event));
        meant.fold(State::new(book(&self.rules)), evolve)
    }

    /// What is so, from everything.
    pub(crate) fn state(&self) -> State {
        self.log.iter().fold(State::new(book(&self.rules)), evolve)
    }

    /// What was so after the first events of the log.
    pub(crate) fn up_to(&self, position: usize) -> State {
        self.log[..position].iter().fold(State::new(book(&self.rules)), evolve)
    }

    /// The keeper of a region looks at its clock and does what fell due. The kinds of what it recorded.
    pub(crate) fn keeper(&mut self, region: &str) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        for due in due(&self.state(), self.now).into_iter().filter(|due| due.region.as_str() == region) {
            let command = due.command(parse("urn:keeper"), self.now);
            let Then(events) = self.submit(&command);
            kinds.extend(events.unwrap().iter().map(|event| event.fact.kind()));
        }
        kinds
    }

    fn next_id(&mut self) -> EventId {
        self.ids += 1;
        EventId::new(uuid(self.ids)).unwrap()
    }
}

/// Somebody in need is promised bed 1 of De Linde.
pub(crate) fn promised(story: &mut Story) {
    referred(story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let yes = yes_on(offer_ref(1, 1, LINDE), "1", now);
    let _ = story.location(LINDE, yes).records(&["offer.accepted", "offer.chosen", "hold.granted"]);
}

/// A referral that is ready to be offered: made, and weighed where that comes first.
pub(crate) fn referred(story: &mut Story, number: u64, urgency: Urgency) {
    let planned = urgency != Urgency::Crisis;
    let _ = story.desk(ZK23, make(number, urgency)).records(&["referral.made"]);
    if planned {
        let _ = story.desk(ZK23, weigh(number)).records(&["referral.triaged"]);
    }
}

pub(crate) fn location(text: &str) -> LocationId {
    parse(text)
}

pub(crate) fn labels(texts: &[&str]) -> Vec<Label> {
    texts.iter().map(|text| label(text)).collect()
}

pub(crate) fn care(code: &str) -> CareType {
    code.into()
}

/// The same rules for every region.
pub(crate) fn book(rules: &RegionRules) -> RuleBook {
    RuleBook { default: rules.clone(), ..RuleBook::default() }
}
