//! Every act of the API as a form: `POST /doe/…` beside `POST /api/v1/…`, so that all that can be done works without a script.
//!
//! A form has the fields of the act's body (`profile[urgency]`, `to[0][offer]`), with conveniences a browser needs: what is
//! empty, or of which nothing can be seen, was not said; a field named `…@local` is a time in the Netherlands; `?to[3][…]` counts only if the box `on:to[3]`
//! or a box in that list entry (`?windows[3][days][]`) was ticked. A list of boxes of which none was ticked is said to be empty by
//! a field `none:facts[features]`; a bed whose number is typed stands in the field `in:bed` and not in the address. An answer of
//! the weighing is a field `answer:NAME`. Not here: what an act is (`api::acts`), who may (`api`),
//! what is shown of a form that is not taken (`refused`).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use desk::Done;
use domain::access::Principal;
use domain::{BedId, Timestamp};
use serde::de::DeserializeOwned;

use super::refused::{self, Refused};
use super::sure;
use super::visit::{self, AFTER, Visit, see_other};
use crate::api::acting::{self, RawParts};
use crate::api::acts::Wanted;
use crate::api::problem::Problem;
use crate::api::request::{BODY_BYTES_MAX, Parts};
use crate::api::upto::refused_beyond;
use crate::api::value::Named as _;
use crate::server::Portal;
use crate::{guard, text};

/// The header in which the script of a page says for whom the page was made.
const WHO: &str = "doorstroom-who";
/// The header in which the script is told where more can be seen of what a refusal is about.
const SEE: &str = "doorstroom-see";
/// The field that says where to go then.
const BACK: &str = "naar";
/// The field that says on which page the form stands, which is shown again if it is not taken.
pub(super) const FROM: &str = "van";
/// What the name of a field begins with that says that a list is empty if nothing of it is sent.
const NONE: &str = "none:";
/// The field with the number of a bed, for an address that has none.
const IN_BED: &str = "in:bed";
/// Fields of one form: the longest, that of offers to every candidate, has a few hundred.
const FIELDS_MAX: usize = 1_024;
/// How deep the fields of an act are: `site[wards][]`, `items[0][due]`.
const DEPTH_MAX: usize = 6;

/// The fields of a form, in their order.
///
/// # Errors
/// It is no form, or too large.
pub(crate) async fn fields(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, Problem> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.split(';').next().is_none_or(|bare| bare.trim() != "application/x-www-form-urlencoded") {
        return Err(Problem::NotForm);
    }
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| guard::Refusal::TooLarge)?;
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(&bytes).into_owned().take(FIELDS_MAX + 1).collect();
    if fields.len() > FIELDS_MAX { Err(guard::Refusal::TooLarge.into()) } else { Ok(fields) }
}

/// A path of this portal, to go to then; nothing that leads elsewhere.
pub(crate) fn own_path(path: Option<&str>) -> Option<String> {
    let path = path?;
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'"');
    own.then(|| path.to_owned())
}

/// Does what a form wants.
pub(crate) async fn act<W: Wanted>(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    parts: Option<RawParts>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let parts = parts.map_or_else(Parts::none, |RawParts(parts)| parts);
    let to_script = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.starts_with("application/json"));
    // Read also where it is not taken: whoever wrote it gets it back.
    let (fields, read) = match fields(&headers, body).await {
        Ok(fields) => (fields, Ok(())),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    let Some(signed) = visit.signed.clone() else {
        return if to_script { Problem::Unknown.answer(visit.lang) } else { signed_out(&fields) };
    };
    // Somebody else signed in since: what the one before did is kept, and never sent in the name of the next.
    if headers.get(WHO).is_some_and(|who| who.as_bytes() != signed.name.as_bytes()) {
        return Problem::Unknown.answer(visit.lang);
    }
    let done = match read.and_then(|()| portal.paces.person(&signed.name, (portal.app.now)())) {
        Ok(()) => done::<W>(&portal, &parts, signed.principal, fields.clone()).await,
        Err(problem) => Err(problem),
    };
    let back = fields.iter().find(|(name, _)| name == BACK).map(|(_, value)| value.as_str());
    let back = own_path(back).unwrap_or_else(|| "/thuis".to_owned());
    match done.map_err(for_people) {
        Ok(done) if to_script => acting::receipt(done),
        Ok(done) => see_other(&with_position(&back, done.position)),
        Err(problem) if to_script => {
            let said = problem.told(&portal, visit.now, visit.lang);
            let mut answer = problem.answer_saying(said, visit.lang);
            let see = refused::see(&portal, &visit, &problem).and_then(|address| address.parse().ok());
            if let Some(see) = see {
                answer.headers_mut().insert(SEE, see);
            }
            answer
        }
        Err(problem) => {
            let refused = Refused { problem, fields: &fields, back: &back };
            refused::answer(&portal, visit, &headers, refused).await
        }
    }
}

