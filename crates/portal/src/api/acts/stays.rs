//! Stays: from coming in to going home, and what of it was not so.

use domain::desk::Act;
use domain::{BedRef, Place, StayId};

use super::parts::{Bed, PlanEntry, Spot, plan};
use super::{At, acts};
use crate::api::problem::Problem;
use crate::api::upto::WeekHours;
use crate::api::value::{
    CareCode, DestinationCode, Moment, ReferralNumber, StayNumber, WaitingCode, Words, plain,
};

/// Where a stay is, as far as it is known.
fn place(at: &At<'_>, stay: StayId) -> Result<Place, Problem> {
    at.state.stays.get(&stay).map(|stay| stay.place.clone()).ok_or(Problem::NotThere)
}

/// The bed a stay is in, unless another is named.
fn from(at: &At<'_>, stay: StayId, named: Option<Bed>) -> Result<BedRef, Problem> {
    if let Some(named) = named {
        return Ok(named.into());
    }
    let Place { location, bed, .. } = place(at, stay)?;
    let bed =
        bed.ok_or_else(|| Problem::Unfit("the stay is in no bed that is known; say `from`".to_owned()))?;
    Ok(BedRef { location, bed })
}

acts! {
    #[doc = "Somebody came in."]
    Admit = "admit" at "/stays" is Admit {
        /// The stay's own id, a UUID that the asker makes.
        stay: StayNumber,
        /// The referral it comes from.
        referral: Option<ReferralNumber>,
        /// Where.
        place: Spot,
        /// Who pays, if that is known.
        funding: Option<Words>,
        /// What the weighing comes to now that the person is seen.
        triage: Option<CareCode>,
        /// The plan for going home starts here.
        #[serde(default)]
        #[schema(max_items = 64)]
        plan: Vec<PlanEntry>,
    } |body, _| Act::Admit {
        stay: body.stay.0,
        referral: plain(body.referral),
        place: body.place.into(),
        funding: plain(body.funding),
        triage: plain(body.triage),
        plan: plan(body.plan)?,
    };

    #[doc = "The weighing was looked at again."]
    ReviewTriage = "reviewTriage" at "/stays/{stay}/triage" is ReviewTriage {
        /// What it comes to.
        outcome: CareCode,
    } |body, at| Act::ReviewTriage { stay: at.parts.read("stay")?, outcome: body.outcome.0 };

    #[doc = "The day of leaving is planned, or not any more."]
    PlanDischarge = "planDischarge" at "/stays/{stay}/expected" is PlanDischarge {
        /// The day; none withdraws it.
        expected_at: Option<Moment>,
    } |body, at| Act::PlanDischarge { stay: at.parts.read("stay")?, expected_at: plain(body.expected_at) };

    #[doc = "The plan for going home."]
    SetPlan = "setPlan" at "/stays/{stay}/plan" is SetPlan {
        /// Its items.
        #[schema(max_items = 64)]
        items: Vec<PlanEntry>,
    } |body, at| Act::SetPlan { stay: at.parts.read("stay")?, items: plan(body.items)? };

    #[doc = "Ready to go and not gone; waiting for nothing ends it."]
    WaitFor = "waitFor" at "/stays/{stay}/waiting" is WaitFor {
        /// For what.
        what: WaitingCode,
        /// Since when; otherwise as before if it waits for this already, else since now.
        since: Option<Moment>,
    } |body, at| {
        Act::WaitFor { stay: at.parts.read("stay")?, what: body.what.0, since: plain(body.since) }
    };

    #[doc = "Somebody else pays, without a move."]
    SwitchFunding = "switchFunding" at "/stays/{stay}/funding" is SwitchFunding {
        /// Who pays.
        funding: Words,
        /// What the stay waits for with it,
        what: Option<WaitingCode>,
        /// and since when.
        since: Option<Moment>,
    } |body, at| {
        let waits_for = match (body.what, body.since) {
            (Some(what), Some(since)) => Some((what.0, since.0)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Problem::Unfit("`what` and `since` go together".to_owned()));
            }
        };
        Act::SwitchFunding { stay: at.parts.read("stay")?, funding: body.funding.0, waits_for }
    };

    #[doc = "To another bed."]
    Move = "move" at "/stays/{stay}/move" is Move {
        /// From; otherwise where it is known to be.
        from: Option<Bed>,
        /// To.
        to: Bed,
    } |body, at| {
        let stay = at.parts.read("stay")?;
        Act::Move { stay, from: from(at, stay, body.from)?, to: body.to.into() }
    };

    #[doc = "Somebody left."]
    Discharge = "discharge" at "/stays/{stay}/discharge" is Discharge {
        /// From where; otherwise from where it is known to be.
        place: Option<Spot>,
        /// To where.
        destination: DestinationCode,
        /// The bed is ready for the next.
        #[serde(default)]
        ready: bool,
        /// Hours of care at home per week that follow.
        care_hours_at_home: Option<WeekHours>,
    } |body, at| {
        let stay = at.parts.read("stay")?;
        let place = body.place.map_or_else(|| place(at, stay), |named| Ok(named.into()))?;
        Act::Discharge {
            stay,
            place,
            destination: body.destination.0,
            ready: body.ready,
            care_hours_at_home: body.care_hours_at_home.map(|hours| hours.0),
        }
    };

    #[doc = "That admission was not so."]
    CancelAdmission = "cancelAdmission" at "/stays/{stay}/cancel-admission" is CancelAdmission {
    } |_, at| Act::CancelAdmission { stay: at.parts.read("stay")? };

    #[doc = "That move was not so."]
    CancelMove = "cancelMove" at "/stays/{stay}/cancel-move" is CancelMove {
        /// From, of the move.
        from: Bed,
        /// To, of the move.
        to: Bed,
    } |body, at| Act::CancelMove {
        stay: at.parts.read("stay")?,
        from: body.from.into(),
        to: body.to.into(),
    };

    #[doc = "That discharge was not so."]
    CancelDischarge = "cancelDischarge" at "/stays/{stay}/cancel-discharge" is CancelDischarge {
    } |_, at| Act::CancelDischarge { stay: at.parts.read("stay")? };
}
