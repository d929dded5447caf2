//! Who is to be told now that there is something for them: a pure question to the state, like what falls due.
//!
//! An offer is pushed to its location at once; a mail follows when nobody looked at it for a sixth of the time to answer, until
//! the worklist says "call now" ([`domain::queries::call_at`]). A desk hears at once of a crisis that nobody took up, and of a
//! referral it is asked to take over. Not here: who works there (`Directory`), sending (`run`).
//!
//! Invariant: a rung is due once for an offer, and never after it was looked at, answered or withdrawn
//! (test: `whatever_happens_a_rung_is_due_once_and_never_after_somebody_looked`).

use std::collections::{BTreeMap, BTreeSet};

use domain::desk::{Offer, OfferState, Referral, Rules, State};
use domain::queries::call_at;
use domain::{Label, LocationId, OfferId, ReferralId, RegionId, SourceId, Timestamp, Urgency};
use serde::{Deserialize, Serialize};

/// Of the time to answer an offer, the part after which a mail follows: half of what passes until somebody calls.
const MAIL_AFTER_PARTS: i64 = 6;
/// A crisis that was made so long ago is no news: what is on the worklist since then is not told again after a restart.
pub const CRISIS_NEWS_MICROS: i64 = 15 * 60 * 1_000_000;
/// How often something that could not be sent is tried again.
pub const TRIES_MAX: u8 = 3;
/// Before the next try, each time as long again: a push service or mail server that is away for a moment comes back, and a
/// crisis has a quarter of an hour.
const TRY_AGAIN_AFTER_MICROS: i64 = 20 * 1_000_000;

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// On every device that was registered.
    Push,
    /// By mail.
    Mail,
}

/// What somebody is told of: never said, only counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A location is asked for a place. With its referral: what comes over the bus may use an id twice.
    Offer(ReferralId, OfferId),
    /// Somebody is in a crisis, and no desk has done anything yet.
    Crisis(ReferralId),
    /// This desk is asked to take a referral over.
    TakeOver(ReferralId, RegionId),
}

/// Whoever is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Those who answer for a location.
    Location {
        /// The location.
        location: LocationId,
        /// The region it belongs to.
        region: RegionId,
    },
    /// Those who do the work of a desk.
    Desk {
        /// Its region.
        region: RegionId,
        /// Who stands in for it now.
        deputy: Option<Label>,
        /// In whose name it was made: they know already.
        but: Option<SourceId>,
    },
}

/// Somebody is to be told of something, in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How.
    pub rung: Rung,
    /// Of what.
    pub subject: Subject,
    /// Who.
    pub to: Recipient,
    /// From when on.
    pub from: Timestamp,
    /// Until when it is worth telling.
    pub until: Timestamp,
}

/// What became of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Became {
    /// It was begun; whether it arrived is not known, so it is not done again.
    Done,
    /// It could not be sent.
    Failed { tries: u8, again_at: Timestamp },
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Line>", into = "Vec<Line>")]
pub struct Sent {
    rungs: BTreeMap<(Subject, Rung), Became>,
}

/// One of them in a file.
#[derive(Serialize, Deserialize)]
struct Line {
    subject: Subject,
    rung: Rung,
    became: Became,
}

impl From<Vec<Line>> for Sent {
    fn from(lines: Vec<Line>) -> Self {
        let rungs = lines.into_iter().map(|Line { subject, rung, became }| ((subject, rung), became));
        Self { rungs: rungs.collect() }
    }
}

impl From<Sent> for Vec<Line> {
    fn from(sent: Sent) -> Self {
        let line = |((subject, rung), became)| Line { subject, rung, became };
        sent.rungs.into_iter().map(line).collect()
    }
}

impl Sent {
    /// How much is remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rungs.len()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rungs.is_empty()
    }

    /// It is about to be sent, for the time that is given, from 1. Written down before it is: whoever is killed in between
    /// has told nobody rather than twice.
    pub fn begin(&mut self, notice: &Notice) -> u8 {
        let before = self.rungs.insert((notice.subject.clone(), notice.rung), Became::Done);
        match before {
            Some(Became::Failed { tries, .. }) => tries.saturating_add(1),
            Some(Became::Done) | None => 1,
        }
    }

    /// The try of this number reached nobody: it is due again a little later, unless it was the last of [`TRIES_MAX`].
    pub fn failed(&mut self, notice: &Notice, tries: u8, now: Timestamp) {
        if tries < TRIES_MAX {
            let pause = TRY_AGAIN_AFTER_MICROS.saturating_mul(i64::from(tries));
            let again_at = now.saturating_add_micros(pause);
            self.rungs.insert((notice.subject.clone(), notice.rung), Became::Failed { tries, again_at });
        }
    }

    /// When a rung may be tried: at `from`, or later if it failed; `None` if it was done.
    fn from(&self, subject: &Subject, rung: Rung, from: Timestamp) -> Option<Timestamp> {
        match self.rungs.get(&(subject.clone(), rung)) {
            None => Some(from),
            Some(Became::Failed { again_at, .. }) => Some(from.max(*again_at)),
            Some(Became::Done) => None,
        }
    }

    /// Forgets what can not become due again; says whether there was any.
    pub fn forget(&mut self, state: &State, now: Timestamp) -> bool {
        // Also of what ended: an admission that is cancelled opens it again.
        let all = state.referrals.values().flat_map(|referral| steps(state, referral, now));
        let open: BTreeSet<(Subject, Rung)> = all.map(|step| (step.subject, step.rung)).collect();
        let before = self.rungs.len();
        self.rungs.retain(|rung, _| open.contains(rung));
        self.rungs.len() < before
    }
}

