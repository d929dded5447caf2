//! Which events a decision stands on: what to fold before it, and what must not have been added when it is recorded (the
//! dynamic consistency boundary). A pure function of the command.
//!
//! Every decision folds its items up to one position of the log and is appended on the condition that nothing that
//! matches them came after it. So of two decisions that each write what the other read, the later one is made anew.
//! Not here: the log.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::{Act, Command, State};
use crate::availability::Taken;
use crate::{BedRef, Event, LocationId, Names, ReferralId, RegionId, StayId};

/// At most so many items are added by [`Scope::wider`]: a location with more beds taken has its oldest left as believed,
/// which can refuse a bed that is free and never gives one twice. Below the log's limit of items in a query.
pub const WIDEN_MAX: usize = 40;

/// Events of one of these types with all of these tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScopeItem {
    /// Types, short as in [`crate::Fact::kind`]; empty is every type.
    pub types: &'static [&'static str],
    /// Tags, as the log indexes them.
    pub tags: Vec<Box<str>>,
}

impl ScopeItem {
    /// Whether this event is meant.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        if !self.types.is_empty() && !self.types.contains(&event.fact.kind()) {
            return false;
        }
        let tags = Names::of(event).tags();
        self.tags.iter().all(|tag| tags.contains(tag))
    }
}

/// What a decision stands on: any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The items.
    pub items: Vec<ScopeItem>,
}

/// Who decides, and by which rules.
const DESK: &[&str] = &["desk.duty-handed-over", "desk.duty-taken-back", "ruleset.switched"];
/// What undoes an admission or a discharge names the stay only, and changes who has a bed.
const UNDONE: &[&str] = &["stay.admission-cancelled", "stay.discharge-cancelled"];
/// Whether admissions go on at a location: said again it is nothing new.
const STOPS: &[&str] = &["location.admissions-stopped", "location.admissions-resumed"];
/// What a likely double is found by: that it was made, and that it ended.
const REFERRALS: &[&str] = &[
    "referral.made",
    "referral.changed",
    "referral.withdrawn",
    "referral.diverted",
    "referral.expired-unplaced",
    "stay.admitted",
];

