//! A board with those locations only that have what is asked for, and in words what was asked and who is left out.
//!
//! What is asked stands in the address. The numbers come as they come: the feed of the board is for everybody and knows
//! nothing of it, so a page that is sieved is fetched again when something changed. Not here: who has what
//! (`domain::queries::suiting`).

use std::collections::BTreeMap;

use domain::desk::State;
use domain::queries::{Needs, Suits, suiting};
use domain::{Feature, RegionId, Timestamp};

use crate::board::{self, RegionBoard};
use crate::words::Lang;

/// The names of what is asked for in an address.
const FEATURE: &str = "nodig";
const FREE: &str = "vrij";
const ADMITS: &str = "opname";

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sieve {
    needs: Needs,
    /// More was asked for than whoever looks may ask.
    pub(crate) refused: bool,
}

/// What became of the board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sieved {
    pub(crate) shown: usize,
    pub(crate) hidden: usize,
    /// How many of the hidden ones do not say what their beds offer.
    pub(crate) unsaid: usize,
}

impl Sieve {
    /// What this address asks for. What beds offer and who can be admitted is for those who place people; what is free is for
    /// everybody.
    pub(crate) fn of(query: &str, places_people: bool) -> Self {
        let mut sieve = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                FREE if value == "1" => sieve.needs.free = true,
                ADMITS if value == "1" => sieve.needs.admits = true,
                FEATURE if Feature::KNOWN.contains(&&*value) => {
                    let feature = Feature::from(&*value);
                    if !sieve.needs.features.contains(&feature) {
                        sieve.needs.features.push(feature);
                    }
                }
                _ => {}
            }
        }
        if !places_people {
            sieve.refused = sieve.needs.admits || !sieve.needs.features.is_empty();
            (sieve.needs.admits, sieve.needs.features) = (false, Vec::new());
        }
        sieve
    }

    pub(crate) fn is_open(&self) -> bool {
        self.needs == Needs::default()
    }

    pub(crate) fn free(&self) -> bool {
        self.needs.free
    }

    pub(crate) fn admits(&self) -> bool {
        self.needs.admits
    }

    /// The features there are: code, word, and whether it is asked for.
    pub(crate) fn features(&self, lang: Lang) -> Vec<(&'static str, String, bool)> {
        let asked = |code: &str| self.needs.features.iter().any(|feature| feature.raw() == code);
        Feature::KNOWN.iter().map(|code| (*code, lang.code("feature", code), asked(code))).collect()
    }

    /// What is asked for, as an address has it.
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for feature in &self.needs.features {
            query.append_pair(FEATURE, feature.raw());
        }
        for (name, asked) in [(FREE, self.needs.free), (ADMITS, self.needs.admits)] {
            if asked {
                query.append_pair(name, "1");
            }
        }
        query.finish()
    }

    /// What is asked for, in words.
    pub(crate) fn words(&self, lang: Lang) -> String {
        let features = self.needs.features.iter().map(|feature| lang.code("feature", feature.raw()));
        let free = self.needs.free.then(|| lang.t("sieve-free").to_owned());
        let admits = self.needs.admits.then(|| lang.t("sieve-admits").to_owned());
        features.chain(free).chain(admits).collect::<Vec<_>>().join(", ")
    }

    /// Leaves what has it on the board; nothing to be said if nothing is asked for.
    pub(crate) fn sieve(
        &self,
        board: &mut RegionBoard,
        state: &State,
        region: &RegionId,
        at: Timestamp,
    ) -> Option<Sieved> {
        if self.is_open() {
            return None;
        }
        let rows = suiting(state, region, &self.needs, at).into_iter();
        let suits: BTreeMap<String, Suits> =
            rows.map(|row| (board::row_key(&row.location, row.care_type), row.suits)).collect();
        let mut sieved = Sieved::default();
        board.places.retain_mut(|place| {
            let of = |key: &str| suits.get(key).copied().unwrap_or(Suits::No);
            // What is free the board itself says, which may be ahead of the desk.
            let has = |line: &board::Line| {
                let only_free = self.needs == Needs { free: true, ..Needs::default() };
                if only_free { line.counts.offerable > 0 } else { of(&line.key) == Suits::Yes }
            };
            let unsaid = place.lines.iter().any(|line| of(&line.key) == Suits::Unsaid);
            place.lines.retain(has);
            let shown = !place.lines.is_empty();
            sieved.shown = sieved.shown.saturating_add(usize::from(shown));
            sieved.hidden = sieved.hidden.saturating_add(usize::from(!shown));
            sieved.unsaid = sieved.unsaid.saturating_add(usize::from(!shown && unsaid));
            shown
        });
        Some(sieved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_asked_for_and_the_public_asks_for_what_is_public() {
        let query = "care_type=GRZ&nodig=isolation&nodig=hoist&nodig=isolation&nodig=nothing&vrij=1&opname=1";
        let all = Sieve::of(query, true);
        assert_eq!(all.query(), "nodig=isolation&nodig=hoist&vrij=1&opname=1");
        assert_eq!(Sieve::of(&all.query(), true), all);
        assert_eq!(all.words(Lang::Nl), "Isolatie, Tillift, nu vrij en bemand, nu op te nemen");
        let public = Sieve::of(query, false);
        assert!(public.refused && public.query() == "vrij=1", "{public:?}");
        assert!(Sieve::of("vrij=0&opname=ja", true).is_open());
    }
}
