//! Ascending numbers as few bytes: gaps and runs, or a bit for each number where they are dense.
//!
//! ```text
//! gaps   varint: numbers left out × 2, and 1 if a run follows: varint: how many more are next to it
//! bits   bit n % 8 of byte n / 8
//! ```
//! Not here: which record has which term (`memory`), where the bytes are (`index`).

use std::ops::Range;

use crate::codec::{Input, narrow, put_varint, small, wide};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Gaps,
    Bits,
}

/// Writes numbers, which ascend, in the form that takes fewer bytes.
pub(crate) fn encode(numbers: &[u32], out: &mut Vec<u8>) -> Form {
    let start = out.len();
    let (mut next, mut rest) = (0_u32, numbers);
    while let Some((first, others)) = rest.split_first() {
        let after =
            (1_u32..).zip(others).take_while(|(step, number)| first.checked_add(*step) == Some(**number));
        let run = after.count();
        put_varint(out, u64::from(first.saturating_sub(next)) << 1 | u64::from(run > 0));
        if run > 0 {
            put_varint(out, wide(run));
        }
        next = first.saturating_add(small(run)).saturating_add(1);
        rest = others.get(run..).unwrap_or_default();
    }
    let bits = numbers.last().map_or(0, |last| narrow(u64::from(*last) / 8).saturating_add(1));
    if bits >= out.len().saturating_sub(start) {
        return Form::Gaps;
    }
    out.truncate(start);
    out.resize(start.saturating_add(bits), 0);
    for number in numbers {
        if let Some(byte) = out.get_mut(start.saturating_add(narrow(u64::from(*number) / 8))) {
            *byte |= 1 << (number % 8);
        }
    }
    Form::Bits
}

/// The numbers of `range` among those written; `None` if the bytes are no list.
pub(crate) fn decode(form: Form, bytes: &[u8], range: &Range<u32>) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    match form {
        Form::Bits => {
            let from = narrow(u64::from(range.start) / 8);
            for (place, byte) in (0_u32..).zip(bytes).skip(from).filter(|(_, byte)| **byte != 0) {
                let numbers = (0..8_u32).filter(|bit| byte & (1 << bit) != 0);
                let numbers = numbers.map(|bit| place.saturating_mul(8).saturating_add(bit));
                found.extend(numbers.filter(|number| range.contains(number)));
            }
        }
        Form::Gaps => {
            let (mut input, mut next) = (Input(bytes), 0_u32);
            while !input.0.is_empty() && next < range.end {
                let gap = input.varint()?;
                let first = next.checked_add(u32::try_from(gap >> 1).ok()?)?;
                let run = if gap & 1 == 1 { u32::try_from(input.varint()?).ok()? } else { 0 };
                next = first.checked_add(run)?.checked_add(1)?;
                found.extend(first.max(range.start)..next.min(range.end));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_set, prelude::*};

    proptest! {
        #[test]
        fn every_list_comes_back_whole_and_in_part(
            few in btree_set(0..1_000_000_u32, 0..40),
            many in btree_set(0..600_u32, 0..600),
            from in 0..700_u32,
            length in 0..700_u32,
        ) {
            for numbers in [few, many] {
                let numbers = numbers.into_iter().collect::<Vec<_>>();
                let mut bytes = vec![7];
                let form = encode(&numbers, &mut bytes);
                prop_assert_eq!(decode(form, &bytes[1..], &(0..u32::MAX)).unwrap(), &*numbers);
                let range = from..from + length;
                let part = numbers.iter().copied().filter(|number| range.contains(number)).collect::<Vec<_>>();
                prop_assert_eq!(decode(form, &bytes[1..], &range).unwrap(), part);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _found = decode(Form::Bits, &bytes, &(3..9));
            let _found = decode(Form::Gaps, &bytes, &(0..1_000));
        }
    }

    #[test]
    fn neighbours_and_dense_lists_are_short() {
        let size = |numbers: &[u32]| {
            let mut bytes = Vec::new();
            encode(numbers, &mut bytes);
            bytes.len()
        };
        assert_eq!(size(&(170_000..170_010).collect::<Vec<_>>()), 4);
        assert_eq!(size(&(0..180_000).step_by(3).collect::<Vec<_>>()), 22_500);
    }
}
