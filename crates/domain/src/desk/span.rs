//! A length of time as people write it: `15 min`, `2 h`, `7 d`.
//!
//! Not here: which rules have one (`rules`).

use alloc::format;
use alloc::string::String;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// Units from the largest, in microseconds.
const UNITS: [(&str, i64); 4] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000)];

/// The longest that is taken: ten years. Longer is a typing error.
const MICROS_MAX: i64 = 3_653 * 86_400_000_000;

fn text(micros: i64) -> String {
    let fits = |unit: &&(&str, i64)| micros.rem_euclid(unit.1) == 0;
    match UNITS.iter().find(fits) {
        Some((unit, length)) => format!("{} {unit}", micros.div_euclid(*length)),
        None => format!("{micros} us"),
    }
}

fn micros(text: &str) -> Option<i64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let micros = number.parse::<i64>().ok()?.checked_mul(*length)?;
    (0..=MICROS_MAX).contains(&micros).then_some(micros)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(super) fn serialize<S: Serializer>(micros: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text(*micros))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let given = String::deserialize(from)?;
    micros(&given).ok_or_else(|| {
        D::Error::custom(format!(
            "`{given}` is no length of time; write it as `90 s`, `15 min`, `2 h` or `7 d`"
        ))
    })
}

/// One for each urgency.
pub(super) mod by_urgency {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::desk::ByUrgency;

    #[derive(Serialize, Deserialize)]
    struct Span(#[serde(with = "super")] i64);

    pub(in super::super) fn serialize<S: Serializer>(all: &ByUrgency<i64>, to: S) -> Result<S::Ok, S::Error> {
        let ByUrgency { crisis, urgent, planned } = *all;
        ByUrgency { crisis: Span(crisis), urgent: Span(urgent), planned: Span(planned) }.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<ByUrgency<i64>, D::Error> {
        let ByUrgency { crisis, urgent, planned } = ByUrgency::<Span>::deserialize(from)?;
        Ok(ByUrgency { crisis: crisis.0, urgent: urgent.0, planned: planned.0 })
    }
}