/// Whoever is not signed in any more is told that nothing was recorded, signs in, and comes back to the page with the form.
fn signed_out(fields: &[(String, String)]) -> Response {
    let here = refused::from(fields).unwrap_or_else(|| "/thuis".to_owned());
    see_other(&visit::sign_in_for_act(&here))
}

async fn done<W: Wanted>(
    portal: &Portal,
    parts: &Parts,
    principal: Principal,
    fields: Vec<(String, String)>,
) -> Result<Done, Problem> {
    let sure = sure::said(&fields);
    let parts = completed(parts, &fields)?;
    let wanted: W = read(fields)?;
    acting::perform_if(portal, &parts, principal, wanted, |state, act| sure::first(state, act, &sure)).await
}

/// The parts of the address with the number that was typed, where a form has a field for it.
///
/// # Errors
/// Nothing was typed, or what can not be a number of a bed.
fn completed(parts: &Parts, fields: &[(String, String)]) -> Result<Parts, Problem> {
    let mut parts = parts.clone();
    if let Some((_, typed)) = fields.iter().find(|(name, _)| name == IN_BED) {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Problem::Lacks("bed".to_owned()));
        }
        let bed = BedId::read(typed).map_err(|_| Problem::Misfilled)?;
        parts.0.insert("bed".to_owned(), bed.to_string());
    }
    Ok(parts)
}

/// What a program is told of a body says nothing to somebody with a form.
fn for_people(problem: Problem) -> Problem {
    if matches!(problem, Problem::Unfit(_)) { Problem::Misfilled } else { problem }
}

/// An address of a page that has to show this position.
fn with_position(back: &str, position: u64) -> String {
    let (path, query) = back.split_once('?').unwrap_or((back, ""));
    let (query, place) = match query.split_once('#') {
        Some((query, place)) => (query, format!("#{place}")),
        None => (query, String::new()),
    };
    let (path, place) = match path.split_once('#') {
        Some((path, own)) => (path, format!("#{own}")),
        None => (path, place),
    };
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("na="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("{AFTER}={position}")]).collect();
    format!("{path}?{}{place}", query.join("&"))
}

