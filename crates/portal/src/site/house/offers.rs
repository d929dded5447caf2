//! What a location is asked, what was answered in its name, and who comes.
//!
//! Of whom it is about nothing that identifies: that is a page of its own, for whoever was chosen. Not here: what may be
//! answered when (`domain::desk`).

use domain::access::Action;
use domain::desk::{Hold, Offer, OfferState, Referral};
use domain::{CareType, DeclineCode, OfferId, ReferralId, ReferralProfile, Timestamp, queries};

use super::beds::free;
use super::{Scene, local};
use crate::api::scope::Subject;
use crate::messages::word;
use crate::site::desk::worklist::tag;
use crate::site::words::{Choice, When, choices};
use crate::text;
use crate::words::Lang;

/// The most that is shown of each: more than any house answers in a day.
const SHOWN_MAX: usize = 100;

/// Everything of referrals that is before a location.
pub(super) struct Before {
    /// What it can still answer, the first deadline first.
    pub(super) asked: Vec<Asked>,
    /// What was promised and is not chosen, and what was answered in its name on the telephone.
    pub(super) answered: Vec<Answered>,
    /// Who comes, the first first.
    pub(super) arrivals: Vec<Arrival>,
}

/// What is known of whom an offer is for.
pub(super) struct About {
    pub(super) referral: String,
    /// Where the referral is shown, for whoever may see all of it.
    pub(super) link: Option<String>,
    pub(super) offer: String,
    pub(super) care: String,
    pub(super) urgency: (String, String),
    /// The key of a name, and what stands for it.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// An offer that can be answered.
pub(super) struct Asked {
    pub(super) about: About,
    pub(super) until: When,
    pub(super) seen: bool,
    /// The bed that is asked for.
    pub(super) bed: Option<String>,
    pub(super) beds: Vec<(String, String)>,
    /// From when a place is wished for, as a field of a form.
    pub(super) from: String,
}

/// An offer that was answered.
pub(super) struct Answered {
    pub(super) about: About,
    /// What was answered.
    pub(super) said: String,
    /// Whom the desk spoke with.
    pub(super) spoken: Option<String>,
    /// Whether the doctor agreed, if it was a promise.
    pub(super) promise: Option<bool>,
    /// It can be said that this was never the answer.
    pub(super) contest: bool,
    /// It was said so: now it can be answered.
    pub(super) again: bool,
}

/// Somebody for whom a place is kept.
pub(super) struct Arrival {
    pub(super) about: About,
    pub(super) bed: Option<String>,
    pub(super) care_code: String,
    pub(super) until: When,
    /// Why the place may not be had after all.
    pub(super) doubt: Option<String>,
    /// When the arrival is agreed.
    pub(super) at: Option<When>,
    pub(super) transport: Option<String>,
    /// Whom the desk spoke with.
    pub(super) spoken: Option<String>,
    /// What comes next: `wait` for the choice, the `doctor` who has to agree, or `come`.
    pub(super) step: &'static str,
    pub(super) agreed: bool,
    pub(super) contest: bool,
    /// Who it is may be looked at.
    pub(super) who: bool,
    pub(super) beds: Vec<(String, String)>,
}

/// What a location says when it says no; that nobody answers is for whoever rang.
pub(super) fn declines(lang: Lang) -> Vec<Choice> {
    let codes: Vec<&str> =
        DeclineCode::KNOWN.iter().copied().filter(|code| *code != DeclineCode::NoAnswer.code()).collect();
    choices(lang, "decline", &codes, &[])
}

/// What is before a location.
pub(super) fn before(scene: &Scene<'_>) -> Before {
    let (mut open, mut answers, mut arrivals) = (Vec::new(), Vec::new(), Vec::new());
    for referral in scene.state.referrals.values().filter(|referral| referral.end.is_none()) {
        let hold = referral.hold_at(scene.location);
        let own = referral.offers.iter().filter(|(_, offer)| offer.location == *scene.location);
        for (id, offer) in own {
            match (&offer.state, hold) {
                (OfferState::Sent | OfferState::Seen, _) => {
                    open.push((offer.answer_by, asked(scene, referral, *id, offer)));
                }
                (OfferState::Accepted(_), Some(hold)) => {
                    let at = referral.arrival.as_ref().map_or(hold.until, |arrival| arrival.at);
                    arrivals.push((at, arrival(scene, referral, *id, offer, hold)));
                }
                (OfferState::Accepted(_), None) => {
                    answers.push((referral.made_at, answered(scene, referral, *id, offer)));
                }
                (OfferState::Declined(_), _) if offer.spoken_with.is_some() => {
                    answers.push((referral.made_at, answered(scene, referral, *id, offer)));
                }
                (OfferState::Declined(_) | OfferState::Lapsed | OfferState::Revoked, _) => {}
            }
        }
    }
    Before { asked: sorted(open), answered: sorted(answers), arrivals: sorted(arrivals) }
}

/// By the moment, the first first.
fn sorted<T>(mut found: Vec<(Timestamp, T)>) -> Vec<T> {
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, one)| one).take(SHOWN_MAX).collect()
}

fn about(scene: &Scene<'_>, referral: &Referral, id: OfferId, care_type: &CareType) -> About {
    let lang = scene.lang();
    About {
        referral: referral.profile.referral.to_string(),
        link: sees_all(scene, referral.profile.referral)
            .then(|| format!("/aanmelding/{}", referral.profile.referral)),
        offer: id.to_string(),
        care: lang.code("care", care_type.raw()),
        urgency: tag(&referral.profile.urgency, lang),
        facts: facts(scene, &referral.profile),
    }
}

