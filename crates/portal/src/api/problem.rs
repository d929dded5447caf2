//! Why the API does not do what was asked: as problem+json (RFC 9457), with a code for programs and a sentence in the
//! language of the asker (`Accept-Language`).
//!
//! Nothing that was sent is repeated. Not here: what the rules of the desk say (`domain::desk::Refusal`), who may
//! (`domain::access`), limits that hold for pages too (`guard`).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::access::Denied;
use domain::desk::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::said::{names, readable};
use crate::server::Portal;
use crate::words::Lang;
use crate::{guard, messages};

/// What a type begins with; the code follows.
const TYPE: &str = "urn:doorstroom:problem:";
/// What the type of a refusal by the rules of the desk begins with; the code follows.
const REFUSAL_TYPE: &str = "urn:doorstroom:refusal:";
/// When to try again what could not be answered for now, in seconds.
const AGAIN_AFTER_SECONDS: &str = "2";

/// What is wrong with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// It happened later than now.
    Ahead,
    /// It happened longer ago than is remembered.
    LongAgo,
    /// Nothing is planned for such a day.
    NoPlan,
    /// A duty is handed over for longer than one is.
    LongDuty,
}

/// What a page asks once more, before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsure {
    /// The admitting doctor has not agreed to this admission.
    Agreement,
    /// The outcome of the weighing ends the referral.
    End,
    /// The location takes part no longer, and its beds go with it.
    Leave,
    /// The bed goes from the house.
    Remove,
}

impl Time {
    fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::Ahead => (
                "Het ligt in de toekomst, en kan dus nog niet gebeurd zijn. Er is niets vastgelegd.",
                "It lies in the future, so it can not have happened yet. Nothing was recorded.",
            ),
            Self::LongAgo => (
                "Het is langer dan 31 dagen geleden; zo lang geleden wordt niets meer veranderd. Er is niets vastgelegd.",
                "It is more than 31 days ago; nothing is changed that long after. Nothing was recorded.",
            ),
            Self::NoPlan => (
                "Een afspraak is voor vandaag of later, en ten hoogste een jaar vooruit. Er is niets vastgelegd.",
                "A plan is for today or later, and a year ahead at most. Nothing was recorded.",
            ),
            Self::LongDuty => (
                "Een dienst wordt voor ten hoogste 31 dagen overgedragen (`until`). Er is niets vastgelegd.",
                "A duty is handed over for 31 days at most (`until`). Nothing was recorded.",
            ),
        }
    }
}

/// Why not.
#[derive(Debug)]
pub(crate) enum Problem {
    /// No token, or none that is valid.
    Unknown,
    /// The principal may not.
    Denied(Denied),
    /// There is no such thing, or it is another's: both look the same.
    NotThere,
    /// The rules of the desk say no.
    Refused(Refusal),
    /// The body is not JSON; where.
    Malformed(String),
    /// The body is JSON, but not what is asked for; what is wrong.
    Unfit(String),
    /// A form lacks this field.
    Lacks(String),
    /// A field of a form holds what it can not.
    Misfilled,
    /// A number of a form is none that it can be.
    Beyond {
        /// The least it can be.
        min: u32,
        /// The most.
        max: u32,
    },
    /// It is asked once more, before it is done.
    Unsure(Unsure),
    /// A bed that is to be added is there.
    BedThere,
    /// A parameter of the address or a header can not be read; which.
    BadParameter(&'static str),
    /// The body is of another type.
    NotJson,
    /// The body is no form.
    NotForm,
    /// More than a list may have.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may be.
        max: usize,
    },
    /// A time in it can not be so.
    Time(Time),
    /// The id was used for something else.
    Reused,
    /// Many decide on the same at once.
    Contended,
    /// More acts within a moment than one may do.
    TooFast,
    /// A position that the log has not reached.
    Ahead,
    /// The view does not have that position yet.
    Behind,
    /// The node can not record, or not read.
    Away,
    /// A limit that holds for everything.
    Guard(guard::Refusal),
}

/// The body of a problem.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Which problem, as a URN.
    #[schema(example = "urn:doorstroom:refusal:bed-taken")]
    r#type: String,
    /// What happened, in a few words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened and what to do, in a sentence for a person.
    detail: String,
    /// Which problem, for programs.
    #[schema(example = "bed-taken")]
    code: String,
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Foreign => Self::NotThere,
            Denied::Role | Denied::Purpose => Self::Denied(denied),
        }
    }
}

