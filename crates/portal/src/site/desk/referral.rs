//! `/aanmelding/{referral}`: one referral from the first call to the end, for its desk, its maker, and who stands in.
//!
//! Each part is shown to whom its action is allowed. Not here: who it is (`past::who`), the history (`past`), whom was asked and what
//! is kept (`asked`), what the rules of the region say (`by_rule`).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::{ContradictionKind, End, Instrument, Offer, Outcome, Referral, State as DeskState};
use domain::matching::{Wanted, matching};
use domain::queries::opening_for;
use domain::{
    AgeBand, CareType, DivertedReason, Feature, Matched, Origin, Purpose, ReferralId, Role, Timestamp,
    Urgency, WithdrawnReason,
};

use super::asked::{OfferLine, PlaceLine, offer_line, places};
use super::by_rule::{RungLine, answer_within, ladder, round};
use super::past::{self, Entry};
use super::stayed::{Stayed, stayed};
use super::worklist::tag;
use crate::api::problem::Problem;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::site::words::{Called, Choice, When, called, choices, say_at, teller};
use crate::text;
use crate::words::Lang;

#[derive(Template)]
#[template(path = "referral.html")]
struct ReferralPage {
    p: Page,
    id: String,
    /// Its own changes, or those of its region for whoever follows that.
    follow: String,
    position: u64,
    heard: String,
    may: May,
    known: Known,
    stayed: Option<Stayed>,
    triage: Option<Weighing>,
    found: Option<Found>,
    offers: Vec<OfferLine>,
    places: Vec<PlaceLine>,
    ladder: Vec<RungLine>,
    /// Who was asked and has not answered.
    asked: usize,
    /// How long whoever is asked has to answer, by the rules.
    answer_within: String,
    /// How one of several that promise a place wins, by the rules.
    round: &'static str,
    ends: Ends,
    timeline: Vec<Entry>,
    receipts: bool,
    roles: Vec<Choice>,
}

/// What whoever looks may do here.
#[expect(clippy::struct_excessive_bools, reason = "each is one question about one line of a page")]
#[derive(Clone, Copy)]
struct May {
    change: bool,
    withdraw: bool,
    triage: bool,
    offer: bool,
    answer: bool,
    place: bool,
    /// Nothing is found: others can be asked.
    ladder: bool,
    end: bool,
    take_over: bool,
    private: bool,
    contact: bool,
    receipt: bool,
    region: bool,
}

/// What is known of it.
pub(crate) struct Known {
    pub(crate) region: String,
    pub(crate) region_name: String,
    pub(crate) short: String,
    pub(crate) urgency: (String, String),
    pub(crate) made_at: When,
    pub(crate) made_by: String,
    pub(crate) made_by_urn: String,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) form: Profile,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: Option<Ending>,
    /// Somebody was admitted and the doctor had not agreed.
    pub(crate) without_agreement: bool,
    pub(crate) asked: Option<String>,
    pub(crate) has_private: bool,
    pub(crate) outcome: Option<String>,
    pub(crate) set_aside: bool,
}

/// How it ended.
pub(crate) struct Ending {
    pub(crate) said: String,
    /// With a place.
    pub(crate) placed: bool,
}

/// One step of the way.
pub(crate) struct Step {
    pub(crate) key: &'static str,
    pub(crate) class: &'static str,
    /// The key of what is said before it: it is so now, or comes next.
    pub(crate) before: Option<&'static str>,
}

/// The fields of a profile in a form, with what they are now.
pub(crate) struct Profile {
    pub(crate) origins: Vec<Choice>,
    pub(crate) care_types: Vec<Choice>,
    pub(crate) urgencies: Vec<Choice>,
    pub(crate) ages: Vec<Choice>,
    pub(crate) purposes: Vec<Choice>,
    pub(crate) features: Vec<Choice>,
    pub(crate) sexes: Vec<Choice>,
    pub(crate) payers: Vec<Choice>,
    pub(crate) area: String,
    pub(crate) days: String,
    pub(crate) callback: String,
    pub(crate) consent: bool,
    pub(crate) wished: String,
    pub(crate) ready: String,
    pub(crate) channel: String,
}

