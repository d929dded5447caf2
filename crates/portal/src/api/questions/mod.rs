//! Everything that can be asked through the API: each a GET with a schema of its answer, as of a position that its
//! `ETag` names.
//!
//! Not here: how an answer comes about (`domain::queries`, `domain::matching`, `views`), who may ask (`domain::access`).

mod flow;
mod locations;
pub(crate) mod referrals;
mod regions;
mod shown;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::access::{Action, Principal};
use domain::desk::State as DeskState;
use domain::{LocationId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::acting::RawParts;
use super::problem::{Problem, language};
use super::request::{self, Parts};
use super::router::Api;
use super::scope::{self, Subject};
use super::who;
use crate::guard::not_modified;
use crate::server::Portal;
use crate::words::Lang;

/// What a question is answered from.
pub(crate) struct Look<'a> {
    pub(crate) portal: &'a Portal,
    pub(crate) principal: Principal,
    /// What a person who signed in is called; nothing for a program with a token.
    pub(crate) account: Option<String>,
    pub(crate) parts: Parts,
    pub(crate) now: Timestamp,
    pub(crate) lang: Lang,
}

impl Look<'_> {
    /// Looks at what is so, if the principal may: `about` finds what the question is about.
    ///
    /// # Errors
    /// There is no such thing, or it may not.
    pub(crate) fn at<T>(
        &self,
        action: Action,
        about: impl FnOnce(&DeskState) -> Option<Subject>,
        see: impl FnOnce(&DeskState) -> Result<T, Problem>,
    ) -> Result<Answered<T>, Problem> {
        who::check_role(&self.principal, action)?;
        self.portal.app.desk.state().read(|state| {
            let subject = about(state).ok_or(Problem::NotThere)?;
            who::check(&self.principal, action, &subject.about)?;
            Ok(Answered { position: state.position(), body: see(state)? })
        })
    }

    /// The same, for a question about the region of the address.
    ///
    /// # Errors
    /// There is no such region, or it may not.
    pub(crate) fn at_region<T>(
        &self,
        action: Action,
        see: impl FnOnce(&DeskState, &domain::RegionId) -> Result<T, Problem>,
    ) -> Result<Answered<T>, Problem> {
        who::check_role(&self.principal, action)?;
        let region = self.parts.read("region")?;
        self.portal.app.network.region(&region).ok_or(Problem::NotThere)?;
        let about = |state: &DeskState| Some(Subject::region(state, &region, self.now));
        self.at(action, about, |state| see(state, &region))
    }

    /// Whether the asker may know why admissions are stopped at a location.
    pub(crate) fn sees_why_stopped(&self, state: &DeskState, location: &LocationId) -> bool {
        scope::sees_why_stopped(state, &self.principal, location, self.now)
    }

    /// A sentence in the language of the asker.
    pub(crate) fn say(&self, sentence: domain::Sentence) -> String {
        match self.lang {
            Lang::Nl => sentence.nl,
            Lang::En => sentence.en,
        }
    }
}

/// An answer, as it stands at a position.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) position: u64,
    pub(crate) body: T,
}

/// Something that can be asked; its fields are the parameters of the address.
pub(crate) trait Question: DeserializeOwned + IntoParams + Send + 'static {
    /// What it is called in programs.
    const OPERATION: &'static str;
    /// Its address below the API's.
    const PATH: &'static str;
    /// What it answers, in a sentence.
    const SUMMARY: &'static str;
    /// The answer.
    type Answer: Serialize + ToSchema;

    /// The position that the answer has to stand at, at least.
    fn after(&self) -> Option<u64>;

    /// The answer.
    ///
    /// # Errors
    /// There is no such thing, the principal may not, or it can not be read.
    fn answer(self, look: Look<'_>) -> impl Future<Output = Result<Answered<Self::Answer>, Problem>> + Send;
}

/// Answers a question.
pub(crate) async fn ask<Q: Question>(
    State(portal): State<Arc<Portal>>,
    parts: Option<RawParts>,
    question: Result<Query<Q>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let parts = parts.map_or_else(Parts::none, |RawParts(parts)| parts);
    let lang = language(&headers);
    let answered = async {
        let principal = who::caller(&portal, &headers)?;
        let Query(question) = question.map_err(|_| Problem::BadParameter("parameters"))?;
        let position = request::position(&headers, question.after())?;
        request::wait(&portal, portal.app.desk.state(), position).await?;
        let now = portal.app.desk.now();
        question.answer(Look { portal: &portal, principal, account: None, parts, now, lang }).await
    };
    match answered.await {
        Ok(Answered { position, body }) => {
            let etag = format!("\"{position}\"");
            let head = [(header::ETAG, etag.clone()), (header::VARY, "Accept-Language".to_owned())];
            if not_modified(&headers, &etag) {
                return (StatusCode::NOT_MODIFIED, head).into_response();
            }
            (head, axum::Json(body)).into_response()
        }
        Err(problem) => problem.answer(lang),
    }
}

macro_rules! questions {
    ($(
        #[doc = $summary:literal]
        $name:ident = $operation:literal at $path:literal {
            $( $(#[$about:meta])* $field:ident : $type:ty, )*
        } -> $answer:ty, |$this:pat_param, $look:ident| $answered:expr;
    )+) => {
        $(
            #[doc = $summary]
            #[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name {
                /// Answer from this position of the log on; waits a moment for it.
                after: Option<u64>,
                $( $(#[$about])* $field: $type, )*
            }

            impl $crate::api::questions::Question for $name {
                const OPERATION: &'static str = $operation;
                const PATH: &'static str = $path;
                const SUMMARY: &'static str = $summary;
                type Answer = $answer;

                fn after(&self) -> Option<u64> {
                    self.after
                }

                async fn answer(
                    self,
                    $look: $crate::api::questions::Look<'_>,
                ) -> Result<$crate::api::questions::Answered<$answer>, $crate::api::problem::Problem> {
                    let $this = self;
                    $answered
                }
            }
        )+

        pub(super) fn register(api: $crate::api::router::Api) -> $crate::api::router::Api {
            api$( .question::<$name>() )+
        }
    };
}
use questions;

/// Every question.
pub(crate) fn register(api: Api) -> Api {
    flow::register(regions::register(locations::register(referrals::register(api))))
}
