//! Reading a request: the parts of its address, its body, the position it waits for.
//!
//! Everything is read here once, into types that need no second look; nothing that was sent is repeated in an error.
//! Not here: who asks (`who`).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, header};
use projector::{Handle, Standing};
use serde::de::DeserializeOwned;
use views::View;

use super::problem::Problem;
use super::value::Named;
use crate::guard;
use crate::server::Portal;

/// The longest body that is read: the largest act, a triage with its answers, is under 16 KiB.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest a request waits for a view to have a position. A view is milliseconds behind; one that is further
/// behind is said to be so.
pub(crate) const AFTER_WITHIN_MAX: Duration = Duration::from_secs(5);
/// Requests that wait for a position at the same time: more mean that a view stands still.
pub(crate) const WAITING_MAX: usize = 256;
/// The position that a view has to have before it is asked.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("doorstroom-position");

/// The named parts of an address.
#[derive(Clone, Debug)]
pub(crate) struct Parts(pub(crate) BTreeMap<String, String>);

impl Parts {
    /// Those of an address without any.
    pub(crate) fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// One part.
    pub(crate) fn one(name: &str, value: &impl ToString) -> Self {
        Self(BTreeMap::from([(name.to_owned(), value.to_string())]))
    }

    /// The part of this name.
    ///
    /// # Errors
    /// It is no such name: then there is nothing there.
    pub(crate) fn read<T: Named>(&self, name: &str) -> Result<T, Problem> {
        self.0.get(name).and_then(|text| T::read(text).ok()).ok_or(Problem::NotThere)
    }
}

/// The body as what is asked for.
///
/// # Errors
/// It is too large, not JSON, or not what is asked for.
pub(crate) async fn body<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A form of another page can not send this type unasked.
    if media_type.split(';').next().is_none_or(|bare| !bare.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::NotJson);
    }
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| guard::Refusal::TooLarge)?;
    read(&bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| told(&error))?;
    reader.end().map_err(|error| Problem::Malformed(place(&error)))?;
    Ok(read)
}

fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// What is wrong with a body, and where, without a word of it: the names of fields are ours, or they are left out.
fn told(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let (path, error) = (error.path(), error.inner());
    if !error.is_data() {
        return Problem::Malformed(place(error));
    }
    let unknown = error.to_string().starts_with("unknown field");
    let named = !unknown && path.iter().next().is_some();
    let field = if named { format!("`{path}`: ") } else { String::new() };
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    let said = if text.starts_with("missing field") || text.starts_with("not ") {
        text.to_owned()
    } else {
        // "invalid type: string \"…\", expected u32", "unknown field `…`, expected one of …".
        text.rsplit_once(", expected ").map_or_else(
            || "something there does not belong".to_owned(),
            |(_, expected)| format!("expected {expected}"),
        )
    };
    Problem::Unfit(format!("{field}{said}"))
}

/// The position that the asker has seen: of the header, or of `after` in the address.
///
/// # Errors
/// It is no position.
pub(crate) fn position(headers: &HeaderMap, after: Option<u64>) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(POSITION) else { return Ok(after) };
    let said = value.to_str().ok().and_then(|text| text.parse().ok());
    said.map(Some).ok_or(Problem::BadParameter("doorstroom-position"))
}

/// Waits until the view follows the log, which after a start takes a moment, and has this position, if there is one. Until
/// it does, what is recorded would be answered like what is not there.
///
/// # Errors
/// The log has no such position, the view does not get there in time, or too many wait.
pub(crate) async fn wait<V: View>(
    portal: &Portal,
    view: &Handle<V>,
    position: Option<u64>,
) -> Result<(), Problem> {
    let there = |now: &Standing| now.live && position.is_none_or(|position| now.position >= position);
    let mut standing = view.standing();
    if there(&standing.borrow()) {
        return Ok(());
    }
    if position.is_some_and(|position| position > portal.app.reader.head().position) {
        return Err(Problem::Ahead);
    }
    let _permit = portal.waiting.try_acquire().map_err(|_| guard::Refusal::Busy)?;
    match tokio::time::timeout(AFTER_WITHIN_MAX, standing.wait_for(there)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(Problem::Away),
        Err(_) => Err(Problem::Behind),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::api::value::RegionCode;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        #[expect(dead_code, reason = "read only")]
        region: RegionCode,
        #[expect(dead_code, reason = "read only")]
        count: u32,
    }

    fn refused(text: &str) -> String {
        format!("{:?}", read::<Sent>(text.as_bytes()).unwrap_err())
    }

    #[test]
    fn what_is_wrong_with_a_body_is_told_without_a_word_of_it() {
        assert!(refused(r#"{"region": "zk23", "count": "Jansen"}"#).contains("expected u32"));
        assert!(refused(r#"{"region": "zk23"}"#).contains("missing field `count`"));
        assert!(refused(r#"{"region": "Jansen!", "count": 1}"#).contains("not a region: 2 to 32"));
        assert!(refused(r#"{"Jansen": "zk23", "count": 1}"#).contains("expected `region` or `count`"));
        assert!(refused(r#"{"region""#).contains("line 1, column 9"));
        for text in [
            r#"{"count": "Jansen"}"#,
            r#"{"region": "Jansen!", "count": 1}"#,
            r#"{"Jansen": 1}"#,
            "\"Jansen\"",
        ] {
            assert!(!refused(text).contains("Jansen"), "{}", refused(text));
        }
    }
}
