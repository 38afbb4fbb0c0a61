//! Few bytes: to compare and to copy them takes neither a loop nor a call, if it is known how many they
//! are at least and at most.

/// The beginning and the end, which are all of it if they meet.
#[inline]
pub(super) fn ends<const LEN: usize>(bytes: &[u8]) -> Option<(&[u8; LEN], &[u8; LEN])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
}

/// Whether names are the same, most of which are short.
#[inline]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && match one.len() {
            4..=8 => ends::<4>(one) == ends(other),
            2 | 3 => ends::<2>(one) == ends(other),
            _ => one == other,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_if_all_their_bytes_are() {
        let bytes: Vec<u8> = (1..=40).collect();
        for len in 0..=bytes.len() {
            let name = &bytes[..len];
            let mut other = name.to_vec();
            assert!(is_same(name, &other));
            assert!(len == 0 || !is_same(&other[1..], name));
            for changed in 0..len {
                other[changed] ^= 0x20;
                assert!(!is_same(name, &other), "{changed} of {len}");
                other[changed] ^= 0x20;
            }
        }
    }
}
