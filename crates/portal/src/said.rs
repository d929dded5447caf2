//! Sentences of the domain as people read them: its moments on the clock of the Netherlands, its codes in words, locations and
//! regions by their names.
//!
//! Not here: the sentences (`domain`), the words (`messages`).

use domain::{Fact, LocationId, RegionId, Timestamp};

use crate::server::Portal;
use crate::words::Lang;
use crate::{messages, text};

/// What begins with a capital wherever it stands.
const NAMES: [&str; 3] = ["Wlz", "Wmo", "Zvw"];

/// The names of locations and regions, by their ids. Not to be asked while the state is read.
pub(crate) fn names(portal: &Portal) -> impl Fn(&str) -> Option<String> {
    |id: &str| {
        let region = RegionId::try_from(id).ok().and_then(|code| portal.app.network.region(&code));
        if let Some(region) = region {
            return Some(text::shown(region.name.as_str()));
        }
        // Of a sentence most are words: only what looks like an id is looked up.
        let location = LocationId::try_from(id).ok().filter(|_| id.contains('-'))?;
        let card = portal.app.desk.state().read(|state| state.board.location(&location))?;
        Some(text::called(&card.name, &card.location))
    }
}

/// Where ids stay as they are.
pub(crate) fn unnamed(_: &str) -> Option<String> {
    None
}

/// A sentence of the domain, which names locations and regions by their ids and moments as the log has them, as people say it.
pub(crate) fn readable(
    sentence: &str,
    names: impl Fn(&str) -> Option<String>,
    now: Timestamp,
    lang: Lang,
) -> String {
    let words = sentence.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ':', ';', ')']);
        let after = word.get(bare.len()..).unwrap_or_default();
        let before = bare.len() - bare.trim_start_matches('(').len();
        let (open, code) = bare.split_at(before);
        let said = match code.parse::<Timestamp>() {
            Ok(at) if code.contains('T') => Some(text::clock(at, now, lang)),
            Ok(_) | Err(_) => coded(code, lang).or_else(|| names(code)),
        };
        said.map_or_else(|| word.to_owned(), |said| format!("{open}{said}{after}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The word for a code that stands in a sentence of the domain: a care type as it is called, the others in lower case.
fn coded(code: &str, lang: Lang) -> Option<String> {
    // In English this code of several lists is a word, and says the same.
    if code == "other" && lang == Lang::En {
        return None;
    }
    if let Some(care) = messages::word(lang, "care", code) {
        return Some(care.to_owned());
    }
    if Fact::KINDS.contains(&code) {
        return messages::word(lang, "happened", &code.replace('.', "-")).map(str::to_owned);
    }
    let lists =
        ["role", "origin", "withdrawn", "diverted", "contact", "waits", "destination", "raised", "funding"];
    let word = lists.into_iter().find_map(|list| messages::word(lang, list, code))?;
    Some(lowered(word))
}

/// A word within a sentence: a name keeps its capital.
fn lowered(word: &str) -> String {
    let first_word = word.split([' ', '-']).next().unwrap_or(word);
    let is_name = NAMES.contains(&first_word) || first_word.chars().skip(1).any(char::is_uppercase);
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        Some(_) | None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_codes_in_a_sentence_are_said_in_words_also_between_brackets() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let said = |text| readable(text, unnamed, now, Lang::Nl);
        assert_eq!(
            said("Neemt op dat moment (2026-11-22T20:47:18.926936Z) niet op."),
            "Neemt op dat moment (21:47) niet op."
        );
        assert_eq!(said("Getrieerd door nurse: HOSPITAL."), "Getrieerd door verpleegkundige: Ziekenhuis.");
    }

    #[test]
    fn a_word_of_a_sentence_that_is_a_code_too_stays_a_word() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let said = "Bed 3 will do; it is meant for other care first.";
        assert_eq!(readable(said, unnamed, now, Lang::En), said);
    }

    #[test]
    fn what_is_a_name_keeps_its_capital_and_what_has_a_name_is_called_by_it() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let called = |id: &str| (id == "zk24").then(|| "Friesland".to_owned());
        let said = |text| readable(text, called, now, Lang::Nl);
        assert_eq!(said("Kan weg en wacht op wlz-place."), "Kan weg en wacht op Wlz-plek.");
        assert_eq!(said("Kan weg en wacht op grz-place."), "Kan weg en wacht op GRZ-plek.");
        assert_eq!(said("Kan weg en wacht op home-care."), "Kan weg en wacht op zorg thuis.");
        assert_eq!(said("Voorgelegd aan nza."), "Voorgelegd aan NZa.");
        assert_eq!(said("Bekostiging gewijzigd: wlz."), "Bekostiging gewijzigd: Wlz.");
        assert_eq!(said("Overgedragen aan loket zk24."), "Overgedragen aan loket Friesland.");
        assert_eq!(said("stay.admitted."), "Opgenomen.");
    }
}
