//! How much of what one sender gets wrong is kept with its bytes. Pure.
//!
//! A sender that sends nothing but rubbish must not fill the log: so many refusals a minute are kept whole, further
//! ones are counted, and the counts are kept. Not here: the records (`keep`).

use std::cmp::Ordering;
use std::collections::HashMap;

use domain::RegionId;
use network::SenderName;

/// Refusals of one sender in a minute that are kept with their bytes: enough to see what is wrong, and that one or two
/// whole requests are kept as they are; 64 MiB at the most.
pub const KEPT_PER_MINUTE_MAX: u32 = 1_024;
/// The minute, in microseconds.
const MINUTE: i64 = 60 * 1_000_000;

/// Whose quota it is. Those that the network does not know share one in each region.
pub(crate) type Sender = (RegionId, Option<SenderName>);

/// How something refused is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// With its bytes.
    Whole,
    /// As a number, and it is the first of this minute: somebody should hear of it.
    CountedFromNow,
    /// As a number.
    Counted,
}

/// What each sender has used up of its quota. As many as the network has sources, and one a region.
#[derive(Debug, Default)]
pub(crate) struct Quotas(HashMap<Sender, Used>);

#[derive(Debug)]
struct Used {
    began: i64,
    refused: u32,
}

impl Quotas {
    /// Notes a refusal at this moment (microseconds), and says whether it is kept with its bytes.
    pub(crate) fn note(&mut self, sender: &Sender, now: i64) -> Kept {
        if !self.0.contains_key(sender) {
            self.0.insert(sender.clone(), Used { began: now, refused: 0 });
        }
        let Some(used) = self.0.get_mut(sender) else { return Kept::Whole };
        // A clock that was set back begins anew too.
        if !(0..MINUTE).contains(&now.saturating_sub(used.began)) {
            *used = Used { began: now, refused: 0 };
        }
        used.refused = used.refused.saturating_add(1);
        match used.refused.cmp(&KEPT_PER_MINUTE_MAX.saturating_add(1)) {
            Ordering::Less => Kept::Whole,
            Ordering::Equal => Kept::CountedFromNow,
            Ordering::Greater => Kept::Counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sender_has_its_own_quota_and_a_new_one_each_minute() {
        let mut quotas = Quotas::default();
        let [flood, calm] = ["flood", "calm"]
            .map(|name| ("zk01".parse::<RegionId>().unwrap(), Some(name.parse::<SenderName>().unwrap())));
        let whole = |quotas: &mut Quotas, now| {
            let notes: Vec<Kept> = (0..3_000).map(|_| quotas.note(&flood, now)).collect();
            assert!(notes.iter().filter(|note| **note == Kept::CountedFromNow).count() <= 1);
            notes.iter().filter(|note| **note == Kept::Whole).count()
        };
        let cap = usize::try_from(KEPT_PER_MINUTE_MAX).unwrap();
        assert_eq!(whole(&mut quotas, 7), cap);
        assert_eq!(whole(&mut quotas, 6 + MINUTE), 0);
        assert_eq!(quotas.note(&calm, 8), Kept::Whole);
        assert_eq!(whole(&mut quotas, 7 + MINUTE), cap);
        assert_eq!(whole(&mut quotas, 0), cap, "the clock was set back");
    }
}
