//! The desk itself: who is on duty, which rules hold, with whom it was in contact.

use domain::Label;
use domain::desk::Act;

use super::{Built, acts, limited};
use crate::api::upto::ContactMinutes;
use crate::api::value::{ContactCode, ContactNumber, Moment, ReferralNumber, RuleSetCode, Words, all, plain};

acts! {
    #[doc = "Another desk or a centre stands in."]
    HandOverDuty = "handOverDuty" at "/regions/{region}/duty/hand-over" is HandOverDuty {
        /// Who: the region of the desk or the name of the centre.
        to: Words,
        /// Until when: 31 days ahead at most.
        until: Moment,
        /// Which steps it may take: referrals, triage, offers, answers, holds, stays, escalation, or all.
        #[schema(max_items = 64)]
        mandate: Vec<Words>,
    } |body, at| {
        let mandate: Vec<Label> = all(limited(body.mandate, "steps")?);
        let act = Act::HandOverDuty { to: body.to.0, until: body.until.0, mandate };
        Built::from(act).in_region(at.parts.read("region")?)
    };

    #[doc = "The desk is back before the time."]
    TakeBackDuty = "takeBackDuty" at "/regions/{region}/duty/take-back" is TakeBackDuty {
    } |_, at| Built::from(Act::TakeBackDuty).in_region(at.parts.read("region")?);

    #[doc = "Other rules hold."]
    SwitchRuleSet = "switchRuleSet" at "/regions/{region}/rule-set" is SwitchRuleSet {
        /// Which.
        rule_set: RuleSetCode,
    } |body, at| {
        Built::from(Act::SwitchRuleSet { rule_set: body.rule_set.0 }).in_region(at.parts.read("region")?)
    };

    #[doc = "The desk was in contact."]
    LogContact = "logContact" at "/regions/{region}/contacts" is LogContact {
        /// The contact's own id, a UUID that the asker makes.
        contact: ContactNumber,
        /// What kind.
        kind: ContactCode,
        /// With whom: an origin code or `location`.
        with: Words,
        /// What about.
        about: Option<Words>,
        /// How long, in minutes.
        minutes: ContactMinutes,
        /// About whom.
        referral: Option<ReferralNumber>,
    } |body, at| {
        let act = Act::LogContact {
            contact: body.contact.0,
            kind: body.kind.0,
            with: body.with.0,
            about: plain(body.about),
            minutes: body.minutes.0,
            referral: plain(body.referral),
        };
        Built::from(act).in_region(at.parts.read("region")?)
    };
}
