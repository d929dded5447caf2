//! What the rules of the region say of one referral: how long to answer, how one of several wins, whom to ask next.
//!
//! Not here: the rules themselves (`domain::desk`), the page (`referral`).

use domain::desk::{Referral, RoundRule, Rung, State as DeskState};

use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// A rung of the ladder, and whether it was tried.
pub(super) struct RungLine {
    pub(super) word: String,
    pub(super) field: (&'static str, String),
    pub(super) tried: bool,
}

/// How long whoever is asked has to answer, where nothing else is said.
pub(super) fn answer_within(state: &DeskState, referral: &Referral, lang: Lang) -> String {
    let micros = state.rules(&referral.region).answer_micros.of(&referral.profile.urgency);
    text::span(micros, lang)
}

/// How one of several that promise a place wins.
pub(super) fn round(state: &DeskState, referral: &Referral, lang: Lang) -> &'static str {
    let rules = state.rules(&referral.region);
    lang.t(match rules.round.of(&referral.profile.urgency) {
        RoundRule::FirstWins => "round-first",
        RoundRule::CollectAndChoose if rules.hold_promises => "round-collect",
        RoundRule::CollectAndChoose => "round-collect-bare",
    })
}

/// Whom to ask when nothing is found, in this order.
pub(super) fn ladder(state: &DeskState, referral: &Referral, portal: &Portal, lang: Lang) -> Vec<RungLine> {
    let rungs = state.rule_book.of(&referral.region).ladder.iter();
    rungs
        .map(|rung| {
            let (word, field) = match rung {
                Rung::Desk(region) => {
                    let known = portal.app.network.region(region);
                    let name =
                        known.map_or_else(|| region.to_string(), |known| text::shown(known.name.as_str()));
                    (lang.tf("ladder-desk", &[("name", &name)]), ("escalate", region.to_string()))
                }
                Rung::Above(to) => (lang.code("raised", to.raw()), ("raise", to.raw().to_owned())),
            };
            RungLine { word, field, tried: referral.tried.contains(rung) }
        })
        .collect()
}
