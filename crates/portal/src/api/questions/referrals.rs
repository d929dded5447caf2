//! Questions about a referral: how it stands, all that happened, candidates with why and why not, what is sealed.
//!
//! What happened and which list was kept come from the log alone, so they are the same however long ago it was.

use std::collections::BTreeSet;

use desk::VaultError;
use domain::access::{Action, Role};
use domain::desk::{End, Refusal, State};
use domain::matching::{Wanted, matching, receipt_of};
use domain::queries::timeline;
use domain::{Matched, Recorded, ReferralId, StayId};
use eventlog::{LogReader, Query, QueryItem};
use serde::Serialize;
use utoipa::ToSchema;

use super::regions::Reason;
use super::shown::ReferralShown;
use super::{Answered, Look, questions};
use crate::api::problem::Problem;
use crate::api::scope::{Subject, works_at};
use crate::api::value::{
    BedCode, CareCode, LocationCode, Moment, ReferralNumber, RegionCode, SourceUrn, Text, plain,
};
use crate::said::{readable, unnamed};

/// The most events that are read for one referral: far more than any has; one with more is shown to its beginning.
const EVENTS_READ_MAX: usize = 5_000;

/// What is sealed of a referral.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrivateShown {
    /// Who it is and what else people should know; none if nothing was given, or its key was destroyed.
    pub(crate) text: Option<String>,
}

/// All that happened to a referral.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    entries: Vec<EntryShown>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryShown {
    /// Which event.
    position: u64,
    recorded_at: Moment,
    /// When it happened, as its source says.
    occurred_at: Moment,
    source: SourceUrn,
    /// Of which type, such as `offer.sent`.
    kind: String,
    location: Option<LocationCode>,
    /// What happened.
    text: String,
}

/// Candidates for a referral, and everybody else with why not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchShown {
    referral: ReferralNumber,
    /// Up to which position of the log it was made.
    at_position: u64,
    /// For when a place is looked for.
    moment: Moment,
    care_type: CareCode,
    regions: Vec<RegionCode>,
    /// The best first.
    candidates: Vec<CandidateShown>,
    /// The nearest first.
    excluded: Vec<ExcludedShown>,
    /// The last of both lists, where they were too long to keep.
    left_off: u32,
}

/// A location that can take somebody then.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateShown {
    location: LocationCode,
    care_type: CareCode,
    /// The bed that fits best, where it keeps bed records.
    bed: Option<BedCode>,
    /// 0 to 100.
    score: u32,
    /// Each 0 to 100.
    fit: u32,
    distance: u32,
    wish: u32,
    truth: u32,
    spread: u32,
    /// How far, in minutes by car.
    minutes: Option<u32>,
    /// Why.
    why: Vec<String>,
}

/// A location that can not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExcludedShown {
    location: LocationCode,
    /// Why not; never empty.
    reasons: Vec<Reason>,
}

/// The lists that were kept with the offers of a referral, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipts {
    receipts: Vec<MatchShown>,
}

fn shown(look: &Look<'_>, matched: &Matched) -> MatchShown {
    let candidate = |one: &domain::Candidate| CandidateShown {
        location: Text(one.location.clone()),
        care_type: Text(one.care_type.clone()),
        bed: one.bed.clone().map(Text),
        score: one.score,
        fit: one.parts.fit,
        distance: one.parts.distance,
        wish: one.parts.wish,
        truth: one.parts.truth,
        spread: one.parts.spread,
        minutes: one.minutes,
        why: matched.why(one).into_iter().map(|sentence| look.say(sentence)).collect(),
    };
    let excluded = |one: &domain::Excluded| ExcludedShown {
        location: Text(one.location.clone()),
        reasons: one
            .reasons
            .iter()
            .map(|why| Reason { code: why.code.to_string(), text: look.say(why.sentence()) })
            .collect(),
    };
    MatchShown {
        referral: Text(matched.referral),
        at_position: matched.at_position,
        moment: Text(matched.moment),
        care_type: Text(matched.care_type.clone()),
        regions: matched.regions.iter().cloned().map(Text).collect(),
        candidates: matched.candidates.iter().map(candidate).collect(),
        excluded: matched.excluded.iter().map(excluded).collect(),
        left_off: matched.left_off,
    }
}

