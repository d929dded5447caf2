//! The way of an act: who asks, what is asked, may they, seal what is personal, let the desk decide and record.
//!
//! Not here: the acts (`acts`), the rules (`domain::desk`), deciding and recording (`desk`).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use contracts::{Received, encode_json};
use desk::{DeskError, Done, Vault, VaultError};
use domain::access::{Action, Principal};
use domain::desk::{Act, Command};
use domain::matching::{Wanted as Sought, matching};
use domain::{Event, Fact, Sealed};
use serde::Serialize;
use utoipa::ToSchema;

use super::acts::{At, Built, Wanted};
use super::problem::{Problem, language};
use super::request::{self, Parts};
use super::scope::{Subject, of_act};
use super::value::{EventNumber, Moment, Text};
use super::who;
use crate::server::Portal;

/// What became of an act.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The position from which on it is so; a question can wait for it.
    position: u64,
    /// When it was recorded.
    recorded_at: Moment,
    /// The events that were recorded for it; none if it was so already.
    events: Vec<EventNumber>,
    /// It came before, and this is what became of it then.
    duplicate: bool,
}

/// Does what is wanted.
pub(crate) async fn act<W: Wanted>(
    State(portal): State<Arc<Portal>>,
    parts: Option<RawParts>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let parts = parts.map_or_else(|| Parts(BTreeMap::new()), |RawParts(parts)| parts);
    match done::<W>(&portal, &parts, &headers, body).await {
        Ok(done) => receipt(done),
        Err(problem) => problem.answer(language(&headers)),
    }
}

/// The parts of an address; none for one without.
pub(crate) struct RawParts(pub(crate) Parts);

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for RawParts {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        let raw =
            <RawPathParams as axum::extract::FromRequestParts<S>>::from_request_parts(parts, state).await;
        Ok(raw.ok().map(|raw| {
            Self(Parts(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
        }))
    }
}

async fn done<W: Wanted>(
    portal: &Portal,
    parts: &Parts,
    headers: &HeaderMap,
    body: Body,
) -> Result<Done, Problem> {
    let principal = who::caller(portal, headers)?;
    who::check_role(&principal, W::ACTION)?;
    let wanted: W = request::body(headers, body).await?;
    let desk = &portal.app.desk;
    request::wait(portal, desk.state(), request::position(headers, None)?).await?;
    let (id, occurred_at, at) = (wanted.id(), wanted.occurred_at(), desk.now());
    let (built, subject) = desk.state().read(|state| {
        let built = wanted.act(&At { parts, state })?;
        let subject = of_act(state, &built.act, built.region.as_ref(), at).ok_or(Problem::NotThere)?;
        Ok::<_, Problem>((built, subject))
    })?;
    who::check(&principal, Action::of(&built.act), &subject.about)?;
    let region = decided_in(portal, &subject, &built.act, &principal)?;
    let by = who::actor(&principal, subject.location.as_ref())?;
    let mut act = sealed(portal.app.vault.clone(), built).await?;
    if let Act::SendOffers { referral, receipt, .. } = &mut act {
        // Why these and not others is kept with the offers.
        *receipt = desk
            .state()
            .read(|state| Sought::of(state, *referral, at).map(|sought| matching(state, &sought).kept()));
    }
    let command = Command { id, source: principal.source, region, at, occurred_at, by, act };
    readable(&command)?;
    Ok(desk.handle(command).await?)
}

/// Whether what is given as a whole (a word of a location, a profile) is as the contract of the events has it: a postcode of
/// four digits, a time of the day, no more than an event may have.
///
/// # Errors
/// It would not be read again as it was given.
fn readable(command: &Command) -> Result<(), Problem> {
    let fact = if let Act::Report { fact } = &command.act {
        fact.clone()
    } else if let Act::MakeReferral { profile, .. } = &command.act {
        Fact::ReferralMade(profile.clone())
    } else if let Act::ChangeReferral { profile } = &command.act {
        Fact::ReferralChanged(profile.clone())
    } else {
        return Ok(());
    };
    let event = Event {
        source: command.source.clone(),
        id: command.id,
        time: command.at,
        region: command.region.clone(),
        occurred_at: command.occurred_at.unwrap_or(command.at),
        fact,
    };
    let read = Received::structured(encode_json(&event)).decode();
    if read.is_ok_and(|read| read.event == event) {
        Ok(())
    } else {
        Err(Problem::Unfit(
            "a value in it is none that an event may have; the description says which there are".to_owned(),
        ))
    }
}

/// The region whose desk decides; one of the network.
fn decided_in(
    portal: &Portal,
    subject: &Subject,
    act: &Act,
    principal: &Principal,
) -> Result<domain::RegionId, Problem> {
    let region = subject.deciding(act, principal).ok_or(Problem::NotThere)?;
    if portal.app.network.region(&region).is_some() { Ok(region) } else { Err(Problem::NotThere) }
}

/// The act with what is personal sealed in it. Sealing waits for the disk: the key is there before anything is recorded.
async fn sealed(vault: Vault, built: Built) -> Result<Act, Problem> {
    let work = move || {
        let Built { mut act, private, .. } = built;
        if let Act::MakeReferral { profile, .. } | Act::ChangeReferral { profile } = &mut act
            && let Some(private) = private
        {
            profile.sealed = Some(seal(&vault, profile.referral.uuid(), private.as_bytes())?);
        }
        if let Act::Triage { referral, answers, sealed, .. } = &mut act {
            let answers = serde_json::to_vec(answers).map_err(|_| Problem::Away)?;
            *sealed = Some(seal(&vault, referral.uuid(), &answers)?);
        }
        Ok(act)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::Away)?
}

fn seal(vault: &Vault, subject: uuid::Uuid, plain: &[u8]) -> Result<Sealed, Problem> {
    vault.seal(subject, plain).map_err(|error| match error {
        VaultError::TooLarge { .. } => Problem::Unfit("the private part is too long".to_owned()),
        error @ (VaultError::Unusable { .. }
        | VaultError::NoKey { .. }
        | VaultError::NotWhole { .. }
        | VaultError::NoRandom) => {
            tracing::error!(%error, "nothing can be sealed");
            Problem::Away
        }
    })
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => Self::Refused(refusal),
            DeskError::Contended { .. } => Self::Contended,
            DeskError::Reused { .. } => Self::Reused,
            DeskError::Unfit => Self::Unfit("a value is more, or other, than an event may say".to_owned()),
            DeskError::Failed(why) => {
                tracing::error!(why, "an act could not be recorded");
                Self::Away
            }
        }
    }
}

fn receipt(done: Done) -> Response {
    let fresh = !done.duplicate && !done.events.is_empty();
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    let etag = format!("\"{}\"", done.position);
    let receipt = Receipt {
        position: done.position,
        recorded_at: Text(done.recorded_at),
        events: done.events.into_iter().map(Text).collect(),
        duplicate: done.duplicate,
    };
    (status, [(header::ETAG, etag)], axum::Json(receipt)).into_response()
}