/// The fields as what is wanted.
///
/// # Errors
/// They are not what is asked for; nothing of them is repeated.
fn read<W: DeserializeOwned>(fields: Vec<(String, String)>) -> Result<W, Problem> {
    let none = empty_lists(&fields);
    let ticked: BTreeSet<String> =
        fields.iter().filter_map(|(name, _)| ticked(name)).map(str::to_owned).collect();
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let mut answers = 0_usize;
    for (name, value) in fields {
        let value = value.trim();
        let of_page = name == BACK || name == FROM || name == IN_BED || name.starts_with(sure::PREFIX);
        if !domain::is_seen(value) || of_page || name.starts_with("on:") || name.starts_with(NONE) {
            continue;
        }
        if let Some(question) = name.strip_prefix("answer:") {
            kept.append_pair(&format!("answers[{answers}][question]"), question);
            kept.append_pair(&format!("answers[{answers}][yes]"), value);
            answers += 1;
            continue;
        }
        let renumbered;
        let name = match name.strip_prefix('?') {
            None => name.as_str(),
            Some(rest) => {
                let group = group_of(rest);
                let Some(at) = ticked.iter().position(|ticked| ticked == group) else { continue };
                // Numbered anew, for a list has no holes.
                let list = group.split('[').next().unwrap_or(group);
                renumbered = format!("{list}[{at}]{}", rest.get(group.len()..).unwrap_or_default());
                renumbered.as_str()
            }
        };
        if name.contains("@local") {
            let at = local(value).ok_or(Problem::Misfilled)?;
            kept.append_pair(&name.replace("@local", ""), &at.to_string());
        } else {
            kept.append_pair(name, value);
        }
    }
    for list in &none {
        kept.append_pair(list, "");
    }
    let text = kept.finish();
    let reader = serde_qs::Config::new().max_depth(DEPTH_MAX).use_form_encoding(true);
    reader.deserialize_str(&text).map_err(|error| told(&error))
}

/// The lists that are said to be empty, and of which nothing was ticked.
fn empty_lists(fields: &[(String, String)]) -> Vec<String> {
    let said = fields.iter().filter_map(|(name, _)| name.strip_prefix(NONE));
    let ticked = |list: &str| fields.iter().any(|(name, _)| name.strip_suffix("[]") == Some(list));
    said.filter(|list| !ticked(list)).map(str::to_owned).collect()
}

/// The entry of a list that a field `to[3][offer]` is of: `to[3]`.
fn group_of(name: &str) -> &str {
    name.find(']').and_then(|end| name.get(..=end)).unwrap_or(name)
}

/// The entry that this field says to count: by a box for all of it, or by one of the boxes in it.
fn ticked(name: &str) -> Option<&str> {
    let within = || name.strip_prefix('?').filter(|name| name.ends_with("[]")).map(group_of);
    name.strip_prefix("on:").or_else(within)
}

/// What is wrong with a form, without a word of what was typed.
fn told(error: &serde_qs::Error) -> Problem {
    let text = error.to_string();
    if let Some((min, max)) = refused_beyond(&text) {
        return Problem::Beyond { min, max };
    }
    let missing = text.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
    missing.map_or(Problem::Misfilled, |field| Problem::Lacks(field.chars().take(80).collect()))
}