/// The events with these tags, as far as they can be read.
fn events(reader: &LogReader, tags: &[String]) -> Result<Vec<Recorded>, Problem> {
    let items =
        tags.iter().map(|tag| QueryItem { types: Vec::new(), tags: vec![tag.as_str().into()] }).collect();
    let mut found = Vec::new();
    for record in reader.read(Query { items, limit: Some(EVENTS_READ_MAX), ..Query::default() }) {
        let record = record.map_err(|error| {
            tracing::error!(%error, "the log could not be read for a question");
            Problem::Away
        })?;
        let read =
            contracts::recorded(record.position, record.recorded_at, &record.content_type, record.bytes);
        // What can not be read is told by the views, which miss it too.
        found.extend(read.ok());
    }
    Ok(found)
}

/// What happened to a referral and the stay it led to, from the log.
pub(crate) async fn history(look: &Look<'_>, referral: ReferralId) -> Result<Vec<Recorded>, Problem> {
    let reader = look.portal.app.reader.clone();
    let read = move || read_history(&reader, referral);
    tokio::task::spawn_blocking(read).await.map_err(|_| Problem::Away)?
}

/// What happened to a stay, from the log; nothing of the referral that led to it.
pub(crate) async fn history_of_stay(look: &Look<'_>, stay: StayId) -> Result<Vec<Recorded>, Problem> {
    let reader = look.portal.app.reader.clone();
    let read = move || events(&reader, &[format!("stay:{stay}")]);
    tokio::task::spawn_blocking(read).await.map_err(|_| Problem::Away)?
}

/// The same of a referral, where waiting for the disk keeps nobody else waiting.
///
/// # Errors
/// The log can not be read.
pub(crate) fn read_history(reader: &LogReader, referral: ReferralId) -> Result<Vec<Recorded>, Problem> {
    let mut tags = vec![format!("referral:{referral}")];
    let own = events(reader, &tags)?;
    let stays: BTreeSet<_> = own.iter().filter_map(|recorded| recorded.event.fact.stay()).collect();
    if stays.is_empty() {
        return Ok(own);
    }
    tags.extend(stays.iter().map(|stay| format!("stay:{stay}")));
    events(reader, &tags)
}

/// Whether this may be asked of this referral, and the position at which that was found.
fn permitted(look: &Look<'_>, action: Action, referral: ReferralId) -> Result<u64, Problem> {
    let about = |state: &State| Subject::referral(state, referral, look.now);
    look.at(action, about, |_| Ok(())).map(|answered| answered.position)
}

fn as_seen(look: &Look<'_>, state: &State, referral: ReferralId) -> Result<ReferralShown, Problem> {
    let known = state.referrals.get(&referral).ok_or(Problem::NotThere)?;
    let stayed_at = match &known.end {
        Some(End::Admitted(stay)) => state.stays.get(stay).map(|stay| &stay.place.location),
        Some(End::Withdrawn(_) | End::Diverted(_) | End::Unplaced(_)) | None => None,
    };
    Ok(ReferralShown::of(known, stayed_at, |location| match &look.principal.role {
        // What other houses answered, and where somebody went instead, is not a location's to know.
        Role::LocationStaff { .. } | Role::WardDevice { .. } => works_at(state, &look.principal, location),
        Role::DeskOperator { .. }
        | Role::Referrer { .. }
        | Role::Centre { .. }
        | Role::Auditor { .. }
        | Role::Admin => true,
    }))
}