impl From<guard::Refusal> for Problem {
    fn from(refusal: guard::Refusal) -> Self {
        Self::Guard(refusal)
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::NotThere => StatusCode::NOT_FOUND,
            Self::Refused(_) | Self::Reused | Self::Unsure(_) | Self::BedThere => StatusCode::CONFLICT,
            Self::Malformed(_) | Self::BadParameter(_) | Self::Ahead => StatusCode::BAD_REQUEST,
            Self::Unfit(_)
            | Self::TooMany { .. }
            | Self::Time(_)
            | Self::Lacks(_)
            | Self::Misfilled
            | Self::Beyond { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotJson | Self::NotForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::Contended | Self::Behind | Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Guard(refusal) => refusal.status(),
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Time(Time::Ahead) => "time-ahead",
            Self::Time(Time::LongAgo) => "time-long-ago",
            Self::Time(Time::NoPlan) => "time-no-plan",
            Self::Time(Time::LongDuty) => "time-duty-too-long",
            Self::Unknown => "unknown-token",
            Self::Denied(denied) => denied.code(),
            Self::NotThere => "not-there",
            Self::Refused(refusal) => refusal.code(),
            Self::Malformed(_) => "malformed",
            Self::Unfit(_) | Self::Lacks(_) | Self::Misfilled | Self::Beyond { .. } => "unfit",
            Self::Unsure(Unsure::Agreement) => "without-agreement",
            Self::Unsure(Unsure::End) => "ends-referral",
            Self::Unsure(Unsure::Leave) => "leaves-network",
            Self::Unsure(Unsure::Remove) => "removes-bed",
            Self::BedThere => "bed-there",
            Self::BadParameter(_) => "bad-parameter",
            Self::NotJson => "not-json",
            Self::NotForm => "not-form",
            Self::TooMany { .. } => "too-many",
            Self::Reused => "id-reused",
            Self::Contended => "contended",
            Self::TooFast => "too-fast",
            Self::Ahead => "ahead",
            Self::Behind => "behind",
            Self::Away => "away",
            Self::Guard(refusal) => refusal.code(),
        }
    }

