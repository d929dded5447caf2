//! What holds for every answer: security headers, limits, no form of another site, and errors that say what to do
//! next: as a page in the language of the reader, as problem+json (RFC 9457) under `/api`.
//!
//! Not here: limits of connections (`server`).

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::pages;
use crate::quiet::Quiet;
use crate::site::visit::{LANGUAGE, language, set_cookie};
use crate::words::Lang;

/// The longest body that is let in: more than any act is. A larger one is refused before it is sent.
const BODY_BYTES_MAX: u64 = 64 * 1024;
/// The longest an answer may take to begin; an as-of board of a large log is the slowest.
const ANSWER_WITHIN_MAX: Duration = Duration::from_secs(30);

/// What every answer carries. Only our own files run or paint; nothing may frame a page or send a form elsewhere.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    // Counts are out of date at once; an answer that may be kept says so itself.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Around every request: the limits before, the headers after.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let too_large =
        announced.is_some_and(|text| text.parse().map_or(true, |bytes: u64| bytes > BODY_BYTES_MAX));
    let lang = language(request.headers(), &query);
    let chosen = query.split('&').any(|pair| pair == "lang=nl" || pair == "lang=en");
    let answered = if !names_one_host(&request) {
        Refusal::BadHost.into_response()
    } else if too_large {
        Refusal::TooLarge.into_response()
    } else if is_of_another_site(&request) {
        tell_of_another_site(request.headers());
        Refusal::OtherSite.into_response()
    } else {
        let answer = tokio::time::timeout(ANSWER_WITHIN_MAX, next.run(request)).await;
        in_our_words(answer.unwrap_or_else(|_| Refusal::TooSlow.into_response()))
    };
    let mut response = match answered.extensions().get::<Refusal>() {
        Some(refusal) if !speaks_json(&path) && refusal.is_for_people() => pages::refused(*refusal, lang),
        Some(_) | None => answered,
    };
    if chosen && is_page(&response) {
        set_cookie(&mut response, LANGUAGE, lang.tag(), Some(YEAR_SECONDS), "Lax");
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Whether a request names the host it is for, once: whoever stands between could read one of two, or none, otherwise than this node
/// does (RFC 9112, 3.2). HTTP/1.0 had no such header. A target with a host in it names it too.
fn names_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => {
            let text = host.to_str().unwrap_or_default();
            let port = |authority: &Authority| {
                let after = text.strip_prefix(authority.host());
                after.is_some_and(|after| {
                    after.is_empty()
                        || after
                            .strip_prefix(':')
                            .is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok())
                })
            };
            !text.contains(['@', ',']) && text.parse::<Authority>().is_ok_and(|authority| port(&authority))
        }
        (Some(_), Some(_)) => false,
    }
}

/// Whether an answer is a page, or leads to one. A file or a stream that is asked for in a language chooses none: it may be of
/// a page that was loaded before the reader chose another.
fn is_page(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    media_type.is_some_and(|text| text.starts_with(b"text/html"))
        || response.headers().contains_key(header::LOCATION)
}

/// What the framework refuses by itself is a part of an address that can not be read (twice the same, or no number), and it
/// says so in English, as plain text.
fn in_our_words(answer: Response) -> Response {
    let plain = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|text| text.as_bytes().starts_with(b"text/plain"));
    if plain && answer.status() == StatusCode::BAD_REQUEST {
        Refusal::BadAddress.into_response()
    } else {
        answer
    }
}

/// Tells in the node's log of a form of another site; of what was asked nothing, for ids stand in it.
fn tell_of_another_site(headers: &HeaderMap) {
    static TOLD: Quiet = Quiet::new();
    let Some(untold) = TOLD.may_tell(Instant::now()) else { return };
    let site = match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"cross-site") => "another site",
        Some(b"same-site") => "another host of this site",
        Some(_) => "nowhere",
        None => "another origin",
    };
    tracing::warn!(site, untold, "a form of another site was refused");
}

fn speaks_json(path: &str) -> bool {
    path.starts_with("/api/") || path == "/api"
}

