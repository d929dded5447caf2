//! Small things every page shows: names of locations with a number to ring, moments, choices of a form.
//!
//! Not here: messages (`messages`), making text fit (`text`).

use domain::desk::State;
use domain::queries::phone;
use domain::{LocationId, Sentence, SourceId, Timestamp};
use network::{Kind, Network, Source};
use views::Stop;

use crate::said::{readable, unnamed};
use crate::text;
use crate::words::Lang;

/// A sentence of the domain in the language of the page.
pub(crate) fn say(lang: Lang, sentence: Sentence) -> String {
    match lang {
        Lang::Nl => sentence.nl,
        Lang::En => sentence.en,
    }
}

/// The same, with the moments and codes in it as people say them.
pub(crate) fn say_at(lang: Lang, sentence: Sentence, now: Timestamp) -> String {
    readable(&say(lang, sentence), unnamed, now, lang)
}

/// Since when admissions are stopped, and when that is looked at again; why, for whoever `sees_why`.
pub(crate) fn stop(lang: Lang, stop: &Stop, now: Timestamp, sees_why: bool) -> String {
    let since = text::clock(stop.since, now, lang);
    let told = if sees_why {
        lang.tf("stop-told", &[("reason", &lang.code("stop", stop.reason.code())), ("at", &since)])
    } else {
        lang.tf("stop-since", &[("at", &since)])
    };
    match stop.review_at {
        None => told,
        Some(at) => format!("{told}, {}", lang.tf("stop-review", &[("at", &text::clock(at, now, lang))])),
    }
}

/// Who said something, in words: what the network calls the source, and what it is. One that is not in it by its URN.
pub(crate) fn teller(network: &Network, source: &SourceId, lang: Lang) -> String {
    let Some(known) = network.source(source) else {
        let own = source.as_str().starts_with("urn:doorstroom:");
        return if own { lang.t("teller-node").to_owned() } else { text::shown(source.as_str()) };
    };
    let (name, role) = match known.kind {
        Kind::Desk => {
            let desk = network.region(&known.region).map(|region| text::shown(region.desk.name.as_str()));
            (desk, "teller-desk")
        }
        Kind::Location => (only_house(network, known), "teller-location"),
        Kind::Referrer => (None, "teller-referrer"),
        Kind::Centre => (None, "teller-centre"),
        Kind::Node => return lang.t("teller-node").to_owned(),
    };
    let name = name.unwrap_or_else(|| text::shown(known.name.as_str()));
    lang.tf("teller", &[("name", &name), ("role", lang.t(role))])
}

/// The name of the one location that a source speaks for.
fn only_house(network: &Network, source: &Source) -> Option<String> {
    let mut spoken_for = network.locations().filter(|location| network.may_speak_for(source, &location.id));
    let (first, second) = (spoken_for.next()?, spoken_for.next());
    second.is_none().then(|| text::shown(first.name.as_str()))
}

/// A location as people call it, with the number that is answered now.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) phone: Option<Phone>,
    pub(crate) last_word: String,
    pub(crate) stale: bool,
}

/// A number to ring.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    pub(crate) shown: String,
    /// Nothing for one without digits.
    pub(crate) tel: Option<String>,
}

impl Phone {
    pub(crate) fn of(number: &str) -> Self {
        Self { shown: text::shown(number), tel: text::tel(number) }
    }
}

/// What a location is called; one that is not known by its id.
pub(crate) fn called(state: &State, location: &LocationId, now: Timestamp, lang: Lang) -> Called {
    match state.board.location(location) {
        Some(card) => Called {
            id: location.to_string(),
            name: text::called(&card.name, &card.location),
            phone: phone(&card, now).map(|number| Phone::of(number.as_str())),
            last_word: text::age(card.last_word.at, now, lang),
            stale: text::is_stale(card.last_word.at, now),
        },
        None => Called {
            id: location.to_string(),
            name: location.to_string(),
            phone: None,
            last_word: String::new(),
            stale: false,
        },
    }
}

/// A moment: for people, and in milliseconds since 1970 for the script that counts down.
#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) clock: String,
    pub(crate) millis: i64,
    pub(crate) past: bool,
    /// How long until then, or how long ago, as the page was made; the script counts on from there.
    pub(crate) left: String,
}

impl When {
    pub(crate) fn of(at: Timestamp, now: Timestamp, lang: Lang) -> Self {
        let left = at.as_micros().saturating_sub(now.as_micros());
        let minus = if left < 0 { "−" } else { "" };
        Self {
            clock: text::clock(at, now, lang),
            millis: at.as_micros() / 1_000,
            past: at < now,
            left: format!("{minus}{}", text::span(left.saturating_abs(), lang)),
        }
    }
}

/// One choice of a form: its code and its word.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) code: String,
    pub(crate) word: String,
    pub(crate) chosen: bool,
}

/// The choices of a code list, with those that are chosen now.
pub(crate) fn choices(lang: Lang, list: &str, codes: &[&str], chosen: &[&str]) -> Vec<Choice> {
    codes
        .iter()
        .map(|code| Choice {
            code: (*code).to_owned(),
            word: lang.code(list, code),
            chosen: chosen.contains(code),
        })
        .collect()
}