    pub(crate) fn title(&self, lang: Lang) -> &'static str {
        let (nl, en) = match self {
            Self::Unknown => ("Wij kennen u niet", "We do not know you"),
            Self::Denied(_) => ("Dit mag u niet", "You may not do this"),
            Self::NotThere => ("Dit is er niet", "There is no such thing"),
            Self::Refused(_) => ("Dit kan niet", "This can not be done"),
            Self::Malformed(_) | Self::Unfit(_) | Self::NotJson | Self::NotForm => {
                ("Dit bericht kunnen wij niet lezen", "This body can not be read")
            }
            Self::Lacks(_) => ("Er ontbreekt nog iets", "Something is still missing"),
            Self::Misfilled | Self::Beyond { .. } => {
                ("Er klopt iets niet in het formulier", "Something in the form is not right")
            }
            Self::Unsure(_) => ("Bevestig dit eerst", "Confirm this first"),
            Self::BedThere => ("Dit bed is er al", "This bed is there already"),
            Self::BadParameter(_) => {
                ("Een deel van de vraag klopt niet", "A part of the request is not right")
            }
            Self::TooMany { .. } => ("Dit is te veel", "This is too many"),
            Self::Time(_) => ("Deze tijd kan niet", "This time can not be right"),
            Self::Reused => ("Dit nummer is al gebruikt", "This id was used before"),
            Self::Ahead | Self::Behind => ("Zo ver zijn wij nog niet", "We are not that far yet"),
            Self::Contended | Self::TooFast | Self::Away => {
                ("Dit is nu niet vastgelegd", "This is not recorded now")
            }
            Self::Guard(refusal) => (refusal.said(Lang::Nl).title, refusal.said(Lang::En).title),
        };
        if lang == Lang::Nl { nl } else { en }
    }

    pub(crate) fn detail(&self, lang: Lang) -> String {
        let (nl, en) = match self {
            Self::Unknown => (
                "Stuur een geldig token mee: 'Authorization: Bearer dst_…'.",
                "Send a valid token along: 'Authorization: Bearer dst_…'.",
            ),
            Self::Denied(denied) => (denied.nl(), denied.en()),
            Self::NotThere => {
                ("Het bestaat niet, of het is van een ander.", "It does not exist, or it is somebody else's.")
            }
            Self::Refused(refusal) => return if lang == Lang::Nl { refusal.nl() } else { refusal.en() },
            Self::Malformed(place) if lang == Lang::Nl => return format!("Dit is geen JSON ({place})."),
            Self::Malformed(place) => return format!("This is not JSON ({place})."),
            Self::Unfit(what) if lang == Lang::Nl => return format!("Dit is niet wat gevraagd is: {what}."),
            Self::Unfit(what) => return format!("This is not what is asked for: {what}."),
            Self::Lacks(field) => {
                let word = messages::word(lang, "field", field).unwrap_or_else(|| lang.t("field-other"));
                return lang.tf("form-lacks", &[("field", word)]);
            }
            Self::Misfilled => return lang.t("form-misfilled").to_owned(),
            Self::Beyond { min, max } => {
                let values = [("min", &*min.to_string()), ("max", &*max.to_string())];
                return lang.tf("form-beyond", &values);
            }
            Self::Unsure(Unsure::Agreement) => return lang.t("sure-agreement-first").to_owned(),
            Self::Unsure(Unsure::End) => return lang.t("sure-end-first").to_owned(),
            Self::Unsure(Unsure::Leave) => return lang.t("sure-leave-first").to_owned(),
            Self::Unsure(Unsure::Remove) => return lang.t("sure-remove-first").to_owned(),
            Self::BedThere => return lang.t("setup-bed-there").to_owned(),
            Self::BadParameter(which) if lang == Lang::Nl => {
                return format!("'{which}' kunnen wij niet lezen.");
            }
            Self::BadParameter(which) => return format!("'{which}' can not be read."),
            Self::NotJson => (
                "Stuur JSON, met 'Content-Type: application/json'.",
                "Send JSON, with 'Content-Type: application/json'.",
            ),
            Self::NotForm => ("Stuur een formulier van deze pagina's.", "Send a form of these pages."),
            Self::TooMany { what, max } if lang == Lang::Nl => return format!("Ten hoogste {max} {what}."),
            Self::TooMany { what, max } => return format!("At most {max} {what}."),
            Self::Time(time) => time.advice(),
            Self::Reused => (
                "Er is al iets anders vastgelegd met dit nummer: laad de pagina opnieuw, of maak een nieuw nummer.",
                "Something else is recorded under this id: load the page again, or make a new id.",
            ),
            Self::Contended => (
                "Te veel beslissingen tegelijk over hetzelfde; stuur het nog eens met hetzelfde nummer.",
                "Too many decide on the same at once; send it again with the same id.",
            ),
            Self::TooFast => (
                "Dit gaat te snel achter elkaar; stuur het zo nog eens met hetzelfde nummer.",
                "These come too fast; send it again in a moment with the same id.",
            ),
            Self::Ahead => (
                "Het logboek heeft deze positie nog niet; die komt van een andere node.",
                "The log has not reached this position; it comes from another node.",
            ),
            Self::Behind => (
                "Het overzicht loopt achter op het logboek; vraag het zo nog eens.",
                "The view lies behind the log; ask again in a moment.",
            ),
            Self::Away => (
                "Het logboek is nu niet bereikbaar; stuur het nog eens met hetzelfde nummer.",
                "The log can not be reached now; send it again with the same id.",
            ),
            Self::Guard(refusal) => (refusal.said(Lang::Nl).advice, refusal.said(Lang::En).advice),
        };
        if lang == Lang::Nl { nl } else { en }.to_owned()
    }

    /// The same for a person on a page: with names for ids, words for codes, and the clock on the wall.
    pub(crate) fn told(&self, portal: &Portal, now: Timestamp, lang: Lang) -> String {
        let detail = self.detail(lang);
        if matches!(self, Self::Refused(_)) { readable(&detail, names(portal), now, lang) } else { detail }
    }

    /// As an answer, in this language.
    pub(crate) fn answer(&self, lang: Lang) -> Response {
        self.answer_saying(self.detail(lang), lang)
    }

    /// The same, with these words for a person.
    pub(crate) fn answer_saying(&self, detail: String, lang: Lang) -> Response {
        let status = self.status();
        let prefix = if matches!(self, Self::Refused(_)) { REFUSAL_TYPE } else { TYPE };
        let body = ProblemBody {
            r#type: format!("{prefix}{}", self.code()),
            title: self.title(lang).to_owned(),
            status: status.as_u16(),
            detail,
            code: self.code().to_owned(),
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_AFTER_SECONDS));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The language that is asked for: the first of Dutch and English that is named; English for programs that name none.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    let asked =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = asked.split(',').find_map(|range| match range.trim().get(..2) {
        Some("nl") => Some(Lang::Nl),
        Some("en") => Some(Lang::En),
        Some(_) | None => None,
    });
    first.unwrap_or(Lang::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_s_and_nobody_s_look_the_same_and_the_language_is_the_asker_s() {
        let foreign = Problem::from(Denied::Foreign);
        assert_eq!((foreign.status(), foreign.code()), (StatusCode::NOT_FOUND, Problem::NotThere.code()));
        let asks = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            language(&headers)
        };
        assert_eq!(asks("nl-NL,nl;q=0.9,en;q=0.8"), Lang::Nl);
        assert_eq!(asks("de, en"), Lang::En);
        assert_eq!(language(&HeaderMap::new()), Lang::En);
        assert_eq!(Problem::Denied(Denied::Role).detail(Lang::Nl), Denied::Role.nl());
    }
}
