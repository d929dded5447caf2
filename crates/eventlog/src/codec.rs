//! Integers and strings as bytes: little-endian, LEB128 varints, and a checked way to take them apart.
//!
//! Not here: what the bytes mean (`frame`, `segment`, `index`).

/// A length in memory as a length on disk.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A length on disk as a length in memory; what does not fit becomes a length no buffer has.
pub(crate) fn narrow(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// A count that is known to be small; saturates where it is not.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// A difference of two times: near zero is short, on either side. Wraps, so that every pair has one.
pub(crate) fn put_difference(out: &mut Vec<u8>, value: i64, base: i64) {
    let difference = value.wrapping_sub(base);
    put_varint(out, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, wide(text.len()));
    out.extend_from_slice(text.as_bytes());
}

/// Bytes being taken apart from the front. `None` says they ended early or do not parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.checked_shl(shift)?;
            if placed >> shift != bits {
                return None;
            }
            value |= placed;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn difference(&mut self, base: i64) -> Option<i64> {
        let zigzag = self.varint()?;
        let difference = (zigzag >> 1).cast_signed() ^ (zigzag & 1).cast_signed().wrapping_neg();
        Some(base.wrapping_add(difference))
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.varint()?;
        std::str::from_utf8(self.bytes(narrow(length))?).ok()
    }
}

/// Bytes as digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// Copies `value` into `out` at `at`, as far as there is room (the callers make the room).
pub(crate) fn put_at(out: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = out.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}

/// A 64-bit hash for indexes: eight bytes at a time are multiplied in, and the finish is that of `MurmurHash3`. Index
/// files hold it. It is no defence; whatever it finds is checked against the record.
pub(crate) fn hash64(seed: u8, bytes: &[u8]) -> u64 {
    let mut hash = wide(bytes.len()).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(seed);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    put_at(&mut last, 0, rest);
    for word in words.iter().chain(std::iter::once(&last)) {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_differences_come_back(value: u64, time: i64, base: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            put_difference(&mut out, time, base);
            let mut input = Input(&out);
            prop_assert_eq!(input.varint(), Some(value));
            prop_assert_eq!(input.difference(base), Some(time));
            prop_assert!(input.0.is_empty());
        }

        #[test]
        fn no_bytes_make_the_input_panic(bytes: Vec<u8>) {
            let mut input = Input(&bytes);
            while input.varint().is_some() && input.text().is_some() {}
        }
    }
}