/// Whether whoever looks may see the page of a referral, by the same rule as that page.
pub(super) fn sees_all(scene: &Scene<'_>, referral: ReferralId) -> bool {
    let subject = Subject::referral(scene.state, referral, scene.now());
    subject.is_some_and(|subject| scene.visit.may(Action::Timeline, &subject))
}

/// What is known of somebody, coded and non-identifying.
fn facts(scene: &Scene<'_>, profile: &ReferralProfile) -> Vec<(&'static str, String)> {
    let (lang, now) = (scene.lang(), scene.now());
    let constraints: Vec<String> =
        profile.constraints.iter().map(|feature| lang.code("feature", feature.raw())).collect();
    let age = profile.age_band.as_ref().map(|age| lang.code("age", age.raw()));
    let sex = profile.sex.as_ref().and_then(|sex| word(lang, "sex", sex.as_str())).map(str::to_owned);
    let who: Vec<String> = age.into_iter().chain(sex).collect();
    let said = |list: Vec<String>| (!list.is_empty()).then(|| list.join(", "));
    let when = |at: Option<Timestamp>| at.map(|at| text::clock(at, now, lang));
    let all = [
        ("profile-age", said(who)),
        ("fact-needs", said(constraints)),
        ("fact-wished", when(profile.wished_at)),
        ("fact-ready", when(profile.ready_since)),
        ("fact-purpose", profile.purpose.as_ref().map(|purpose| lang.code("purpose", purpose.raw()))),
        ("fact-days", profile.expected_days.map(|days| days.to_string())),
        ("fact-origin", Some(lang.code("origin", profile.origin.raw()))),
        ("profile-area", profile.area.as_ref().map(|area| text::shown(area.as_str()))),
        ("fact-payer", profile.payer.as_ref().map(|payer| lang.code("payer", payer.as_str()))),
    ];
    all.into_iter().filter_map(|(key, said)| Some((key, said?))).collect()
}

fn asked(scene: &Scene<'_>, referral: &Referral, id: OfferId, offer: &Offer) -> Asked {
    let wished = referral.profile.wished_at.map_or(scene.now(), |wished| wished.max(scene.now()));
    Asked {
        about: about(scene, referral, id, &offer.care_type),
        until: When::of(offer.answer_by, scene.now(), scene.lang()),
        seen: offer.state == OfferState::Seen,
        bed: offer.bed.as_ref().map(ToString::to_string),
        beds: free(scene, &offer.care_type),
        from: local(wished),
    }
}

fn answered(scene: &Scene<'_>, referral: &Referral, id: OfferId, offer: &Offer) -> Answered {
    let lang = scene.lang();
    let (care_type, said) = match &offer.state {
        OfferState::Accepted(promise) => {
            let from = text::clock(promise.from, scene.now(), lang);
            (&promise.care_type, lang.tf("house-promised", &[("from", &from)]))
        }
        OfferState::Declined(code) => {
            let why = lang.code("decline", code.raw());
            (&offer.care_type, lang.tf("house-declined", &[("why", &why)]))
        }
        OfferState::Sent | OfferState::Seen | OfferState::Lapsed | OfferState::Revoked => {
            (&offer.care_type, String::new())
        }
    };
    Answered {
        about: about(scene, referral, id, care_type),
        said,
        spoken: spoken(scene, offer),
        promise: offer.promise().map(|promise| promise.agreed),
        contest: may_contest(scene, offer),
        again: offer.contested,
    }
}

fn arrival(scene: &Scene<'_>, referral: &Referral, id: OfferId, offer: &Offer, hold: &Hold) -> Arrival {
    let (state, lang, now) = (scene.state, scene.lang(), scene.now());
    let agreed = offer.promise().is_some_and(|promise| promise.agreed);
    let step = if referral.chosen != Some(id) {
        "wait"
    } else if state.rules(&referral.region).doctor_first && !agreed {
        "doctor"
    } else {
        "come"
    };
    let own_bed = hold.place.bed.as_ref().map(|bed| (bed.to_string(), lang.code("bed", "held")));
    let private = Subject::referral(state, referral.profile.referral, now);
    let private = private.filter(|_| step != "wait").map(|subject| subject.at(state, scene.location));
    Arrival {
        about: about(scene, referral, id, &hold.place.care_type),
        bed: hold.place.bed.as_ref().map(ToString::to_string),
        care_code: hold.place.care_type.raw().to_owned(),
        until: When::of(hold.until, now, lang),
        doubt: queries::Doubt::of(state, referral, hold).map(|doubt| lang.code("doubt", doubt.code())),
        at: referral.arrival.as_ref().map(|arrival| When::of(arrival.at, now, lang)),
        transport: referral
            .arrival
            .as_ref()
            .and_then(|arrival| arrival.transport.as_ref())
            .map(|transport| text::shown(transport.as_str())),
        spoken: spoken(scene, offer),
        step,
        agreed,
        contest: may_contest(scene, offer),
        who: private.is_some_and(|subject| scene.visit.may(Action::Private, &subject)),
        beds: own_bed.into_iter().chain(free(scene, &hold.place.care_type)).collect(),
    }
}

fn spoken(scene: &Scene<'_>, offer: &Offer) -> Option<String> {
    offer.spoken_with.as_ref().map(|role| scene.lang().code("role", role.raw()))
}

/// An answer that the desk wrote down for the location, and nobody of it has spoken against.
fn may_contest(scene: &Scene<'_>, offer: &Offer) -> bool {
    offer.spoken_with.is_some() && !offer.contested && scene.may(Action::ContestAnswer)
}