/// Whether a request that changes something was made by a page of another site. The API is not for browsers: it asks for a
/// token that no browser sends by itself. A browser says where a request comes from (`Sec-Fetch-Site`), an old one at least its
/// origin (OWASP Cross-Site Request Forgery Prevention Cheat Sheet).
fn is_of_another_site(request: &Request) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || speaks_json(request.uri().path())
    {
        return false;
    }
    let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = said("sec-fetch-site") {
        return site != "same-origin";
    }
    // HTTP/1.0 names no host: nothing is from there.
    let Some(host) = said("host").filter(|host| !host.is_empty()) else { return true };
    said("origin").and_then(|origin| origin.split_once("://")).is_none_or(|(_, from)| from != host)
}

/// How long a browser keeps the chosen language.
const YEAR_SECONDS: u64 = 31_536_000;

/// Whether the asker has this version already.
pub(crate) fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag))
}

/// Why a request is not answered. Never echoes what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such page.
    NotFound,
    /// The network file has no such region.
    UnknownRegion,
    /// A parameter of that name does not exist.
    UnknownParameter,
    /// A part of the address can not be read.
    BadAddress,
    /// The text is no region code.
    BadRegion,
    /// The text is no care type of the contract.
    BadCareType,
    /// `as_of` is neither a position nor a moment.
    BadAsOf,
    /// `as_of` lies after the last recorded event.
    AsOfAhead,
    /// No `Host`, more than one, or none that a host can have.
    BadHost,
    /// Pages are read, not written.
    BadMethod,
    /// The body is larger than `BODY_BYTES_MAX`.
    TooLarge,
    /// A page of another site sent a form.
    OtherSite,
    /// As many live pages, or boards of the past, as this node can serve.
    Busy,
    /// The answer took longer than `ANSWER_WITHIN_MAX`.
    TooSlow,
    /// The log could not be read; the node's own log says why.
    Unreadable,
}

/// One refusal in one language.
pub(crate) struct Said {
    pub(crate) title: &'static str,
    pub(crate) advice: &'static str,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownRegion => StatusCode::NOT_FOUND,
            Self::UnknownParameter
            | Self::BadAddress
            | Self::BadRegion
            | Self::BadCareType
            | Self::BadAsOf
            | Self::AsOfAhead
            | Self::BadHost => StatusCode::BAD_REQUEST,
            Self::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreadable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The last part of the problem type.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::UnknownRegion => "unknown-region",
            Self::UnknownParameter => "unknown-parameter",
            Self::BadAddress => "bad-address",
            Self::BadRegion => "bad-region",
            Self::BadCareType => "bad-care-type",
            Self::BadAsOf => "bad-as-of",
            Self::AsOfAhead => "as-of-ahead",
            Self::BadHost => "bad-host",
            Self::BadMethod => "bad-method",
            Self::TooLarge => "too-large",
            Self::OtherSite => "other-site",
            Self::Busy => "busy",
            Self::TooSlow => "too-slow",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether a person can have asked for it: every browser names a host.
    fn is_for_people(self) -> bool {
        self != Self::BadHost
    }

    /// What it says to a person: what happened, what to do.
    pub(crate) fn said(self, lang: Lang) -> Said {
        let (title, advice) = match lang {
            Lang::Nl => self.dutch(),
            Lang::En => self.english(),
        };
        Said { title, advice }
    }