/// What is to be told now, the oldest first.
#[must_use]
pub fn due(state: &State, now: Timestamp, sent: &Sent) -> Vec<Notice> {
    let mut all: Vec<Notice> = waiting(state, now, sent).filter(|notice| notice.from <= now).collect();
    all.sort_by(|one, other| {
        (one.from, one.rung, &one.subject).cmp(&(other.from, other.rung, &other.subject))
    });
    all
}

/// When the next of this rung is to be told.
#[must_use]
pub fn next_due(state: &State, now: Timestamp, sent: &Sent, rung: Rung) -> Option<Timestamp> {
    waiting(state, now, sent).filter(|notice| notice.rung == rung).map(|notice| notice.from).min()
}

/// What is still to be told, now or later.
fn waiting(state: &State, now: Timestamp, sent: &Sent) -> impl Iterator<Item = Notice> {
    let open = state.referrals.values().filter(|referral| referral.end.is_none());
    let steps = open.flat_map(move |referral| steps(state, referral, now));
    steps.filter(move |step| now < step.until).filter_map(|step| {
        let from = sent.from(&step.subject, step.rung, step.from)?;
        (from < step.until).then_some(Notice { from, ..step })
    })
}

/// Every rung that stands open for a referral, whatever was sent.
fn steps<'a>(state: &'a State, referral: &'a Referral, now: Timestamp) -> impl Iterator<Item = Notice> + 'a {
    let rules = state.rules(&referral.region);
    let offers = referral.offers.iter();
    let offers = offers.filter(|(_, offer)| offer.timed && offer.state == OfferState::Sent);
    let offers = offers.flat_map(move |(id, offer)| of_offer(state, rules, referral, *id, offer));
    offers.chain(crisis(state, referral, now)).chain(take_over(state, referral, now))
}

fn of_offer(state: &State, rules: &Rules, referral: &Referral, id: OfferId, offer: &Offer) -> [Notice; 2] {
    let urgency = &referral.profile.urgency;
    let answer = rules.answer_micros.of(urgency);
    let left = answer.saturating_sub(answer.div_euclid(MAIL_AFTER_PARTS));
    let mail_from = offer.answer_by.saturating_add_micros(left.saturating_neg());
    let known = state.board.mode_of(&offer.location).map(|(region, _)| region);
    let to = Recipient::Location {
        location: offer.location.clone(),
        region: known.unwrap_or(&referral.region).clone(),
    };
    let subject = Subject::Offer(referral.id(), id);
    let push = Notice {
        rung: Rung::Push,
        subject: subject.clone(),
        to: to.clone(),
        from: referral.made_at,
        until: offer.answer_by,
    };
    let until = call_at(rules, urgency, offer.answer_by);
    [push, Notice { rung: Rung::Mail, subject, to, from: mail_from, until }]
}

/// A crisis that nobody took up: not weighed, nobody asked, not passed on.
fn crisis(state: &State, referral: &Referral, now: Timestamp) -> Option<Notice> {
    let untouched = referral.triage.is_none()
        && referral.offers.is_empty()
        && referral.with.is_none()
        && referral.passed_on_by.is_none();
    (untouched && referral.profile.urgency == Urgency::Crisis).then(|| Notice {
        rung: Rung::Push,
        subject: Subject::Crisis(referral.id()),
        to: desk(state, &referral.region, now, Some(referral.made_by.clone())),
        from: referral.made_at,
        until: referral.made_at.saturating_add_micros(CRISIS_NEWS_MICROS),
    })
}

/// Another desk is asked. For as long as it is: it stands between two desks.
fn take_over(state: &State, referral: &Referral, now: Timestamp) -> Option<Notice> {
    let region = referral.with.as_ref()?;
    Some(Notice {
        rung: Rung::Push,
        subject: Subject::TakeOver(referral.id(), region.clone()),
        to: desk(state, region, now, None),
        from: referral.made_at,
        until: Timestamp::from_micros(i64::MAX),
    })
}

fn desk(state: &State, region: &RegionId, at: Timestamp, but: Option<SourceId>) -> Recipient {
    let deputy = state.deputy(region, at).map(|duty| duty.to.clone());
    Recipient::Desk { region: region.clone(), deputy, but }
}
