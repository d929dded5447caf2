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

/// A text on one line, with `�` for each character that is not fit to be shown.
#[must_use]
pub fn plain(text: &str) -> String {
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
    fn lines_keep_their_ends() {
        assert_eq!(plain_lines("een\r\ntwee\tdrie\u{202E}\n"), "een\ntwee\tdrie�\n");
        assert_eq!(plain("een\ntwee"), "een�twee");
    }
}
