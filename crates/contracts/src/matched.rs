//! The list of places for a referral, both ways between its message and the domain.
//!
//! Not here: how such a list comes about (`domain`).

use domain::{Candidate, Excluded, Exclusion, Matched, Parts, Weights};

use crate::error::Fault;
use crate::fields::{Read, field, list, required};
use crate::to_wire::{text, text_if, texts};
use crate::wire;

pub(crate) fn read(m: &wire::ReferralMatched) -> Read<Matched> {
    let weighed = field!(present m.weights);
    Ok(Matched {
        referral: field!(required m.referral),
        at_position: *field!(present m.at_position),
        moment: field!(moment m.moment),
        care_type: field!(code m.care_type),
        regions: list(&m.regions, "regions", |text| required(Some(text), ""))?,
        wished: list(&m.wished, "wished", |text| required(Some(text), ""))?,
        weights: weights(weighed).map_err(|fault: Fault| fault.within("weights"))?,
        candidates: list(&m.candidates, "candidates", candidate)?,
        excluded: list(&m.excluded, "excluded", excluded)?,
        left_off: m.left_off.unwrap_or(0),
    })
}

fn weights(m: &wire::Weights) -> Read<Weights> {
    Ok(Weights {
        fit: *field!(present m.fit),
        distance: *field!(present m.distance),
        wish: *field!(present m.wish),
        truth: *field!(present m.truth),
        spread: *field!(present m.spread),
    })
}

fn candidate(m: &wire::Candidate) -> Read<Candidate> {
    let parts = Parts {
        fit: *field!(present m.fit),
        distance: *field!(present m.distance),
        wish: *field!(present m.wish),
        truth: *field!(present m.truth),
        spread: *field!(present m.spread),
    };
    Ok(Candidate {
        location: field!(required m.location),
        care_type: field!(code m.care_type),
        bed: field!(optional m.bed),
        score: *field!(present m.score),
        parts,
        minutes: m.minutes,
        primary: *field!(present m.primary),
        spare: field!(codes m.spare),
        answers: *field!(present m.answers),
        answers_true: *field!(present m.answers_true),
        recent: *field!(present m.recent),
        unanswered: m.unanswered.unwrap_or(false),
    })
}

fn excluded(m: &wire::Excluded) -> Read<Excluded> {
    let reason =
        |m: &wire::Exclusion| Ok(Exclusion { code: field!(code m.code), about: field!(optional m.about) });
    Ok(Excluded { location: field!(required m.location), reasons: list(&m.reasons, "reasons", reason)? })
}

pub(crate) fn write(list: &Matched) -> wire::ReferralMatched {
    let Weights { fit, distance, wish, truth, spread } = list.weights;
    wire::ReferralMatched {
        referral: text(list.referral),
        at_position: Some(list.at_position),
        moment: text(list.moment),
        care_type: text(&list.care_type),
        regions: texts(&list.regions),
        wished: texts(&list.wished),
        weights: Some(wire::Weights {
            fit: Some(fit),
            distance: Some(distance),
            wish: Some(wish),
            truth: Some(truth),
            spread: Some(spread),
        }),
        candidates: list.candidates.iter().map(candidate_out).collect(),
        excluded: list.excluded.iter().map(excluded_out).collect(),
        left_off: (list.left_off > 0).then_some(list.left_off),
        ..Default::default()
    }
}

fn candidate_out(one: &Candidate) -> wire::Candidate {
    let Parts { fit, distance, wish, truth, spread } = one.parts;
    wire::Candidate {
        location: text(&one.location),
        care_type: text(&one.care_type),
        bed: text_if(one.bed.as_ref()),
        score: Some(one.score),
        fit: Some(fit),
        distance: Some(distance),
        wish: Some(wish),
        truth: Some(truth),
        spread: Some(spread),
        minutes: one.minutes,
        primary: Some(one.primary),
        spare: texts(&one.spare),
        answers: Some(one.answers),
        answers_true: Some(one.answers_true),
        recent: Some(one.recent),
        unanswered: one.unanswered.then_some(true),
    }
}

fn excluded_out(one: &Excluded) -> wire::Excluded {
    let reason = |reason: &Exclusion| wire::Exclusion {
        code: text(&reason.code),
        about: text_if(reason.about.as_ref()),
    };
    wire::Excluded { location: text(&one.location), reasons: one.reasons.iter().map(reason).collect() }
}
