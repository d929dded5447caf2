//! Sentences of the domain as people read them: its moments on the clock of the Netherlands, its codes in words.
//!
//! Not here: the sentences (`domain`), the words (`messages`).

use domain::{LocationId, Timestamp};

use crate::words::Lang;
use crate::{messages, text};

/// A sentence of the domain, which names locations by their ids and moments as the log has them, as people say it.
pub(crate) fn readable(
    sentence: &str,
    location: Option<&(&LocationId, String)>,
    now: Timestamp,
    lang: Lang,
) -> String {
    let words = sentence.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ':', ';', ')']);
        let after = word.get(bare.len()..).unwrap_or_default();
        if let Some((id, name)) = location
            && bare == id.as_str()
        {
            return format!("{name}{after}");
        }
        let before = bare.len() - bare.trim_start_matches('(').len();
        let (open, code) = bare.split_at(before);
        match code.parse::<Timestamp>() {
            Ok(at) if code.contains('T') => format!("{open}{}{after}", text::clock(at, now, lang)),
            Ok(_) | Err(_) => {
                coded(code, lang).map_or_else(|| word.to_owned(), |said| format!("{open}{said}{after}"))
            }
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The word for a code that stands in a sentence of the domain: a care type as it is called, the others in lower case.
fn coded(code: &str, lang: Lang) -> Option<String> {
    if let Some(care) = messages::word(lang, "care", code) {
        return Some(care.to_owned());
    }
    let lists = ["role", "origin", "withdrawn", "diverted", "contact", "waits", "destination"];
    let word = lists.into_iter().find_map(|list| messages::word(lang, list, code))?;
    let mut letters = word.chars();
    let first = letters.next()?;
    Some(first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_codes_in_a_sentence_are_said_in_words_also_between_brackets() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let said = |text| readable(text, None, now, Lang::Nl);
        assert_eq!(
            said("Neemt op dat moment (2026-11-22T20:47:18.926936Z) niet op."),
            "Neemt op dat moment (21:47) niet op."
        );
        assert_eq!(said("Getrieerd door nurse: HOSPITAL."), "Getrieerd door verpleegkundige: Ziekenhuis.");
    }
}
