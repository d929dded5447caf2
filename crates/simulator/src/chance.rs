//! Chance with a seed: the same name under the same seed decides the same, whatever happens in between.
//!
//! Not here: how likely what is (`practice`).

use std::time::Duration;

use domain::Timestamp;
use uuid::Uuid;

/// A minute, in microseconds.
pub(crate) const MINUTE: i64 = 60_000_000;
/// An hour, in microseconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// A day, in microseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// Decides what is not certain.
#[derive(Debug)]
pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    /// What is decided for this name. FNV-1a spreads names that are alike.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(fastrand::Rng::with_seed(hash))
    }

    /// So many times in a hundred.
    pub(crate) fn happens(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// A time from `low` to `high`, in microseconds, each as likely.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if low >= high { low } else { self.0.i64(low..high) }
    }

    /// A number below `count`, or 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.0.usize(0..count) }
    }

    /// A waiting time with this mean, in minutes, as between arrivals that know nothing of each other.
    pub(crate) fn exponential(&mut self, mean_minutes: f64) -> i64 {
        micros(-(1.0 - self.0.f64()).ln() * mean_minutes)
    }

    /// A skewed time with this median and mean, in minutes: most are short, some are very long.
    pub(crate) fn lognormal(&mut self, median_minutes: f64, mean_minutes: f64) -> i64 {
        let spread = (2.0 * (mean_minutes / median_minutes).ln()).max(0.0).sqrt();
        let normal = (-2.0 * (1.0 - self.0.f64()).ln()).sqrt() * (std::f64::consts::TAU * self.0.f64()).cos();
        micros(median_minutes * (spread * normal).exp())
    }

    /// One of these, each as likely as its weight says.
    pub(crate) fn pick<T: Copy>(&mut self, weighted: &[(u32, T)], otherwise: T) -> T {
        let mut left = self.0.u32(0..weighted.iter().map(|(weight, _)| *weight).sum::<u32>().max(1));
        for (weight, value) in weighted {
            if left < *weight {
                return *value;
            }
            left -= *weight;
        }
        otherwise
    }

    /// A UUIDv7 of this moment.
    pub(crate) fn id(&mut self, at: Timestamp) -> String {
        let millis = u128::try_from(at.as_micros().div_euclid(1_000)).unwrap_or(0) & 0xffff_ffff_ffff;
        let (early, late) = (u128::from(self.0.u16(0..0x1000)), u128::from(self.0.u64(0..(1 << 62))));
        Uuid::from_u128((millis << 80) | (0x7 << 76) | (early << 64) | (0b10 << 62) | late).to_string()
    }
}

fn micros(minutes: f64) -> i64 {
    let time = Duration::try_from_secs_f64(minutes.clamp(0.0, 525_600.0) * 60.0).unwrap_or_default();
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_under_the_same_seed_decides_the_same() {
        let drawn = |seed, name| {
            let mut chance = Chance::of(seed, name);
            (chance.exponential(10.0), chance.lognormal(25.0, 32.0), chance.id(Timestamp::from_micros(DAY)))
        };
        assert_eq!(drawn(1, "zk23"), drawn(1, "zk23"));
        assert_ne!(drawn(1, "zk23"), drawn(2, "zk23"));
        assert_ne!(drawn(1, "zk23"), drawn(1, "zk24"));
        let id: Uuid = drawn(1, "zk23").2.parse().unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
    }

    #[test]
    fn times_have_the_median_and_the_mean_that_are_asked_for() {
        let mut chance = Chance::of(7, "stays");
        let mut drawn: Vec<i64> = (0..20_000).map(|_| chance.lognormal(25.0, 32.0)).collect();
        drawn.sort_unstable();
        let (mean, median) = (drawn.iter().sum::<i64>() / 20_000, drawn[10_000]);
        assert!((31 * MINUTE..33 * MINUTE).contains(&mean), "{mean}");
        assert!((24 * MINUTE..26 * MINUTE).contains(&median), "{median}");
        let mean = (0..20_000).map(|_| chance.exponential(10.0)).sum::<i64>() / 20_000;
        assert!((9 * MINUTE..11 * MINUTE).contains(&mean), "{mean}");
    }
}