/// A time of the clock in the Netherlands. Where the clock is set back and a time comes twice, the first is meant.
pub(crate) fn local(text: &str) -> Option<Timestamp> {
    let at: jiff::civil::DateTime = text.parse().ok()?;
    let at = at.to_zoned(text::AMSTERDAM.clone()).ok()?;
    Some(Timestamp::from_micros(at.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::api::upto::StayDays;
    use crate::words::Lang;

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        urgency: String,
        #[serde(default)]
        to: Vec<Asked>,
        #[serde(default)]
        answers: Vec<Answered>,
        at: Option<String>,
        days: Option<u32>,
        #[serde(default)]
        consent: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Asked {
        offer: String,
        bed: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Answered {
        question: String,
        yes: bool,
    }

    #[test]
    fn a_form_is_read_as_what_the_api_reads() {
        let sent: Sent = read(form(&[
            ("urgency", "crisis"),
            ("naar", "/r/zk23"),
            ("?to[0][offer]", "a"),
            ("?to[1][offer]", "b"),
            ("?to[1][bed]", ""),
            ("on:to[1]", "on"),
            ("?to[7][offer]", "c"),
            ("?to[7][bed]", "12"),
            ("on:to[7]", "on"),
            ("answer:specialist", "false"),
            ("answer:night", "true"),
            ("at@local", "2026-07-01T14:03"),
            ("days", "14"),
            ("consent", "true"),
        ]))
        .unwrap();
        let asked = |offer: &str, bed: Option<&str>| Asked { offer: offer.into(), bed: bed.map(Into::into) };
        assert_eq!(sent.to, [asked("b", None), asked("c", Some("12"))]);
        assert_eq!(sent.answers.len(), 2);
        assert!(sent.answers[1].yes && sent.consent);
        assert_eq!((sent.at.as_deref(), sent.days), (Some("2026-07-01T12:03:00.000Z"), Some(14)));
    }

    #[test]
    fn a_list_of_boxes_of_which_none_is_ticked_is_empty_where_the_form_says_so_and_else_not_given() {
        #[derive(Debug, Deserialize)]
        struct Sent {
            facts: Facts,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Facts {
            features: Option<Vec<String>>,
            reserve: bool,
        }
        let sent = |more: &[(&str, &str)]| {
            let fields = [&[("none:facts[features]", "1"), ("facts[reserve]", "false")], more].concat();
            read::<Sent>(form(&fields)).unwrap().facts.features
        };
        assert_eq!(sent(&[]), Some(Vec::new()));
        assert_eq!(sent(&[("facts[features][]", "hoist")]), Some(vec!["hoist".to_owned()]));
        let silent: Sent = read(form(&[("facts[reserve]", "true")])).unwrap();
        assert_eq!(silent.facts, Facts { features: None, reserve: true });
    }

    #[test]
    fn the_number_of_a_bed_may_be_typed_and_is_one() {
        let typed = |value: &str| completed(&Parts::one("bed", &"_"), &form(&[(IN_BED, value)]));
        assert_eq!(typed(" 12A ").unwrap().0.get("bed").map(String::as_str), Some("12A"));
        assert!(matches!(typed(" "), Err(Problem::Lacks(field)) if field == "bed"));
        for other in ["12/../13", ".", " .. "] {
            assert!(matches!(typed(other), Err(Problem::Misfilled)), "{other}");
        }
        assert!(completed(&Parts::one("bed", &"7"), &[]).unwrap().0.get("bed").is_some_and(|bed| bed == "7"));
    }

    #[test]
    fn what_is_wrong_with_a_form_is_told_without_a_word_of_it() {
        for fields in [form(&[("urgency", "x"), ("days", "Jansen")]), form(&[("Jansen", "x")]), form(&[])] {
            let said = format!("{:?}", read::<Sent>(fields).unwrap_err());
            assert!(!said.contains("Jansen"), "{said}");
        }
    }

    #[test]
    fn a_number_that_can_not_be_is_told_with_the_least_and_the_most_it_can_be() {
        #[derive(Debug, Deserialize)]
        struct Sent {
            #[expect(dead_code, reason = "read only")]
            about: Stay,
        }
        #[derive(Debug, Deserialize)]
        struct Stay {
            #[expect(dead_code, reason = "read only")]
            days: Option<StayDays>,
        }
        assert!(read::<Sent>(form(&[("about[days]", "14")])).is_ok());
        let problem = read::<Sent>(form(&[("about[days]", "4294967295")])).unwrap_err();
        assert!(problem.detail(Lang::Nl).contains("1 tot en met 3653"), "{}", problem.detail(Lang::Nl));
        assert!(matches!(read::<Sent>(form(&[("about[days]", "0")])), Err(Problem::Beyond { min: 1, .. })));
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first_and_one_that_never_comes_is_the_next() {
        let at = |text| local(text).unwrap().to_string();
        assert_eq!(at("2026-10-25T02:30"), "2026-10-25T00:30:00.000Z");
        assert_eq!(at("2026-03-29T02:30"), "2026-03-29T01:30:00.000Z");
        assert_eq!(local("gisteren"), None);
    }

    #[test]
    fn only_a_path_of_this_portal_is_gone_to() {
        assert_eq!(own_path(Some("/r/zk23?x=1#a")).as_deref(), Some("/r/zk23?x=1#a"));
        for bad in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
        {
            assert_eq!(own_path(Some(bad)), None, "{bad}");
        }
        assert_eq!(with_position("/r/zk23?na=3&x=1#a", 7), "/r/zk23?x=1&na=7#a");
        assert_eq!(with_position("/r/zk23", 7), "/r/zk23?na=7");
    }
}
