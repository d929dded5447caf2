//! What is counted in parts is the whole, and what several views say of the same is the same.
//!
//! Not here: when it is looked at (`check`).

use std::collections::{BTreeMap, BTreeSet};

use domain::availability::{Basis, CareCode, Counts, CountsAs, Taken};
use domain::desk::State;
use domain::{BedRef, Fact, LocationId, ReferralId, RegionId, StayId};
use views::{Flow, Unmet};

/// What the events say by themselves, counted one by one.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Stays that began and did not end.
    here: BTreeSet<StayId>,
    came: u64,
    left: u64,
    /// Referrals, and how often each ended.
    pub(super) ends: BTreeMap<ReferralId, u64>,
    /// Demand that was not met, by its code.
    unmet: BTreeMap<&'static str, u64>,
}

impl Told {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other facts are counted nowhere here")]
    pub(super) fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::ReferralMade(profile) => {
                self.ends.entry(profile.referral).or_default();
            }
            Fact::StayAdmitted { stay, .. } => {
                self.here.insert(*stay);
                self.came += 1;
            }
            Fact::StayDischarged { stay, .. } => {
                self.here.remove(stay);
                self.left += 1;
            }
            Fact::ReferralExpiredUnplaced { .. } => *self.unmet.entry("expired").or_default() += 1,
            Fact::ReferralDiverted { .. } => *self.unmet.entry("diverted").or_default() += 1,
            Fact::ReferralEscalated { .. } => *self.unmet.entry("escalated").or_default() += 1,
            Fact::ReferralRaised { .. } => *self.unmet.entry("raised").or_default() += 1,
            _ => {}
        }
        if let Some(referral) = end_of(fact) {
            *self.ends.entry(referral).or_default() += 1;
        }
    }
}

/// The referral that ends with this.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other facts end no referral")]
pub(super) fn end_of(fact: &Fact) -> Option<ReferralId> {
    match fact {
        Fact::StayAdmitted { referral, .. } => *referral,
        Fact::ReferralWithdrawn { referral, .. }
        | Fact::ReferralDiverted { referral, .. }
        | Fact::ReferralExpiredUnplaced { referral, .. } => Some(*referral),
        _ => None,
    }
}

/// What does not add up.
pub(super) fn wrong(state: &State, flow: &Flow, unmet: &Unmet, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    rows(state, &mut wrong);
    stays(state, told, &mut wrong);
    holds(state, &mut wrong);
    flows(flow, told, &mut wrong);
    let counted = unmet.by(|key| Some(key.kind.code()));
    if counted != told.unmet {
        wrong.push(format!("unmet demand counts {counted:?} of {:?}", told.unmet));
    }
    let open = state.referrals.values().filter(|referral| referral.end.is_none()).count();
    let not_ended = told.ends.values().filter(|ends| **ends == 0).count();
    if open != not_ended {
        wrong.push(format!("the desks have {open} open referrals, {not_ended} did not end"));
    }
    wrong
}

/// Each row is the sum of its parts and of its beds, each region that of its rows.
fn rows(state: &State, wrong: &mut Vec<String>) {
    let mut of_regions: BTreeMap<RegionId, Counts> = BTreeMap::new();
    let mut of_beds: BTreeMap<LocationId, BTreeMap<CareCode, [u32; 7]>> = BTreeMap::new();
    for row in state.board.rows() {
        let counts = row.counts();
        let parts = parts(&counts);
        if row.basis == Basis::Beds {
            let beds = of_beds
                .entry(row.location.clone())
                .or_insert_with(|| beds(state, &row.location))
                .get(&row.care_type)
                .copied()
                .unwrap_or_default();
            if counts.physical != parts.iter().sum::<u32>() || parts != beds {
                let named = format!("{} {}", row.location, row.care_type.as_str());
                wrong.push(format!("{named} is {} of {parts:?}, its beds are {beds:?}", counts.physical));
            }
        }
        let region = of_regions.entry(row.region).or_default();
        *region = region.plus(&counts);
    }
    for (region, rows) in &of_regions {
        let sums = state.board.sums(region);
        let sum = sums.iter().fold(Counts::default(), |sum, of_type| sum.plus(&of_type.counts));
        if sum != *rows {
            wrong.push(format!("the sums of {region} are not those of its rows"));
        }
    }
}