/// The weighing that is to be done.
struct Weighing {
    instrument: String,
    questions: Vec<Asking>,
    otherwise: String,
    care_types: Vec<Choice>,
}

/// A question of it.
struct Asking {
    id: String,
    words: String,
    /// What is sent, the key of its word, and what it comes to.
    answers: [(&'static str, &'static str, Leads); 2],
}

/// What an answer comes to.
struct Leads {
    to: String,
    /// Nothing is asked after it.
    decides: bool,
    /// It ends the referral.
    ends: bool,
}

/// Who can take somebody, and why everybody else can not.
pub(crate) struct Found {
    pub(crate) moment: When,
    /// That is not now.
    pub(crate) later: bool,
    pub(crate) care_type: String,
    /// Up to where of the log it was made.
    pub(crate) position: u64,
    pub(crate) candidates: Vec<CandidateLine>,
    pub(crate) excluded: Vec<(Called, Vec<String>)>,
    pub(crate) excluded_count: usize,
    pub(crate) left_off: u32,
    /// How far it is is known of none of them.
    pub(crate) no_distance: bool,
    /// Who of those that can not now is the first that can again.
    pub(crate) opens: Option<String>,
}

/// One location that can.
pub(crate) struct CandidateLine {
    pub(crate) location: Called,
    pub(crate) offer: String,
    pub(crate) care_code: String,
    pub(crate) bed: String,
    pub(crate) minutes: Option<u32>,
    pub(crate) score: u32,
    pub(crate) why: Vec<String>,
}

struct Ends {
    withdrawn: Vec<Choice>,
    diverted: Vec<Choice>,
}

/// `GET /aanmelding/{referral}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    visit.caught_up(&portal).await;
    let look = visit.look(&portal, Parts::one("referral", &code))?;
    let id: ReferralId = look.parts.read("referral").map_err(|problem| visit.no(problem))?;
    let about = |state: &DeskState| Subject::referral(state, id, visit.now);
    let seen = look.at(Action::Timeline, about, |state| seen(state, id, &visit, &portal));
    let seen = seen.map_err(|problem| visit.no(problem))?;
    let timeline = past::entries(&look, id).await.map_err(|problem| visit.no(problem))?;
    let Seen { may, known, stayed, triage, found, offers, places, ladder, answer_within, round } = seen.body;
    let follow = if may.region { format!("/volgen/r/{}", known.region) } else { format!("/volgen/a/{id}") };
    let (lang, now) = (visit.lang, visit.now);
    let page = ReferralPage {
        id: id.to_string(),
        follow,
        position: seen.position,
        heard: text::clock_seconds(now, now, lang),
        receipts: may.receipt && timeline.iter().any(|entry| entry.kind == "offer.sent"),
        may,
        known,
        stayed,
        triage,
        found,
        places,
        ladder,
        asked: offers.iter().filter(|offer| offer.open).count(),
        offers,
        answer_within,
        round,
        ends: Ends {
            withdrawn: choices(lang, "withdrawn", WithdrawnReason::KNOWN, &[]),
            diverted: choices(lang, "diverted", DivertedReason::KNOWN, &[]),
        },
        timeline,
        roles: choices(lang, "role", Role::KNOWN, &[]),
        p: Page::of(visit, "referral"),
    };
    Ok(pages::page(StatusCode::OK, &page))
}

struct Seen {
    may: May,
    known: Known,
    stayed: Option<Stayed>,
    triage: Option<Weighing>,
    found: Option<Found>,
    offers: Vec<OfferLine>,
    places: Vec<PlaceLine>,
    ladder: Vec<RungLine>,
    answer_within: String,
    round: &'static str,
}