    fn dutch(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => {
                ("Deze pagina is er niet", "Kijk of het adres klopt, of kies een regio in het overzicht.")
            }
            Self::UnknownRegion => ("Deze regio kennen wij niet", "Kies een regio in het overzicht."),
            Self::UnknownParameter => {
                ("Een deel van het adres kennen wij niet", "Kies opnieuw vanuit het overzicht.")
            }
            Self::BadAddress => (
                "Een deel van het adres kunnen wij niet lezen",
                "Haal weg wat eraan toegevoegd is, of kies opnieuw vanuit het overzicht.",
            ),
            Self::BadRegion => (
                "Dit is geen regiocode",
                "Een regiocode is bijvoorbeeld zk23. Kies een regio in het overzicht.",
            ),
            Self::BadCareType => ("Deze zorgsoort kennen wij niet", "Kies een zorgsoort op de pagina zelf."),
            Self::BadAsOf => (
                "Dit moment kunnen wij niet lezen",
                "Geef een positie, of een tijd zoals 2026-03-02T09:14:03Z.",
            ),
            Self::AsOfAhead => ("Zo ver is het logboek nog niet", "Kies een eerder moment."),
            Self::BadHost => (
                "Voor wie deze vraag is staat er niet één keer in",
                "Stuur één regel 'Host', zoals HTTP/1.1 die vraagt.",
            ),
            Self::BadMethod => ("Hier valt alleen te lezen", "Open het adres gewoon in de browser."),
            Self::TooLarge => ("Dit bericht is te groot", "Stuur ten hoogste 64 KiB."),
            Self::OtherSite => (
                "Dit komt niet van deze pagina's",
                "Er is niets vastgelegd. Open de pagina hier en doe het nog eens.",
            ),
            Self::Busy => (
                "Er kijken nu te veel mensen tegelijk",
                "Probeer het over een minuut opnieuw. Kan dat niet wachten, bel dan het loket.",
            ),
            Self::TooSlow => (
                "Het antwoord duurde te lang",
                "Probeer het opnieuw. Blijft het zo, bel dan het loket en meld het de beheerder.",
            ),
            Self::Unreadable => (
                "Het logboek kan niet gelezen worden",
                "Bel het loket, en meld dit de beheerder: het staat in het logboek van het systeem.",
            ),
        }
    }

    fn english(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => {
                ("There is no such page", "Check the address, or choose a region in the overview.")
            }
            Self::UnknownRegion => (
                "This region is not known",
                "Choose a region in the overview; the API knows the codes of the network file.",
            ),
            Self::UnknownParameter => {
                ("A part of this address is not known", "Use region, care_type and as_of only.")
            }
            Self::BadAddress => (
                "A part of this address can not be read",
                "Take away what was added to it, or choose again in the overview.",
            ),
            Self::BadRegion => {
                ("This is no region code", "A region code is 2 to 32 of a-z, 0-9 and -, such as zk23.")
            }
            Self::BadCareType => {
                ("This care type is not known", "Use a code of the contract, such as ELV_LC.")
            }
            Self::BadAsOf => {
                ("This moment can not be read", "Give a position, or a time such as 2026-03-02T09:14:03Z.")
            }
            Self::AsOfAhead => {
                ("The log is not that far yet", "Ask for a position or time up to the last recorded event.")
            }
            Self::BadHost => (
                "Whom this request is for does not stand in it once",
                "Send one line 'Host', as HTTP/1.1 asks.",
            ),
            Self::BadMethod => ("This can only be read", "Use GET."),
            Self::TooLarge => ("This body is too large", "Send at most 64 KiB."),
            Self::OtherSite => (
                "This does not come from these pages",
                "Nothing is recorded. Open the page here and do it again.",
            ),
            Self::Busy => (
                "Too many are looking at the same time",
                "Try again in a minute. If it can not wait, ring the desk.",
            ),
            Self::TooSlow => {
                ("The answer took too long", "Try again; if it stays so, tell the operator of this node.")
            }
            Self::Unreadable => {
                ("The log can not be read", "Tell the operator of this node: its own log says why.")
            }
        }
    }
}

/// The body of RFC 9457.
#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

impl IntoResponse for Refusal {
    /// As problem+json; `guard` makes a page of it where a person reads.
    fn into_response(self) -> Response {
        let status = self.status();
        let Said { title, advice } = self.said(Lang::En);
        let problem = Problem {
            r#type: format!("urn:doorstroom:problem:{}", self.code()),
            title,
            status: status.as_u16(),
            detail: advice,
            code: self.code(),
        };
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, media_type, Json(problem)).into_response();
        // `Json` says application/json; the problem type is the truer one.
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_form_is_of_this_site_only_if_its_origin_is_the_host_that_was_asked() {
        let form = |said: &[(&str, &str)]| {
            let request = said
                .iter()
                .fold(Request::post("/doe/stays"), |so_far, (name, value)| so_far.header(*name, *value));
            is_of_another_site(&request.body(Body::empty()).unwrap())
        };
        assert!(!form(&[("host", "test"), ("origin", "http://test")]));
        assert!(!form(&[("host", "test"), ("sec-fetch-site", "same-origin")]));
        assert!(form(&[("host", "test"), ("origin", "http://other")]));
        assert!(form(&[("host", "test")]));
        assert!(form(&[("host", ""), ("origin", "http://")]));
        assert!(form(&[("origin", "http://")]));
    }
}