impl Scope {
    /// Whether this event is meant.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.items.iter().any(|item| item.matches(event))
    }

    /// What this command stands on.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm per act, so that none is forgotten")]
    pub fn of(command: &Command) -> Self {
        let mut scope = Self::default();
        let region = &command.region;
        scope.add(DESK, &[region_tag(region)]);
        match &command.act {
            Act::MakeReferral { profile, .. } => {
                scope.add(REFERRALS, &[region_tag(region)]);
                scope.referral(profile.referral, region);
            }
            Act::ChangeReferral { profile } => scope.referral(profile.referral, region),
            Act::WithdrawReferral { referral, .. }
            | Act::DivertReferral { referral, .. }
            | Act::GiveUp { referral, .. }
            | Act::Triage { referral, .. }
            | Act::ReleaseHold { referral, .. }
            | Act::LapseHold { referral, .. }
            | Act::ExtendHold { referral, .. }
            | Act::Escalate { referral, .. }
            | Act::TakeOver { referral }
            | Act::Raise { referral, .. } => scope.referral(*referral, region),
            Act::SendOffers { referral, to, .. } => {
                scope.referral(*referral, region);
                for asked in to {
                    scope.location(&asked.location, region);
                }
            }
            Act::SeeOffer { offer }
            | Act::RevokeOffer { offer }
            | Act::LapseOffer { offer }
            | Act::DeclineOffer { offer, .. }
            | Act::TakeBackPromise { offer, .. }
            | Act::AgreeMedically { offer, .. }
            | Act::ContestAnswer { offer, .. } => scope.referral(offer.referral, region),
            Act::AcceptOffer { offer, .. } | Act::ChooseOffer { offer, .. } => {
                scope.referral(offer.referral, region);
                scope.location(&offer.location, region);
            }
            Act::AgreeArrival { referral, location, .. } => {
                scope.referral(*referral, region);
                scope.location(location, region);
            }
            Act::Admit { stay, referral, place, .. } => {
                scope.stay(*stay);
                scope.location(&place.location, region);
                if let Some(referral) = referral {
                    scope.referral(*referral, region);
                }
            }
            Act::ReviewTriage { stay, .. }
            | Act::PlanDischarge { stay, .. }
            | Act::SetPlan { stay, .. }
            | Act::WaitFor { stay, .. }
            | Act::SwitchFunding { stay, .. }
            | Act::Discharge { stay, .. }
            // Its bed, and for whom that was kept, are only known with the stay: `wider` adds them.
            | Act::CancelAdmission { stay }
            | Act::CancelDischarge { stay } => scope.stay(*stay),
            Act::Move { stay, from, to } | Act::CancelMove { stay, from, to } => {
                scope.stay(*stay);
                scope.location(&from.location, region);
                scope.location(&to.location, region);
            }
            Act::HandOverDuty { .. } | Act::TakeBackDuty | Act::SwitchRuleSet { .. } => {}
            Act::LogContact { referral, .. } => {
                if let Some(referral) = referral {
                    scope.referral(*referral, region);
                }
            }
            Act::AskConfirmation { location } => scope.location(location, region),
            Act::Report { fact } => {
                let stops = STOPS.contains(&fact.kind());
                for location in fact.locations() {
                    scope.add(&["location.registered", "location.withdrawn"], &[location_tag(location)]);
                    if stops {
                        scope.add(STOPS, &[location_tag(location)]);
                    }
                }
                if let Some(stay) = fact.stay() {
                    scope.stay(stay);
                }
            }
            Act::CorrectBed { bed, .. } => scope.location(&bed.location, region),
        }
        scope
    }

    /// What has to be folded besides, now that this is known: a stay or a referral that has a bed may have left it by an
    /// event that names another place. `None` if nothing.
    #[must_use]
    pub fn wider(&self, command: &Command, state: &State) -> Option<Self> {
        let mut wider = self.clone();
        if let Act::CancelDischarge { stay } | Act::CancelAdmission { stay } = &command.act
            && let Some(known) = state.stays.get(stay)
        {
            wider.location(&known.place.location, &command.region);
            if let (Act::CancelAdmission { .. }, Some(referral)) = (&command.act, known.referral) {
                wider.referral(referral, &command.region);
            }
        }
        for (location, bed) in places(&command.act, state) {
            let taken: Vec<Taken> = match bed {
                Some(bed) => state.board.bed_state(&bed).map(|bed| bed.taken).into_iter().collect(),
                None => state.board.taken_beds(&location).collect(),
            };
            for taken in taken.into_iter().take(WIDEN_MAX) {
                match taken {
                    Taken::Free => {}
                    Taken::For(referral) => wider.add(&[], &[referral_tag(referral)]),
                    Taken::By(stay) => wider.stay(stay),
                }
            }
        }
        wider.items.truncate(WIDEN_MAX.max(self.items.len()));
        (wider.items.len() > self.items.len()).then_some(wider)
    }

    fn add(&mut self, types: &'static [&'static str], tags: &[Box<str>]) {
        let item = ScopeItem { types, tags: tags.to_vec() };
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    fn referral(&mut self, referral: ReferralId, region: &RegionId) {
        self.add(&[], &[referral_tag(referral)]);
        self.add(UNDONE, &[region_tag(region)]);
    }

    fn location(&mut self, location: &LocationId, region: &RegionId) {
        self.add(&[], &[location_tag(location)]);
        self.add(UNDONE, &[region_tag(region)]);
    }

    fn stay(&mut self, stay: StayId) {
        self.add(&[], &[format!("stay:{stay}").into()]);
    }
}

/// The beds a command is about that can only be had if nobody has them; `None` for any bed of the location.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these need a bed that nobody has")]
fn places(act: &Act, state: &State) -> Vec<(LocationId, Option<BedRef>)> {
    let bed = |location: &LocationId, bed: Option<&crate::BedId>| {
        let named = bed.map(|bed| BedRef { location: location.clone(), bed: bed.clone() });
        Vec::from([(location.clone(), named)])
    };
    match act {
        Act::AcceptOffer { offer, bed: named, .. } => bed(&offer.location, named.as_ref()),
        Act::ChooseOffer { offer, .. } => {
            let referral = state.referrals.get(&offer.referral);
            let promise = referral.and_then(|referral| referral.offers.get(&offer.offer)?.promise());
            bed(&offer.location, promise.and_then(|promise| promise.bed.as_ref()))
        }
        Act::Admit { place, .. } => bed(&place.location, place.bed.as_ref()),
        Act::Move { to, .. } => bed(&to.location, Some(&to.bed)),
        Act::CancelMove { from, .. } => bed(&from.location, Some(&from.bed)),
        Act::CancelDischarge { stay } => {
            let closed = state.stays.get(stay).map(|stay| &stay.place);
            closed.map(|place| bed(&place.location, place.bed.as_ref())).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn region_tag(region: &RegionId) -> Box<str> {
    format!("region:{region}").into()
}

fn location_tag(location: &LocationId) -> Box<str> {
    format!("location:{location}").into()
}

fn referral_tag(referral: ReferralId) -> Box<str> {
    format!("referral:{referral}").into()
}
