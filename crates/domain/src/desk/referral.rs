//! What is so of one referral: its weighing, offers, holds, ladder and end.
//!
//! Total: what does not fit is taken as far as it goes, and opens a contradiction. Not here: what may be (the steps).
//! Invariant: at most one offer is chosen and at most one end is set (test: `histories_of_any_commands_have_one_winner_and_one_end`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::rules::Rung;
use super::{Contradiction, ContradictionKind, Owner};
use crate::{
    BedId, CareType, DeclineCode, DivertedReason, Event, Fact, Label, LocationId, OfferId, OfferRef, Place,
    ReferralId, ReferralProfile, RegionId, Role, SourceId, StayId, Timestamp, WithdrawnReason,
};

/// What the weighing came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// The instrument with its version.
    pub instrument: Label,
    /// What was decided.
    pub outcome: CareType,
    /// Whether the outcome of the answers was set aside for it.
    pub set_aside: bool,
}

/// A promise of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// A certain bed.
    pub bed: Option<BedId>,
    /// The care type.
    pub care_type: CareType,
    /// From when.
    pub from: Timestamp,
    /// The doctor agreed.
    pub agreed: bool,
}

/// How far an offer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferState {
    /// Nobody has looked.
    Sent,
    /// The location looked at it.
    Seen,
    /// It promised a place.
    Accepted(Promise),
    /// It said no.
    Declined(DeclineCode),
    /// Nobody answered, or the hold of the promise ran out.
    Lapsed,
    /// The desk asks no longer.
    Revoked,
}

/// One location that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The location.
    pub location: LocationId,
    /// The bed that was asked for.
    pub bed: Option<BedId>,
    /// The care type that was asked for.
    pub care_type: CareType,
    /// Until when it can answer.
    pub answer_by: Timestamp,
    /// That was not long over when it was recorded, as with [`Hold::timed`].
    pub timed: bool,
    /// How far it is.
    pub state: OfferState,
    /// With whom the desk spoke, if it recorded the answer.
    pub spoken_with: Option<Role>,
    /// The location says that this is not its answer.
    pub contested: bool,
    /// It had promised a place, and took that back.
    pub taken_back: bool,
}

impl Offer {
    /// The location may still answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, OfferState::Sent | OfferState::Seen)
    }

    /// What it promised.
    #[must_use]
    pub fn promise(&self) -> Option<&Promise> {
        match &self.state {
            OfferState::Accepted(promise) => Some(promise),
            OfferState::Sent
            | OfferState::Seen
            | OfferState::Declined(_)
            | OfferState::Lapsed
            | OfferState::Revoked => None,
        }
    }
}

/// A place that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The place.
    pub place: Place,
    /// Until when.
    pub until: Timestamp,
    /// Its time ran out and a person was asked.
    pub overdue: bool,
    /// Its time was not over for more than a day when it was recorded, so the keeper keeps it. What is told of a past that
    /// nobody kept time for then is not ended by a clock now.
    pub timed: bool,
}

/// An agreed arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Where.
    pub location: LocationId,
    /// When.
    pub at: Timestamp,
    /// How, if that was said.
    pub transport: Option<Label>,
}

/// How a referral ended: one of these, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Somebody has the place.
    Admitted(StayId),
    /// It is no longer needed.
    Withdrawn(WithdrawnReason),
    /// Solved otherwise.
    Diverted(DivertedReason),
    /// No place was found.
    Unplaced(Label),
}

/// One referral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// Whose desk it is with.
    pub region: RegionId,
    /// Who made it.
    pub made_by: SourceId,
    /// When.
    pub made_at: Timestamp,
    /// What is known.
    pub profile: ReferralProfile,
    /// What the weighing came to.
    pub triage: Option<Triage>,
    /// The locations that were asked.
    pub offers: BTreeMap<OfferId, Offer>,
    /// The offer that won.
    pub chosen: Option<OfferId>,
    /// Places that are kept for it.
    pub holds: Vec<Hold>,
    /// The agreed arrival.
    pub arrival: Option<Arrival>,
    /// The desk that was asked to take it.
    pub with: Option<RegionId>,
    /// The desk that last passed it on.
    pub passed_on_by: Option<RegionId>,
    /// Rungs of the ladder that were tried.
    pub tried: Vec<Rung>,
    /// How it ended.
    pub end: Option<End>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What does not fit.
    pub contradictions: Vec<Contradiction>,
}

impl Referral {
    pub(super) fn new(event: &Event, profile: &ReferralProfile) -> Self {
        Self {
            region: event.region.clone(),
            made_by: event.source.clone(),
            made_at: event.time,
            profile: profile.clone(),
            triage: None,
            offers: BTreeMap::new(),
            chosen: None,
            holds: Vec::new(),
            arrival: None,
            with: None,
            passed_on_by: None,
            tried: Vec::new(),
            end: None,
            ended_at: None,
            contradictions: Vec::new(),
        }
    }

    /// The winner.
    #[must_use]
    pub fn winner(&self) -> Option<&Offer> {
        self.chosen.and_then(|chosen| self.offers.get(&chosen))
    }

