//! A page of ours in its tags and texts, and put together again.
//!
//! Pure. Not here: what is changed in it (`filled`).

use std::fmt::Write as _;

/// A tag of a page, or the text between two.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    pub(super) raw: &'a str,
    /// Of a tag that ends something with the slash; empty for a text.
    pub(super) name: &'a str,
    /// As they stand there, with what they mean.
    attributes: Vec<(&'a str, String)>,
}

impl Piece<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn kind(&self) -> &str {
        self.get("type").unwrap_or_default()
    }

    /// The tag with these attributes instead; `None` takes one away.
    pub(super) fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let is_other = |name: &str| changes.iter().any(|(key, _)| *key == name);
        let kept = self.attributes.iter().map(|(name, value)| (*name, Some(value.as_str())));
        let kept = kept.filter(|(name, _)| !is_other(name));
        let mut tag = format!("<{}", self.name);
        for (name, value) in kept.chain(changes.iter().copied()) {
            if let Some(value) = value {
                let _ = write!(tag, " {name}=\"{}\"", escaped(value));
            }
        }
        tag + ">"
    }
}

/// The tags and texts of a page of ours: whatever is shown in one is escaped, so every `<` begins a tag.
pub(super) fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        let end = if rest.starts_with('<') { end_of_tag(rest) } else { rest.find('<').unwrap_or(rest.len()) };
        let (raw, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        found.push(piece(raw));
        rest = after;
    }
    found
}

/// Where a tag ends; a `>` in a value does not end it.
pub(super) fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '>') => return at.saturating_add(1),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None | Some(_), _) => {}
        }
    }
    text.len()
}

pub(super) fn piece(raw: &str) -> Piece<'_> {
    let inner = raw.strip_prefix('<').map(|inner| inner.strip_suffix('>').unwrap_or(inner));
    let Some(inner) = inner else { return Piece { raw, name: "", attributes: Vec::new() } };
    let (name, mut rest) =
        inner.split_once(|letter: char| letter.is_ascii_whitespace()).unwrap_or((inner, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end =
            rest.find(|letter: char| letter == '=' || letter.is_ascii_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if key.is_empty() {
            break;
        }
        let (value, after) = after.strip_prefix('=').map_or(("", after), value);
        attributes.push((key, unescaped(value)));
        rest = after;
    }
    Piece { raw, name, attributes }
}

/// The value at the beginning, and what comes after.
fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split_once(quote).unwrap_or((rest, ""));
        }
    }
    text.split_once(|letter: char| letter.is_ascii_whitespace()).unwrap_or((text, ""))
}

/// How what means something in a page is written in it.
const ESCAPES: [(&str, char); 4] = [("&quot;", '"'), ("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];

/// Also what turns a reading is written so, as in every form (`text::kept`).
pub(super) fn escaped(text: &str) -> String {
    // Ends of lines stay as they are.
    text.split('\n').map(crate::text::kept).collect::<Vec<_>>().join("\n")
}

/// The letter that `#8238;…` is, and what comes after.
fn numbered(text: &str) -> Option<(char, &str)> {
    let (number, after) = text.strip_prefix('#')?.split_once(';')?;
    Some((char::from_u32(number.parse().ok()?)?, after))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let means = |(written, means): &(&str, char)| {
            let after = after.strip_prefix(written.strip_prefix('&')?)?;
            Some((*means, after))
        };
        let known = ESCAPES.iter().find_map(means).or_else(|| numbered(after));
        let (letter, after) = known.unwrap_or(('&', after));
        plain.push(letter);
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_comes_apart_and_is_the_same_put_together_again() {
        let page = "<!doctype html><main id=\"main\" class=\"a\"><form action='/a' x><input name=q \
                    value=\"a>b &#38;&#38;lt; c\" required><textarea name=t>x &#60;b&#62;</textarea></form></main>";
        let pieces = pieces(page);
        assert_eq!(pieces.iter().map(|piece| piece.raw).collect::<String>(), page);
        let input = pieces.iter().find(|piece| piece.name == "input").unwrap();
        assert_eq!(input.get("value"), Some("a>b &&lt; c"));
        assert_eq!(
            (input.get("name"), input.get("required"), input.get("none")),
            (Some("q"), Some(""), None)
        );
        let changed = input.with(&[("value", Some("\"<&>'")), ("required", None)]);
        assert_eq!(changed, "<input name=\"q\" value=\"&#34;&#60;&#38;&#62;&#39;\">");
    }
}
