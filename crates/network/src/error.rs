//! What can be wrong with a network file, told so that the person who wrote it can mend it.

use std::fmt;
use std::ops::Range;

use crate::key::looks_like_seed;

/// A network could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The file is not there or may not be read.
    #[error("{file}: the network file cannot be read; give the path of a readable file")]
    Unreadable {
        /// The path as given.
        file: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is far larger than any network.
    #[error(
        "{file}: more than the {max} bytes a network file may have; is this the right file?",
        max = crate::FILE_BYTES_MAX
    )]
    TooLarge {
        /// The path as given.
        file: String,
    },
    /// Something in the file is wrong.
    #[error("{file}:{line}: {key}: {problem}")]
    Wrong {
        /// The file as the caller named it.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key, such as `region.code`, or the URN of a source.
        key: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
}

/// Something wrong at a place in a text, before the place is told as line and key.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, text: impl fmt::Display) -> Self {
        Self { span, text: text.to_string() }
    }

    /// The error, with the line and the key that a TOML text has at this place.
    pub(crate) fn in_toml(self, file: &str, text: &str) -> NetworkError {
        let key = key_at(text, &self.span);
        self.with_key(file, text, &key)
    }

    /// The error, with the line that `text` has at this place and a key the caller knows.
    pub(crate) fn with_key(self, file: &str, text: &str, key: &str) -> NetworkError {
        NetworkError::Wrong {
            file: file.to_owned(),
            line: line_at(text, self.span.start),
            key: without_seeds(key),
            problem: without_seeds(&self.text),
        }
    }
}

/// The line, from 1, in which the byte at `offset` stands.
fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).split('\n').count()
}

/// The key the bytes of `span` belong to: the table they are in, and the key at the start of their line.
///
/// An inline table's inner key is found too, as `region.desk.phone`, if the place is inside one.
fn key_at(text: &str, span: &Range<usize>) -> String {
    let start = span.start.min(text.len());
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let table = text
        .get(..line_start + line.len())
        .unwrap_or(text)
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix('[')?.split(']').next())
        .map(|name| name.trim_matches(['[', ' ']));
    let mut path: Vec<&str> = table.into_iter().collect();
    if !line.trim_start().starts_with('[')
        && let Some((key, _)) = line.split_once('=')
    {
        // A line of an array of inline tables begins with a brace: its keys are inner keys.
        if !line.trim_start().starts_with('{') {
            path.push(key.trim());
        }
        path.extend(inner_key(line, start - line_start, span.end.saturating_sub(line_start)));
    }
    if path.is_empty() { "the file".to_owned() } else { path.join(".") }
}

/// The key inside an inline table to which the bytes from `start` to `end` of `line` belong: those bytes themselves
/// if they are a key, else the key in front of the value they are.
fn inner_key(line: &str, start: usize, end: usize) -> Option<&str> {
    let brace = line.find('{').filter(|brace| *brace < start)?;
    if line.get(end..).is_some_and(|rest| rest.trim_start().starts_with('=')) {
        return line.get(start..end).map(str::trim);
    }
    let before = line.get(brace + 1..start)?.trim_end().strip_suffix('=')?;
    before.rsplit(',').next().map(str::trim)
}

/// An error repeats what it found; a seed that somebody put into the file is not shown again.
fn without_seeds(text: &str) -> String {
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let shown = words.map(|word| {
        let bare = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        if looks_like_seed(bare) { word.replace(bare, "(a seed)") } else { word.to_owned() }
    });
    shown.collect()
}