fn parts(counts: &Counts) -> [u32; 7] {
    let Counts { occupied, held, not_ready, closed, unstaffed, reserve, offerable, .. } = *counts;
    [occupied, held, not_ready, closed, unstaffed, reserve, offerable]
}

/// The beds of a location one by one.
fn beds(state: &State, location: &LocationId) -> BTreeMap<CareCode, [u32; 7]> {
    let mut counted: BTreeMap<CareCode, [u32; 7]> = BTreeMap::new();
    for bed in state.board.beds(location) {
        let part = match bed.counts_as {
            CountsAs::Occupied(_) => 0,
            CountsAs::Held => 1,
            CountsAs::NotReady => 2,
            CountsAs::Closed => 3,
            CountsAs::Unstaffed => 4,
            CountsAs::Reserve => 5,
            CountsAs::Offerable => 6,
        };
        if let Some(count) = counted.entry(bed.care_type).or_default().get_mut(part) {
            *count += 1;
        }
    }
    counted
}

/// Who is in a bed came and did not leave, and is in no other.
fn stays(state: &State, told: &Told, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for location in state.locations.keys() {
        for taken in state.board.taken_beds(location) {
            let Taken::By(stay) = taken else { continue };
            if !told.here.contains(&stay) {
                wrong.push(format!("{stay} is in a bed of {location} and left, or never came"));
            }
            if !seen.insert(stay) {
                wrong.push(format!("{stay} is in two beds, one of them of {location}"));
            }
        }
    }
    let open = state.stays.values().filter(|stay| stay.closed_at.is_none()).count();
    if open != told.here.len() {
        wrong.push(format!("the desks have {open} open stays of {}", told.here.len()));
    }
    if told.came != told.left + u64::try_from(told.here.len()).unwrap() {
        wrong.push(format!("{} came, {} left and {} are here", told.came, told.left, told.here.len()));
    }
}

/// What the desk keeps for a referral is kept on the board, and nothing else is.
fn holds(state: &State, wrong: &mut Vec<String>) {
    let mut kept = 0;
    for referral in state.referrals.values() {
        for hold in &referral.holds {
            let Some(bed) = hold.place.bed.clone() else { continue };
            let bed = BedRef { location: hold.place.location.clone(), bed };
            let taken = state.board.bed_state(&bed).map(|state| state.taken);
            kept += 1;
            if taken != Some(Taken::For(referral.profile.referral)) {
                let named = format!("{}/{}", bed.location, bed.bed);
                wrong.push(format!(
                    "{named} is kept by the desk for {}, on the board {taken:?}",
                    referral.profile.referral
                ));
            }
        }
    }
    let taken = state.locations.keys().flat_map(|location| state.board.taken_beds(location));
    let on_board = taken.filter(|taken| matches!(taken, Taken::For(_))).count();
    if on_board != kept {
        wrong.push(format!("{on_board} beds are held on the board, the desks keep {kept}"));
    }
}

/// The flow of the regions and that of the care types are the whole.
fn flows(flow: &Flow, told: &Told, wrong: &mut Vec<String>) {
    let by_region = flow.by(|_, row| Some(row.region.clone()));
    let by_care = flow.by(|_, row| Some(row.care_type));
    let sum = |of: &mut dyn Iterator<Item = &views::Cell>| {
        of.fold((0, 0), |(came, left), cell| {
            let summary = cell.summary();
            (came + summary.admitted, left + summary.discharged)
        })
    };
    let (regions, cares) = (sum(&mut by_region.values()), sum(&mut by_care.values()));
    if regions != (told.came, told.left) || cares != regions {
        wrong.push(format!(
            "the flow counts {regions:?} by region and {cares:?} by care type, {} came and {} left",
            told.came, told.left
        ));
    }
}
