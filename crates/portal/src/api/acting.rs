//! The way of an act: who asks, what is asked, may they, seal what is personal, let the desk decide and record.
//!
//! Not here: the acts (`acts`), the rules (`domain::desk`), deciding and recording (`desk`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use contracts::{Received, encode_json};
use desk::{DeskError, Done, Vault, VaultError};
use domain::access::{Action, Principal};
use domain::desk::{Act, Command, State as DeskState, Step, decide};
use domain::matching::{Wanted as Sought, matching};
use domain::{Event, Fact, Sealed};
use eventlog::{Key, ReadError};
use serde::Serialize;
use utoipa::ToSchema;

use super::acts::{At, Built, Wanted};
use super::problem::{Problem, language};
use super::request::{self, Parts};
use super::scope::{Scene, Subject, of_act};
use super::times;
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
    let parts = parts.map_or_else(Parts::none, |RawParts(parts)| parts);
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
    portal.paces.machine(&principal, (portal.app.now)())?;
    let wanted: W = request::body(headers, body).await?;
    request::wait(portal, portal.app.desk.state(), request::position(headers, None)?).await?;
    perform(portal, parts, principal, wanted).await
}

/// Does what is wanted, if the principal may.
///
/// # Errors
/// It may not, there is no such thing, the rules say no, or it can not be recorded.
async fn perform<W: Wanted>(
    portal: &Portal,
    parts: &Parts,
    principal: Principal,
    wanted: W,
) -> Result<Done, Problem> {
    perform_if(portal, parts, principal, wanted, |_, _| Ok(())).await
}

/// The same, where `first` says whether it is done: it is asked about what the principal may do, before anything is.
///
/// # Errors
/// As [`perform`], and what `first` says.
pub(crate) async fn perform_if<W: Wanted>(
    portal: &Portal,
    parts: &Parts,
    principal: Principal,
    wanted: W,
    first: impl FnOnce(&DeskState, &Act) -> Result<(), Problem> + Send,
) -> Result<Done, Problem> {
    who::check_role(&principal, W::ACTION)?;
    let desk = &portal.app.desk;
    let (id, occurred_at, at) = (wanted.id(), wanted.occurred_at(), desk.now());
    let (built, subject) = desk.state().read(|state| {
        let built = wanted.act(&At { parts, state })?;
        let scene = Scene { state, network: &portal.app.network, principal: &principal, now: at };
        let subject = of_act(scene, &built.act, built.region.as_ref()).ok_or(Problem::NotThere)?;
        Ok::<_, Problem>((built, subject))
    })?;
    who::check(&principal, Action::of(&built.act), &subject.about)?;
    desk.state().read(|state| first(state, &built.act))?;
    let region = decided_in(portal, &subject, &built.act, &principal)?;
    stands_in(portal, &built.act)?;
    let by = who::actor(&principal, subject.location.as_ref())?;
    times::check(&built.act, occurred_at, at)?;
    let source = principal.source;
    let told = |act| Command {
        id,
        source: source.clone(),
        region: region.clone(),
        at,
        occurred_at,
        by: by.clone(),
        act,
    };
    if built.private.is_some() {
        let draft = told(built.act.clone());
        readable(&draft)?;
        makes_sense(portal, draft).await?;
    }
    let mut act = sealed(portal.app.vault.clone(), built).await?;
    if let Act::SendOffers { referral, receipt, .. } = &mut act {
        // Why these and not others is kept with the offers.
        *receipt = desk
            .state()
            .read(|state| Sought::of(state, *referral, at).map(|sought| matching(state, &sought).kept()));
    }
    let command = told(act);
    readable(&command)?;
    Ok(desk.handle(command).await?)
}

/// Whether a referral that is made with something to seal can be made at all, where there is no key for it yet: a refused act
/// leaves none behind. Of any other act the referral is there already, and has one key however often it is refused.
///
/// # Errors
/// It would be refused.
async fn makes_sense(portal: &Portal, command: Command) -> Result<(), Problem> {
    let Act::MakeReferral { profile, .. } = &command.act else { return Ok(()) };
    let (vault, reader, subject) =
        (portal.app.vault.clone(), portal.app.reader.clone(), profile.referral.uuid());
    let key = Key(contracts::key(command.source.as_str(), &command.id.to_string()));
    let look = move || Ok((vault.holds(subject), reader.position_of(&key)?.is_some()));
    let looked = tokio::task::spawn_blocking(look).await.map_err(|_| Problem::Away)?;
    let (has_key, used) = looked.map_err(|error: ReadError| {
        tracing::error!(%error, "the log could not be read for an act");
        Problem::Away
    })?;
    if has_key {
        return Ok(());
    }
    if used {
        return Err(Problem::Reused);
    }
    let desk = portal.app.desk.state();
    request::wait(portal, desk, Some(portal.app.reader.head().position)).await?;
    desk.read(|state| decide(state, &command)).map(|_| ()).map_err(Problem::Refused)
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

/// Whoever duty is handed to has to be there, and each step a step: nobody would answer otherwise.
fn stands_in(portal: &Portal, act: &Act) -> Result<(), Problem> {
    let Act::HandOverDuty { to, mandate, .. } = act else { return Ok(()) };
    let network = &portal.app.network;
    let desk = to.as_str().parse().is_ok_and(|region| network.region(&region).is_some());
    let centre = to.as_str().parse().is_ok_and(|centre| network.centre(&centre).is_some());
    if !desk && !centre {
        return Err(Problem::Unfit(
            "`to` is the region of a desk or the code of a centre of this network".to_owned(),
        ));
    }
    // Whoever stands in sees what the desk sees: nobody looks who may do nothing.
    if !mandate.is_empty() && mandate.iter().all(|step| Step::is_mandate(step.as_str())) {
        return Ok(());
    }
    let steps = Step::MANDATED.map(Step::code).join(", ");
    Err(Problem::Unfit(format!("`mandate` is any of {steps}, or {}", Step::EVERY)))
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

/// What became of an act, as an answer.
pub(crate) fn receipt(done: Done) -> Response {
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
