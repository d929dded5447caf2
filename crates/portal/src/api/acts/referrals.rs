//! Referrals: made, changed, weighed, passed on, ended; their arrival and what is kept for them.

use domain::Label;
use domain::desk::{Act, Answer};

use super::parts::{AnswerGiven, Profile};
use super::{At, Built, acts, limited};
use crate::api::problem::Problem;
use crate::api::value::{
    CareCode, DivertedTo, LocationCode, Moment, RaisedBefore, ReferralNumber, RegionCode, RoleCode,
    WithdrawnBecause, Words, plain,
};

/// The answers without those to questions that were not asked any more: one before them decided.
fn asked(at: &At<'_>, instrument: &Label, mut answers: Vec<Answer>) -> Result<Vec<Answer>, Problem> {
    let referral = at.state.referrals.get(&at.parts.read("referral")?);
    let rules = referral.map(|referral| at.state.rule_book.of(&referral.region));
    let known = rules.and_then(|rules| rules.instruments.iter().find(|known| known.name == *instrument));
    let Some(known) = known else { return Ok(answers) };
    let mut questions = known.questions.iter();
    let decided = questions.any(|question| {
        let answer = answers.iter().find(|answer| answer.question == question.id);
        answer.is_some_and(|answer| if answer.yes { question.yes.is_some() } else { question.no.is_some() })
    });
    if decided {
        let left: Vec<&str> = questions.map(|question| question.id.as_str()).collect();
        answers.retain(|answer| !left.contains(&answer.question.as_str()));
    }
    Ok(answers)
}

acts! {
    #[doc = "A place is needed for somebody."]
    MakeReferral = "makeReferral" at "/referrals" is MakeReferral {
        /// The region whose desk is asked.
        region: RegionCode,
        /// The referral's own id, a UUID that the asker makes.
        referral: ReferralNumber,
        /// What is known, non-identifying.
        profile: Profile,
        /// Whoever asks has seen the likely doubles and says that this is another person.
        #[serde(default)]
        not_a_double: bool,
        /// Who it is and what else people should know: kept sealed only, at most 4,000 characters.
        #[schema(max_length = 4000)]
        private: Option<String>,
    } |body, _| {
        let profile = body.profile.of(body.referral.0)?;
        let act = Act::MakeReferral { profile, not_a_double: body.not_a_double };
        Built::from(act).in_region(body.region.0).with(body.private)?
    };

    #[doc = "What is known of a referral changed."]
    ChangeReferral = "changeReferral" at "/referrals/{referral}/change" is ChangeReferral {
        /// What is known now.
        profile: Profile,
        /// Who it is and what else people should know, anew: kept sealed only, at most 4,000 characters.
        #[schema(max_length = 4000)]
        private: Option<String>,
    } |body, at| {
        let referral = at.parts.read("referral")?;
        let mut profile = body.profile.of(referral)?;
        // What was sealed stays, unless it is replaced.
        profile.sealed = at.state.referrals.get(&referral).and_then(|known| known.profile.sealed.clone());
        Built::from(Act::ChangeReferral { profile }).with(body.private)?
    };

    #[doc = "A place is no longer needed."]
    WithdrawReferral = "withdrawReferral" at "/referrals/{referral}/withdraw" is WithdrawReferral {
        /// Why.
        reason: WithdrawnBecause,
    } |body, at| Act::WithdrawReferral { referral: at.parts.read("referral")?, reason: body.reason.0 };

    #[doc = "Solved otherwise."]
    DivertReferral = "divertReferral" at "/referrals/{referral}/divert" is DivertReferral {
        /// How.
        reason: DivertedTo,
    } |body, at| Act::DivertReferral { referral: at.parts.read("referral")?, reason: body.reason.0 };

    #[doc = "Nothing was found: a person says so."]
    GiveUp = "giveUp" at "/referrals/{referral}/give-up" is GiveUp {
        /// Why.
        reason: Words,
    } |body, at| Act::GiveUp { referral: at.parts.read("referral")?, reason: body.reason.0 };

    #[doc = "The weighing: answers to the questions of the instrument, which are kept sealed only."]
    Triage = "triage" at "/referrals/{referral}/triage" is Triage {
        /// The instrument with its version.
        instrument: Words,
        /// The answers.
        #[schema(max_items = 64)]
        answers: Vec<AnswerGiven>,
        /// What is decided instead of the outcome of the answers,
        set_aside: Option<CareCode>,
        /// and why.
        reason: Option<Words>,
        /// Who decided.
        decided_by: RoleCode,
        /// The specialist who was consulted.
        consulted: Option<RoleCode>,
    } |body, at| Act::Triage {
        referral: at.parts.read("referral")?,
        answers: asked(
            at,
            &body.instrument.0,
            limited(body.answers, "answers")?.into_iter().map(Into::into).collect(),
        )?,
        instrument: body.instrument.0,
        set_aside: plain(body.set_aside),
        reason: plain(body.reason),
        decided_by: body.decided_by.0,
        consulted: plain(body.consulted),
        sealed: None,
    };

    #[doc = "Another desk is asked to take it."]
    Escalate = "escalate" at "/referrals/{referral}/escalate" is Escalate {
        /// Its region.
        to: RegionCode,
    } |body, at| Act::Escalate { referral: at.parts.read("referral")?, to: body.to.0 };

    #[doc = "The desk that was asked takes it, or the one that asked takes it back."]
    TakeOver = "takeOver" at "/referrals/{referral}/take-over" is TakeOver {
    } |_, at| Act::TakeOver { referral: at.parts.read("referral")? };

    #[doc = "Brought before somebody above the desks."]
    Raise = "raise" at "/referrals/{referral}/raise" is Raise {
        /// Before whom.
        to: RaisedBefore,
    } |body, at| Act::Raise { referral: at.parts.read("referral")?, to: body.to.0 };

    #[doc = "The arrival is agreed."]
    AgreeArrival = "agreeArrival" at "/referrals/{referral}/arrival" is AgreeArrival {
        /// Where.
        location: LocationCode,
        /// When.
        arrives_at: Moment,
        /// How.
        transport: Option<Words>,
    } |body, at| Act::AgreeArrival {
        referral: at.parts.read("referral")?,
        location: body.location.0,
        arrives_at: body.arrives_at.0,
        transport: plain(body.transport),
    };

    #[doc = "The place is kept longer."]
    ExtendHold = "extendHold" at "/referrals/{referral}/hold/extend" is ExtendHold {
        /// Where.
        location: LocationCode,
        /// Until when.
        until: Moment,
    } |body, at| Act::ExtendHold {
        referral: at.parts.read("referral")?,
        location: body.location.0,
        until: body.until.0,
    };

    #[doc = "The place is kept no longer; another is looked for."]
    ReleaseHold = "releaseHold" at "/referrals/{referral}/hold/release" is ReleaseHold {
        /// Where.
        location: LocationCode,
    } |body, at| Act::ReleaseHold { referral: at.parts.read("referral")?, location: body.location.0 };
}
