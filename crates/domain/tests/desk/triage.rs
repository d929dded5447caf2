//! The weighing: what each answer comes to, an outcome set aside, and the hospital as an end.

use domain::desk::{Act, Answer, End, Instrument, Outcome};
use domain::testing::label;
use domain::{CareType, DivertedReason, Fact, Role, Urgency};

use crate::support::*;

/// No to everything but a stay being necessary and what is named.
fn answers(yes: &[&str]) -> Vec<Answer> {
    let questions = Instrument::default().questions;
    let says_yes = |id: &str| id == "stay" || yes.contains(&id);
    questions.into_iter().map(|asked| Answer { yes: says_yes(&asked.id), question: asked.id }).collect()
}

#[test]
fn the_default_instrument_splits_as_the_field_does() {
    let instrument = Instrument::default();
    for (yes, outcome) in [
        (&[][..], Outcome::Care(CareType::ElvLc)),
        (&["interacting"], Outcome::Care(CareType::ElvHc)),
        (&["palliative", "interacting"], Outcome::Care(CareType::ElvPtz)),
        (&["rehabilitation", "interacting"], Outcome::Care(CareType::Grz)),
        (&["wlz", "interacting"], Outcome::Care(CareType::WlzCrisis)),
        (&["psychiatric"], Outcome::Care(CareType::Ggz)),
        (&["specialist", "wlz"], Outcome::Hospital),
        (&["unclear"], Outcome::Care(CareType::Spoedbed)),
    ] {
        assert_eq!(instrument.weigh(&answers(yes)), Ok(outcome), "{yes:?}");
    }
    let mut at_home = answers(&[]);
    at_home.iter_mut().filter(|answer| answer.question == "stay").for_each(|answer| answer.yes = false);
    assert_eq!(
        instrument.weigh(&at_home),
        Ok(Outcome::Care(CareType::Respijt)),
        "no medical need for a stay"
    );
    // What comes after the answer that decides need not be asked.
    assert_eq!(instrument.weigh(&answers(&["specialist"])[..1]), Ok(Outcome::Hospital));
}

fn weighing(story: &mut Story, change: impl FnOnce(&mut Act)) -> Then {
    let _ = story.desk(ZK23, make(1, Urgency::Urgent)).records(&["referral.made"]);
    let mut act = weigh(1);
    change(&mut act);
    story.desk(ZK23, act)
}

#[test]
fn an_outcome_is_set_aside_with_a_reason_that_is_kept_and_with_who_was_consulted() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    let recorded = weighing(&mut story, |act| {
        if let Act::Triage { set_aside, reason, consulted, .. } = act {
            *set_aside = Some(CareType::ElvLc);
            *reason = Some(label("lives-with-a-nurse"));
            *consulted = Some(Role::Doctor);
        }
    })
    .records(&["referral.triaged"]);
    let Fact::ReferralTriaged { outcome, overruled, consulted, sealed, .. } = &recorded[0].fact else {
        panic!("it is a weighing");
    };
    let overruled = overruled.as_ref().unwrap();
    assert_eq!((outcome, &overruled.outcome), (&CareType::ElvLc, &CareType::ElvHc));
    assert_eq!(overruled.reason, label("lives-with-a-nurse"));
    assert!(sealed.is_some() && *consulted == Some(Role::Doctor));
}

#[test]
fn what_is_for_the_hospital_ends_here() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    let recorded = weighing(&mut story, |act| {
        if let Act::Triage { answers: given, .. } = act {
            *given = answers(&["specialist"]);
        }
    });
    let _ = recorded.records(&["referral.triaged", "referral.diverted"]);
    let end = story.state().referrals[&referral(1)].end.clone();
    assert_eq!(end, Some(End::Diverted(DivertedReason::Hospital)));
}