fn seen(state: &DeskState, id: ReferralId, visit: &Visit, portal: &Portal) -> Result<Seen, Problem> {
    let referral = state.referrals.get(&id).ok_or(Problem::NotThere)?;
    let subject = Subject::referral(state, id, visit.now).ok_or(Problem::NotThere)?;
    let open = referral.end.is_none();
    let allowed = |action| visit.may(action, &subject);
    let may = May {
        change: open && allowed(Action::ChangeReferral),
        withdraw: open && allowed(Action::WithdrawReferral),
        triage: open && allowed(Action::Triage),
        offer: open && allowed(Action::SendOffers),
        answer: open && allowed(Action::ChooseOffer),
        place: open && allowed(Action::ReleaseHold),
        ladder: open && referral.chosen.is_none() && allowed(Action::Escalate),
        end: open && allowed(Action::Escalate),
        take_over: open && referral.with.is_some() && allowed(Action::TakeOver),
        private: allowed(Action::Private),
        contact: allowed(Action::LogContact),
        receipt: allowed(Action::Receipt),
        region: allowed(Action::Events),
    };
    let (lang, now) = (visit.lang, visit.now);
    let sees_offers = allowed(Action::Offers);
    let offers = referral.offers.iter().filter(|_| sees_offers);
    Ok(Seen {
        known: known(state, portal, referral, (now, lang)),
        stayed: stayed(state, referral, visit),
        triage: (may.triage && referral.triage.is_none()).then(|| weighing(state, referral, lang)).flatten(),
        found: (may.offer && referral.chosen.is_none()).then(|| found(state, id, now, lang)).flatten(),
        offers: offers.map(|(offer, of)| offer_line(state, referral, *offer, of, (now, lang))).collect(),
        places: places(state, referral, (now, lang), sees_offers),
        ladder: ladder(state, referral, portal, lang),
        answer_within: answer_within(state, referral, lang),
        round: round(state, referral, lang),
        may,
    })
}

/// A referral in a few words: what for, which age, from which area.
pub(crate) fn in_short(referral: &Referral, lang: Lang) -> String {
    let profile = &referral.profile;
    let weighed = referral.triage.as_ref().map(|triage| &triage.outcome).or(profile.care_type.as_ref());
    let care = weighed.map(|care| lang.code("care", care.raw()));
    let age = profile.age_band.as_ref().map(|age| lang.code("age", age.raw()));
    let area = profile.area.as_ref().map(|area| lang.tf("area-of", &[("area", area.as_str())]));
    let origin = lang.code("origin", profile.origin.raw());
    care.into_iter().chain(age).chain(area).chain([origin]).collect::<Vec<_>>().join(" · ")
}