    /// The hold at a location.
    #[must_use]
    pub fn hold_at(&self, location: &LocationId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.place.location == *location)
    }

    /// The reference of one of its offers.
    #[must_use]
    pub fn offer_ref(&self, offer: OfferId) -> Option<OfferRef> {
        let location = self.offers.get(&offer)?.location.clone();
        Some(OfferRef { offer, referral: self.profile.referral, location })
    }

    /// Everything open ends: offers are revoked and holds released, but those of `kept`.
    pub(super) fn end_others(&self, kept: Option<OfferId>) -> Vec<Fact> {
        let open = self
            .offers
            .iter()
            .filter(|(id, offer)| Some(**id) != kept && (offer.is_open() || offer.promise().is_some()));
        let revoked = open.filter_map(|(id, _)| self.offer_ref(*id)).map(Fact::OfferRevoked);
        let kept = kept.and_then(|kept| self.offers.get(&kept)).map(|offer| &offer.location);
        let left = self.holds.iter().filter(|hold| Some(&hold.place.location) != kept);
        revoked.chain(left.map(|hold| self.released(hold))).collect()
    }

    /// The end of one hold.
    pub(super) fn released(&self, hold: &Hold) -> Fact {
        Fact::HoldReleased { place: hold.place.clone(), referral: self.profile.referral }
    }

    /// Takes an event that names it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a new fact changes no referral unless it says so here"
    )]
    pub(super) fn take(&mut self, event: &Event, recorded_at: Timestamp) {
        match &event.fact {
            Fact::ReferralChanged(profile) => self.profile = profile.clone(),
            Fact::ReferralTriaged { instrument, outcome, overruled, .. } => {
                let (instrument, outcome) = (instrument.clone(), outcome.clone());
                self.triage = Some(Triage { instrument, outcome, set_aside: overruled.is_some() });
            }
            Fact::ReferralWithdrawn { reason, .. } => self.close(event, End::Withdrawn(reason.clone())),
            Fact::ReferralDiverted { reason, .. } => self.close(event, End::Diverted(reason.clone())),
            Fact::ReferralExpiredUnplaced { reason, .. } => self.close(event, End::Unplaced(reason.clone())),
            Fact::ReferralEscalated { to_region, .. } => {
                self.with = Some(to_region.clone());
                self.try_rung(Rung::Desk(to_region.clone()));
            }
            Fact::ReferralTakenOver { .. } => {
                if self.region != event.region {
                    self.passed_on_by = Some(core::mem::replace(&mut self.region, event.region.clone()));
                }
                self.with = None;
            }
            Fact::ReferralRaised { to, .. } => self.try_rung(Rung::Above(to.clone())),
            Fact::ArrivalAgreed { location, at, transport, .. } => {
                let (location, transport) = (location.clone(), transport.clone());
                self.arrival = Some(Arrival { location, at: *at, transport });
            }
            Fact::HoldGranted { place, until, .. } => self.keep(place, *until, recorded_at),
            Fact::HoldExtended { place, until, .. } => {
                if let Some(hold) = self.hold_mut(place) {
                    (hold.until, hold.overdue, hold.timed) = (*until, false, is_timed(*until, recorded_at));
                }
            }
            Fact::HoldOverdue { place, .. } => {
                if let Some(hold) = self.hold_mut(place) {
                    hold.overdue = true;
                }
            }
            Fact::HoldReleased { place, .. } | Fact::HoldLapsed { place, .. } => {
                self.holds.retain(|hold| hold.place != *place);
            }
            Fact::StayAdmitted { stay, place, .. } => self.admitted(event, *stay, place),
            _ => self.take_offer(event, recorded_at),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact changes no offer unless it says so here")]
    fn take_offer(&mut self, event: &Event, recorded_at: Timestamp) {
        match &event.fact {
            Fact::OfferSent { offer, bed, care_type, answer_by } => {
                let sent = Offer {
                    location: offer.location.clone(),
                    bed: bed.clone(),
                    care_type: care_type.clone(),
                    answer_by: *answer_by,
                    timed: is_timed(*answer_by, recorded_at),
                    state: OfferState::Sent,
                    spoken_with: None,
                    contested: false,
                    taken_back: false,
                };
                self.offers.entry(offer.offer).or_insert(sent);
            }
            Fact::OfferSeen(offer) => {
                if let Some(offer) = self.offers.get_mut(&offer.offer).filter(|offer| offer.is_open()) {
                    offer.state = OfferState::Seen;
                }
            }
            Fact::OfferAccepted { offer, bed, care_type, from, spoken_with, .. } => {
                let (bed, care_type) = (bed.clone(), care_type.clone());
                let promise = Promise { bed, care_type, from: *from, agreed: false };
                self.answered(offer, OfferState::Accepted(promise), spoken_with.as_ref());
                if self.end.is_some() || self.chosen.is_some_and(|chosen| chosen != offer.offer) {
                    self.open(event, ContradictionKind::PromisedTooLate, Some(offer));
                }
            }
            Fact::OfferDeclined { offer, code, spoken_with } => {
                self.answered(offer, OfferState::Declined(code.clone()), spoken_with.as_ref());
            }
            Fact::OfferLapsed(offer) => self.closed(offer, OfferState::Lapsed),
            Fact::OfferRevoked(offer) => self.closed(offer, OfferState::Revoked),
            Fact::OfferChosen { offer, .. }
                if self.end.is_none() && self.offers.contains_key(&offer.offer) =>
            {
                self.chosen = Some(offer.offer);
            }
            Fact::OfferMedicallyAgreed { offer, .. } => {
                if let Some(Offer { state: OfferState::Accepted(promise), .. }) =
                    self.offers.get_mut(&offer.offer)
                {
                    promise.agreed = true;
                }
                self.solve(ContradictionKind::AdmittedWithoutAgreement, None);
            }
            Fact::OfferContested { offer, .. } => {
                if let Some(asked) = self.offers.get_mut(&offer.offer) {
                    asked.contested = true;
                    self.open(event, ContradictionKind::AnswerContested, Some(offer));
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, named: &OfferRef, state: OfferState, spoken_with: Option<&Role>) {
        let Some(offer) = self.offers.get_mut(&named.offer) else { return };
        // What it never said it does not take back.
        offer.taken_back =
            offer.promise().is_some() && !offer.contested && matches!(state, OfferState::Declined(_));
        offer.state = state;
        offer.spoken_with = spoken_with.cloned();
        offer.contested = false;
        if offer.promise().is_none() && self.chosen == Some(named.offer) {
            self.unchoose();
        }
        self.solve(ContradictionKind::AnswerContested, Some(named.offer));
    }

    fn closed(&mut self, named: &OfferRef, state: OfferState) {
        let Some(offer) = self.offers.get_mut(&named.offer) else { return };
        offer.state = state;
        if self.chosen == Some(named.offer) {
            self.unchoose();
        }
        self.solve(ContradictionKind::AnswerContested, Some(named.offer));
        self.solve(ContradictionKind::PromisedTooLate, Some(named.offer));
    }

    fn unchoose(&mut self) {
        self.chosen = None;
        self.arrival = None;
    }

    fn keep(&mut self, place: &Place, until: Timestamp, recorded_at: Timestamp) {
        let timed = is_timed(until, recorded_at);
        match self.hold_mut(place) {
            Some(hold) => (hold.until, hold.overdue, hold.timed) = (until, false, timed),
            None => self.holds.push(Hold { place: place.clone(), until, overdue: false, timed }),
        }
    }

    fn hold_mut(&mut self, place: &Place) -> Option<&mut Hold> {
        self.holds.iter_mut().find(|hold| hold.place == *place)
    }

    fn try_rung(&mut self, rung: Rung) {
        if !self.tried.contains(&rung) {
            self.tried.push(rung);
        }
    }

    /// An end is set once: only an admission says more than what was decided before it.
    fn close(&mut self, event: &Event, end: End) {
        if self.end.is_none() {
            (self.end, self.ended_at) = (Some(end), Some(event.time));
            self.with = None;
        }
    }

    fn admitted(&mut self, event: &Event, stay: StayId, place: &Place) {
        match &self.end {
            Some(End::Admitted(_)) => return,
            Some(End::Withdrawn(_) | End::Diverted(_) | End::Unplaced(_)) => {
                self.open(event, ContradictionKind::AdmittedAfterEnd, None);
            }
            None => {
                if self.winner().is_none_or(|winner| winner.location != place.location) {
                    self.open(event, ContradictionKind::AdmittedElsewhere, None);
                }
            }
        }
        (self.end, self.ended_at) = (Some(End::Admitted(stay)), Some(event.time));
        self.with = None;
        self.holds.clear();
    }

    /// That admission was not so: it is open again.
    pub(super) fn not_admitted(&mut self, stay: StayId) {
        if self.end == Some(End::Admitted(stay)) {
            (self.end, self.ended_at) = (None, None);
            for kind in [
                ContradictionKind::AdmittedWithoutAgreement,
                ContradictionKind::AdmittedElsewhere,
                ContradictionKind::AdmittedAfterEnd,
            ] {
                self.solve(kind, None);
            }
        }
    }

    pub(super) fn open(&mut self, event: &Event, kind: ContradictionKind, offer: Option<&OfferRef>) {
        let owner = match (kind, event.fact.location()) {
            (ContradictionKind::AdmittedWithoutAgreement, Some(location)) => {
                Owner::Location(location.clone())
            }
            _ => Owner::Desk(self.region.clone()),
        };
        let (referral, offer) = (self.profile.referral, offer.map(|offer| offer.offer));
        self.solve(kind, offer);
        self.contradictions.push(Contradiction { kind, referral, offer, owner, since: event.time });
    }

    fn solve(&mut self, kind: ContradictionKind, offer: Option<OfferId>) {
        self.contradictions.retain(|open| !(open.kind == kind && open.offer == offer));
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ReferralId {
        self.profile.referral
    }
}

/// Mail that waited for a node, and a clock that was set back, are less late than this.
const TOLD_LATE_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

fn is_timed(until: Timestamp, recorded_at: Timestamp) -> bool {
    until.saturating_add_micros(TOLD_LATE_MICROS) > recorded_at
}