/// What is sealed of a referral, for its desk, its maker, and the location that was chosen.
pub(crate) async fn private(look: Look<'_>, referral: ReferralId) -> Result<Answered<PrivateShown>, Problem> {
    let about = |state: &State| {
        let subject = Subject::referral(state, referral, look.now)?;
        let winner = state.referrals.get(&referral)?.winner();
        Some(match winner {
            Some(winner) => subject.at(state, &winner.location),
            None => subject,
        })
    };
    let found = look.at(Action::Private, about, |state| {
        Ok(state.referrals.get(&referral).and_then(|known| known.profile.sealed.clone()))
    })?;
    let Answered { position, body: sealed } = found;
    // Who looked at whom, until the access log of its own is there: an account of a person, or the source of a program.
    let by = look.account.as_deref().unwrap_or_default();
    tracing::info!(
        %referral, position, account = by, source = %look.principal.source, sealed = sealed.is_some(),
        "what is sealed of a referral was shown"
    );
    let Some(sealed) = sealed else { return Ok(Answered { position, body: PrivateShown { text: None } }) };
    let vault = look.portal.app.vault.clone();
    let open = tokio::task::spawn_blocking(move || vault.unseal(referral.uuid(), &sealed)).await;
    let text = match open.map_err(|_| Problem::Away)? {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(VaultError::NoKey { .. }) => None,
        Err(error) => {
            tracing::error!(%error, %referral, "what is sealed can not be opened");
            return Err(Problem::Away);
        }
    };
    Ok(Answered { position, body: PrivateShown { text } })
}

questions! {
    #[doc = "A referral as it stands, non-identifying."]
    AskReferral = "referral" at "/referrals/{referral}" {
    } -> ReferralShown, |_, look| {
        let referral = look.parts.read("referral")?;
        let about = |state: &State| Subject::referral_for(state, referral, &look.principal, look.now);
        look.at(Action::Referral, about, |state| as_seen(&look, state, referral))
    };

    #[doc = "What is sealed of a referral: for its desk, its maker, and the location that was chosen."]
    AskPrivate = "private" at "/referrals/{referral}/private" {
    } -> PrivateShown, |_, look| {
        let referral = look.parts.read("referral")?;
        private(look, referral).await
    };

    #[doc = "All that happened to a referral and the stay it led to, the oldest first."]
    AskTimeline = "timeline" at "/referrals/{referral}/timeline" {
    } -> Timeline, |_, look| {
        let referral = look.parts.read("referral")?;
        let position = permitted(&look, Action::Timeline, referral)?;
        let found = history(&look, referral).await?;
        let entries = timeline(&found, referral).into_iter().map(|entry| EntryShown {
            position: entry.position,
            recorded_at: Text(entry.recorded_at),
            occurred_at: Text(entry.occurred_at),
            source: Text(entry.source),
            kind: entry.kind.to_owned(),
            location: entry.location.map(Text),
            text: readable(&look.say(entry.sentence), unnamed, look.now, look.lang),
        });
        let entries: Vec<EntryShown> = entries.collect();
        let position = entries.last().map_or(position, |last| last.position.max(position));
        Ok(Answered { position, body: Timeline { entries } })
    };

    #[doc = "Who can take somebody at a moment, the best first, and why everybody else can not."]
    AskMatching = "matching" at "/referrals/{referral}/matching" {
        /// When the person comes; otherwise when a place is wished for.
        at: Option<Moment>,
    } -> MatchShown, |asked, look| {
        let referral = look.parts.read("referral")?;
        let about = |state: &State| Subject::referral(state, referral, look.now);
        look.at(Action::Matching, about, |state| {
            let sought = Wanted::of(state, referral, look.now);
            let sought = sought.ok_or(Problem::Refused(Refusal::NotTriaged))?;
            let moment = plain(asked.at).unwrap_or(sought.moment);
            Ok(shown(&look, &matching(state, &Wanted { moment, ..sought })))
        })
    };

    #[doc = "The lists that were kept with the offers of a referral, as they were shown then: from the log alone."]
    AskReceipts = "receipts" at "/referrals/{referral}/receipts" {
    } -> Receipts, |_, look| {
        let referral = look.parts.read("referral")?;
        let position = permitted(&look, Action::Receipt, referral)?;
        let found = history(&look, referral).await?;
        let kept = receipt_of(found.iter().map(|recorded| &recorded.event), referral);
        let receipts = kept.map(|matched| shown(&look, matched)).collect();
        Ok(Answered { position, body: Receipts { receipts } })
    };
}
