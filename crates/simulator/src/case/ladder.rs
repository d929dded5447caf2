//! When nobody can be asked: the desks next door by name, then those above, in the order of the region; and the end.
//!
//! Not here: the rules of the ladder (the node keeps them, and refuses what is out of order).

use domain::RegionId;
use domain::desk::Rung;
use serde_json::json;

use super::{Case, Now};
use crate::api::Party;
use crate::chance::{HOUR, MINUTE};
use crate::practice;
use crate::world::World;

impl Case {
    /// Nobody can be asked now: somebody waits for a bed for some time, then the ladder is climbed.
    pub(super) fn nobody(&self, world: &World, now: &mut Now) -> i64 {
        now.dry += 1;
        let (looks, pause) = match self.urgency {
            "crisis" => (2, 15 * MINUTE),
            "urgent" => (4, HOUR),
            _ => (8, 3 * HOUR),
        };
        if now.dry == 1 || (now.dry <= looks && now.tried.is_empty()) {
            return pause;
        }
        self.climb(world, now)
    }

    fn climb(&self, world: &World, now: &mut Now) -> i64 {
        let rung = world.ladder(&now.region).iter().find(|rung| !now.tried.contains(rung)).cloned();
        let Some(rung) = rung else { return self.give_up(world, now) };
        let path = format!("/referrals/{}", self.referral);
        let desk = (Party::Desk, &now.region);
        let answer = match &rung {
            Rung::Desk(to) => {
                let body = json!({ "to": to.as_str() });
                world.act(&mut now.chance, desk, "escalate", &format!("{path}/escalate"), body)
            }
            Rung::Above(to) => {
                let body = json!({ "to": to.code() });
                world.act(&mut now.chance, desk, "raise", &format!("{path}/raise"), body)
            }
        };
        // What is refused is not tried for ever.
        now.tried.push(rung);
        now.dry = 0;
        if answer.is_done() { 30 * MINUTE } else { 10 * MINUTE }
    }

    /// Another desk was asked: it takes the referral, or its own desk takes it back.
    pub(super) fn escalated(&self, world: &World, now: &mut Now, asked: &RegionId) -> i64 {
        let taken = world.regions.contains(asked) && !now.chance.happens(practice::NOT_TAKEN_PERCENT);
        let by = if taken { asked.clone() } else { now.region.clone() };
        let path = format!("/referrals/{}/take-over", self.referral);
        let what = if taken { "take-over" } else { "take-back" };
        // Who stands in for a desk that is asked may not take for it.
        let answer = world.act_itself(&mut now.chance, &by, (what, &path), json!({}));
        if !answer.is_done() {
            return HOUR;
        }
        if taken {
            // It came from there: that desk has nothing.
            now.tried.push(Rung::Desk(now.region.clone()));
            now.region = by;
            now.asked.clear();
        }
        10 * MINUTE
    }

    fn give_up(&self, world: &World, now: &mut Now) -> i64 {
        let desk = (Party::Desk, &now.region);
        let path = format!("/referrals/{}", self.referral);
        let answer = if self.urgency == "crisis" && now.chance.happens(40) {
            let body = json!({ "reason": "hospital" });
            world.act(&mut now.chance, desk, "divert", &format!("{path}/divert"), body)
        } else {
            let body = json!({ "reason": "geen plek" });
            world.act(&mut now.chance, desk, "give-up", &format!("{path}/give-up"), body)
        };
        if answer.refusal() == "ladder-not-finished" {
            // A rung that was refused, or that of another desk: from the start, in order.
            now.tried.clear();
        }
        if answer.is_done() { MINUTE } else { 2 * HOUR }
    }
}