fn known(state: &DeskState, portal: &Portal, referral: &Referral, (now, lang): (Timestamp, Lang)) -> Known {
    let profile = &referral.profile;
    let named = |region: &domain::RegionId| {
        let known = portal.app.network.region(region);
        known.map_or_else(|| region.to_string(), |known| text::shown(known.name.as_str()))
    };
    let mut facts = vec![("fact-origin", lang.code("origin", profile.origin.raw()))];
    let mut fact = |key, value: Option<String>| facts.extend(value.map(|value| (key, value)));
    fact("profile-sex", profile.sex.as_ref().map(|sex| lang.code("sex", sex.as_str())));
    fact("fact-purpose", profile.purpose.as_ref().map(|purpose| lang.code("purpose", purpose.raw())));
    fact("fact-wished", profile.wished_at.map(|at| text::clock(at, now, lang)));
    fact("fact-ready", profile.ready_since.map(|at| text::clock(at, now, lang)));
    let needs: Vec<String> =
        profile.constraints.iter().map(|feature| lang.code("feature", feature.raw())).collect();
    fact("fact-needs", (!needs.is_empty()).then(|| needs.join(", ")));
    fact("fact-days", profile.expected_days.map(|days| days.to_string()));
    fact("fact-payer", profile.payer.as_ref().map(|payer| lang.code("payer", payer.as_str())));
    fact("fact-consent", Some(lang.t(if profile.consent { "yes" } else { "no" }).to_owned()));
    fact("fact-callback", profile.callback_desk.as_ref().map(|desk| text::shown(desk.as_str())));
    Known {
        region: referral.region.to_string(),
        region_name: named(&referral.region),
        short: in_short(referral, lang),
        urgency: tag(&profile.urgency, lang),
        made_at: When::of(referral.made_at, now, lang),
        made_by: teller(&portal.app.registry.borrow(), &referral.made_by, lang),
        made_by_urn: text::shown(referral.made_by.as_str()),
        facts,
        form: Profile::of(&profile.clone(), lang),
        steps: steps(referral),
        end: referral.end.as_ref().map(|end| Ending {
            said: ending(state, end, now, lang),
            placed: matches!(end, End::Admitted(_)),
        }),
        without_agreement: referral
            .contradictions
            .iter()
            .any(|open| open.kind == ContradictionKind::AdmittedWithoutAgreement),
        asked: referral.with.as_ref().map(named),
        has_private: profile.sealed.is_some(),
        outcome: referral.triage.as_ref().map(|triage| lang.code("care", triage.outcome.raw())),
        set_aside: referral.triage.as_ref().is_some_and(|triage| triage.set_aside),
    }
}

impl Profile {
    /// A form with what is known.
    pub(crate) fn of(profile: &domain::ReferralProfile, lang: Lang) -> Self {
        let care: Vec<&str> = profile.care_type.iter().map(CareType::raw).collect();
        let age: Vec<&str> = profile.age_band.iter().map(AgeBand::raw).collect();
        let purpose: Vec<&str> = profile.purpose.iter().map(Purpose::raw).collect();
        let features: Vec<&str> = profile.constraints.iter().map(Feature::raw).collect();
        let text = |label: &Option<domain::Label>| {
            label.as_ref().map_or_else(String::new, |label| label.as_str().to_owned())
        };
        Self {
            sexes: with_own(choices(lang, "sex", &SEXES, &[]), profile.sex.as_ref()),
            payers: with_own(choices(lang, "payer", &PAYERS, &[]), profile.payer.as_ref()),
            origins: choices(lang, "origin", Origin::KNOWN, &[profile.origin.raw()]),
            care_types: choices(lang, "care", CareType::KNOWN, &care),
            urgencies: choices(lang, "urgency", Urgency::KNOWN, &[profile.urgency.raw()]),
            ages: choices(lang, "age", AgeBand::KNOWN, &age),
            purposes: choices(lang, "purpose", Purpose::KNOWN, &purpose),
            features: choices(lang, "feature", Feature::KNOWN, &features),
            area: text(&profile.area),
            days: profile.expected_days.map_or_else(String::new, |days| days.to_string()),
            callback: text(&profile.callback_desk),
            consent: profile.consent,
            wished: profile.wished_at.map_or_else(String::new, text::local),
            ready: profile.ready_since.map_or_else(String::new, text::local),
            channel: profile.channel.as_str().to_owned(),
        }
    }

    /// An empty form.
    pub(crate) fn empty(lang: Lang) -> Self {
        Self {
            sexes: choices(lang, "sex", &SEXES, &[]),
            payers: choices(lang, "payer", &PAYERS, &[]),
            origins: choices(lang, "origin", Origin::KNOWN, &[]),
            care_types: choices(lang, "care", CareType::KNOWN, &[]),
            urgencies: choices(lang, "urgency", Urgency::KNOWN, &[]),
            ages: choices(lang, "age", AgeBand::KNOWN, &[]),
            purposes: choices(lang, "purpose", Purpose::KNOWN, &[]),
            features: choices(lang, "feature", Feature::KNOWN, &[]),
            area: String::new(),
            days: String::new(),
            callback: String::new(),
            consent: false,
            wished: String::new(),
            ready: String::new(),
            channel: "phone".to_owned(),
        }
    }
}

