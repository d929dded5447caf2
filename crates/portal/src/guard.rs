//! What holds for every answer: security headers, limits, and errors that say what to do next: as a page in the
//! language of the reader, as problem+json (RFC 9457) under `/api`.
//!
//! Not here: limits of connections (`server`).

use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::pages;
use crate::words::Lang;

/// The longest body that is let in. Nothing here reads a body yet; a larger one is refused before it is sent.
const BODY_BYTES_MAX: u64 = 64 * 1024;
/// The longest an answer may take to begin; an as-of board of a large log is the slowest.
const ANSWER_WITHIN_MAX: Duration = Duration::from_secs(30);

/// What every answer carries. Only our own files run or paint; nothing may frame a page or send a form elsewhere.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
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
    let answered = if too_large {
        Refusal::TooLarge.into_response()
    } else {
        let answer = tokio::time::timeout(ANSWER_WITHIN_MAX, next.run(request)).await;
        answer.unwrap_or_else(|_| Refusal::TooSlow.into_response())
    };
    let mut response = match answered.extensions().get::<Refusal>() {
        Some(refusal) if !speaks_json(&path) => pages::refused(*refusal, lang_of(&query)),
        Some(_) | None => answered,
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

fn speaks_json(path: &str) -> bool {
    path.starts_with("/api/") || path == "/api"
}

fn lang_of(query: &str) -> Lang {
    Lang::asked(query.split('&').find_map(|pair| pair.strip_prefix("lang=")))
}

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
    /// The text is no region code.
    BadRegion,
    /// The text is no care type of the contract.
    BadCareType,
    /// `as_of` is neither a position nor a moment.
    BadAsOf,
    /// `as_of` lies after the last recorded event.
    AsOfAhead,
    /// Pages are read, not written.
    BadMethod,
    /// The body is larger than `BODY_BYTES_MAX`.
    TooLarge,
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
            | Self::BadRegion
            | Self::BadCareType
            | Self::BadAsOf
            | Self::AsOfAhead => StatusCode::BAD_REQUEST,
            Self::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
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
            Self::BadRegion => "bad-region",
            Self::BadCareType => "bad-care-type",
            Self::BadAsOf => "bad-as-of",
            Self::AsOfAhead => "as-of-ahead",
            Self::BadMethod => "bad-method",
            Self::TooLarge => "too-large",
            Self::Busy => "busy",
            Self::TooSlow => "too-slow",
            Self::Unreadable => "unreadable",
        }
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
            Self::BadMethod => ("Hier valt alleen te lezen", "Open het adres gewoon in de browser."),
            Self::TooLarge => ("Dit bericht is te groot", "Stuur ten hoogste 64 KiB."),
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
            Self::BadMethod => ("This can only be read", "Use GET."),
            Self::TooLarge => ("This body is too large", "Send at most 64 KiB."),
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
