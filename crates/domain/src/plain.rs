//! Text that others wrote, fit to stand beside other text: on a page, in a cell of a terminal.
//!
//! What is recorded stays as it was written; this is for showing it. Not here: escaping and cutting (the portal, the terminal).

use alloc::string::String;

/// Shown in the place of a character that is not fit to be.
const INSTEAD: char = '\u{FFFD}';

/// Whether a character moves what stands beside it, or can not be seen: controls, which could move the cursor of a terminal, marks that
/// turn the direction of reading (Unicode Standard Annex 9), and others without a shape.
#[must_use]
pub fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether a character leaves a place empty, or changes only what stands before it: spaces, fillers, the empty braille cell, selectors of
/// variants. In other writing each of them has its use; alone nobody sees it.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(character,
            '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0100}'..='\u{E01EF}')
}

/// Whether anything of a text can be seen: a name of which nothing can looks like none.
#[must_use]
pub fn is_seen(text: &str) -> bool {
    text.chars().any(|character| !is_unfit(character) && !is_blank(character))
}

/// A text on one line, with `�` for each character that is not fit to be shown, and for a whole text of which nothing can be seen.
#[must_use]
pub fn plain(text: &str) -> String {
    if !text.is_empty() && !is_seen(text) {
        return INSTEAD.into();
    }
    text.chars().map(|character| if is_unfit(character) { INSTEAD } else { character }).collect()
}

/// The same of a text of several lines, which keeps their ends and its tabs.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    let kept = |character: &char| *character != '\r';
    let fit = |character: char| {
        if is_unfit(character) && !matches!(character, '\n' | '\t') { INSTEAD } else { character }
    };
    text.chars().filter(kept).map(fit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_the_reading_or_moves_a_cursor_is_shown_as_a_mark_and_other_writing_as_it_is() {
        for turns in
            ['\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}', '\u{200F}', '\u{1B}', '\u{9B}', '\u{7F}']
        {
            assert_eq!(plain(&alloc::format!("a{turns}b")), "a�b");
        }
        for fit in ["Ziekenhuis ’t Léonard – 3 €", "مستشفى", "בית חולים", "東京", "e\u{301}"]
        {
            assert_eq!(plain(fit), fit);
        }
    }

    #[test]
    fn of_a_text_of_invisible_signs_nothing_is_seen_and_a_mark_is_shown() {
        for unseen in [
            "\u{3164}",
            "\u{115F}\u{1160}",
            "\u{FFA0} \u{2800}",
            "\u{200B}\u{200D}",
            "\u{A0}\u{2003}\u{3000}",
            "\u{FE0F}\u{E0101}",
        ] {
            assert!(!is_seen(unseen) && plain(unseen) == "�", "{}", unseen.escape_unicode());
        }
        for seen in ["a", "1", "é", "ᄀ\u{1160}", "⠁\u{2800}", "東京", "–"] {
            assert!(is_seen(seen), "{seen}");
        }
        assert_eq!(plain(""), "");
    }

    #[test]
    fn lines_keep_their_ends() {
        assert_eq!(plain_lines("een\r\ntwee\tdrie\u{202E}\n"), "een\ntwee\tdrie�\n");
        assert_eq!(plain("een\ntwee"), "een�twee");
    }
}