/// What a form offers for the sex, as referrers record it.
const SEXES: [&str; 3] = ["female", "male", "other"];
/// What a form offers for who pays.
const PAYERS: [&str; 5] = ["Zvw", "Wlz", "Wmo", "self", "other"];

/// The choices with what is known chosen; what is none of them is one more.
fn with_own(mut choices: Vec<Choice>, known: Option<&domain::Label>) -> Vec<Choice> {
    let Some(known) = known else { return choices };
    match choices.iter_mut().find(|choice| choice.code == known.as_str()) {
        Some(choice) => choice.chosen = true,
        None => choices.push(Choice {
            code: known.as_str().to_owned(),
            word: text::shown(known.as_str()),
            chosen: true,
        }),
    }
    choices
}

/// How far it is: a step is done by its own event and by nothing else; the last that is done is now, one after it is next.
fn steps(referral: &Referral) -> Vec<Step> {
    let winner = referral.winner();
    let promised = referral.offers.values().any(|offer| offer.promise().is_some());
    let agreed = winner.and_then(Offer::promise).is_some_and(|promise| promise.agreed);
    let admitted = matches!(referral.end, Some(End::Admitted(_)));
    let reached = [
        ("step-made", true),
        ("step-weighed", referral.triage.is_some()),
        ("step-asked", !referral.offers.is_empty()),
        ("step-promised", promised),
        ("step-chosen", winner.is_some()),
        ("step-agreed", agreed),
        ("step-arrival", referral.arrival.is_some()),
        ("step-admitted", admitted),
    ];
    let last = reached.iter().rposition(|(_, done)| *done).unwrap_or(0);
    let open = referral.end.is_none();
    let next = reached.iter().enumerate().find(|(index, (_, done))| *index > last && !done).map(|(at, _)| at);
    let step = |(index, (key, done)): (usize, &(&'static str, bool))| {
        let (class, before) = match (*done, open) {
            (true, true) if index == last => ("done now", Some("step-now")),
            (true, _) => ("done", None),
            (false, true) if Some(index) == next => ("next", Some("step-next")),
            (false, _) => ("", None),
        };
        Step { key, class, before }
    };
    reached.iter().enumerate().map(step).collect()
}

/// How it stands, in a few words: the same wherever referrals are listed.
pub(crate) fn stands(referral: &Referral, lang: Lang) -> String {
    let key = match (&referral.end, referral.winner()) {
        (Some(end), _) => return ended(end, lang),
        (None, _) if referral.with.is_some() => "stands-elsewhere",
        (None, Some(_)) => "stands-placed",
        (None, None) if referral.offers.values().any(|offer| offer.promise().is_some()) => "stands-promised",
        (None, None) if referral.offers.values().any(Offer::is_open) => "stands-asked",
        (None, None) => "stands-open",
    };
    lang.t(key).to_owned()
}

/// How it ended, in a sentence.
pub(crate) fn ended(end: &End, lang: Lang) -> String {
    let (how, about) = match end {
        End::Admitted(_) => ("end-admitted", String::new()),
        End::Withdrawn(reason) => ("end-withdrawn", lang.code("withdrawn", reason.raw())),
        End::Diverted(reason) => ("end-diverted", lang.code("diverted", reason.raw())),
        End::Unplaced(reason) => ("end-unplaced", text::shown(reason.as_str())),
    };
    if about.is_empty() { lang.t(how).to_owned() } else { format!("{}: {about}", lang.t(how)) }
}

/// How it ended, and that the stay it led to is over.
fn ending(state: &DeskState, end: &End, now: Timestamp, lang: Lang) -> String {
    let said = ended(end, lang);
    let End::Admitted(stay) = end else { return said };
    let left = state.stays.get(stay).and_then(|stay| stay.closed_at);
    left.map_or(said, |at| lang.tf("end-discharged", &[("at", &text::clock(at, now, lang))]))
}

fn weighing(state: &DeskState, referral: &Referral, lang: Lang) -> Option<Weighing> {
    let instrument: &Instrument = state.rule_book.of(&referral.region).instruments.first()?;
    let comes_to = |outcome: &Option<Outcome>| Leads {
        to: match outcome {
            Some(Outcome::Care(care)) => lang.code("care", care.raw()),
            Some(Outcome::Hospital) => lang.t("outcome-hospital").to_owned(),
            None => lang.t("outcome-next").to_owned(),
        },
        decides: outcome.is_some(),
        ends: *outcome == Some(Outcome::Hospital),
    };
    let question = |question: &domain::desk::Question| {
        let words = match lang {
            Lang::Nl => &question.nl,
            Lang::En => &question.en,
        };
        Asking {
            id: question.id.clone(),
            words: words.clone(),
            answers: [("true", "yes", comes_to(&question.yes)), ("false", "no", comes_to(&question.no))],
        }
    };
    Some(Weighing {
        instrument: instrument.name.as_str().to_owned(),
        questions: instrument.questions.iter().map(question).collect(),
        otherwise: comes_to(&Some(instrument.otherwise.clone())).to,
        care_types: choices(lang, "care", CareType::KNOWN, &[]),
    })
}

fn found(state: &DeskState, id: ReferralId, now: Timestamp, lang: Lang) -> Option<Found> {
    let wanted = Wanted::of(state, id, now)?;
    let matched = matching(state, &wanted);
    let mut found = Found::of(state, &matched, now, lang);
    let mut first: Option<(Timestamp, String)> = None;
    for (one, (called, why)) in matched.excluded.iter().zip(&mut found.excluded) {
        let Some(at) = opening_for(state, &wanted, &one.location) else { continue };
        why.push(lang.tf("candidate-opens", &[("at", &text::clock(at, now, lang))]));
        if first.as_ref().is_none_or(|(before, _)| at < *before) {
            first = Some((at, called.name.clone()));
        }
    }
    let opens = |(at, name): (Timestamp, String)| {
        lang.tf("candidates-open", &[("name", &name), ("at", &text::clock(at, now, lang))])
    };
    found.opens = first.map(opens);
    Some(found)
}

impl Found {
    /// A list as it is, or was, shown; locations by the names they have now.
    pub(crate) fn of(state: &DeskState, matched: &Matched, now: Timestamp, lang: Lang) -> Self {
        let no_distance = matched.candidates.iter().all(|one| one.minutes.is_none());
        let why = |one: &domain::Candidate| {
            let all = matched.why(one).into_iter().enumerate();
            // The second says how far it is; what is known of none is said once.
            all.filter(|(index, _)| *index != 1 || !no_distance)
                .map(|(_, sentence)| say_at(lang, sentence, now))
                .collect()
        };
        let candidate = |one: &domain::Candidate| CandidateLine {
            location: called(state, &one.location, now, lang),
            offer: uuid::Uuid::now_v7().to_string(),
            care_code: one.care_type.raw().to_owned(),
            bed: one.bed.as_ref().map_or_else(String::new, ToString::to_string),
            minutes: one.minutes,
            score: one.score,
            why: why(one),
        };
        let excluded = |one: &domain::Excluded| {
            let why = one.reasons.iter().map(|reason| say_at(lang, reason.sentence(), now)).collect();
            (called(state, &one.location, now, lang), why)
        };
        Self {
            moment: When::of(matched.moment, now, lang),
            later: matched.moment > now,
            care_type: lang.code("care", matched.care_type.raw()),
            position: matched.at_position,
            candidates: matched.candidates.iter().map(candidate).collect(),
            excluded_count: matched.excluded.len(),
            excluded: matched.excluded.iter().map(excluded).collect(),
            left_off: matched.left_off,
            no_distance: no_distance && !matched.candidates.is_empty(),
            opens: None,
        }
    }
}
