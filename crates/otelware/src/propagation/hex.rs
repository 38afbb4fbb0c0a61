//! Hexadecimal identifiers, as every propagation format writes them.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Both digits of every byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0x0f]];
        byte += 1;
    }
    pairs
};

/// Marks a byte that is no lower-case digit; no digit has this bit.
const NOT_A_DIGIT: u8 = 0x80;

/// The value of every lower-case hexadecimal digit.
const VALUES: [u8; 256] = {
    let mut values = [NOT_A_DIGIT; 256];
    let mut digit = 0;
    while digit < DIGITS.len() {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Reads exactly one byte from two lower-case digits.
pub(super) fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| VALUES[usize::from(digit)]);
    ((high | low) & NOT_A_DIGIT == 0).then_some(high << 4 | low)
}

/// Reads a trace id from 32 lower-case digits.
pub(super) fn trace_id(digits: &[u8; 32]) -> Option<u128> {
    let (high, low) = digits.as_chunks::<16>().0.split_first()?;
    let low = low.first()?;
    Some(u128::from(span_id(high)?) << 64 | u128::from(span_id(low)?))
}

/// Reads a span id from 16 lower-case digits.
pub(super) fn span_id(digits: &[u8; 16]) -> Option<u64> {
    let (high, low) = digits.as_chunks::<8>().0.split_first()?;
    let ((high, wrong_high), (low, wrong_low)) = (eight(*high), eight(*low.first()?));
    (wrong_high | wrong_low == 0).then_some(high << 32 | low)
}

/// Reads eight lower-case digits at once: every step works on all bytes of one number. The second
/// number is zero if they are such digits.
#[inline]
fn eight(digits: [u8; 8]) -> (u64, u64) {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let digits = u64::from_be_bytes(digits);
    // One in the bytes that may be letters: 0x61 to 0x66, where digits are 0x30 to 0x39.
    let letters = (digits >> 6) & each(1);
    let values = (digits & each(0x0f)) + letters * 9;
    let written = values + each(b'0') + letters * u64::from(b'a' - b'0' - 10);
    // From 10 on this reaches the uppermost bit, as letters must and digits must not.
    let from_ten = (values + each(0x80 - 10)) & each(0x80);
    let from_sixteen = values & each(0x10);
    let wrong = (written ^ digits) | (from_ten ^ letters << 7) | from_sixteen;
    let bytes = (values >> 4 & 0x00f0_00f0_00f0_00f0) | (values & 0x000f_000f_000f_000f);
    let words = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    ((words | words >> 16) & 0xffff_ffff, wrong)
}

/// Reads up to 16 lower-case digits; none at all read as zero.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() > 16 {
        return None;
    }
    let mut value = 0_u64;
    let mut seen = 0;
    // One test after the loop instead of one per digit: valid input is the common case.
    for digit in digits {
        let digit = VALUES[usize::from(*digit)];
        seen |= digit;
        value = value << 4 | u64::from(digit & 0x0f);
    }
    (seen & NOT_A_DIGIT == 0).then_some(value)
}

/// Reads a trace id written with 32 or, padded on the left with zeros, with fewer digits.
pub(super) fn short_trace_id(digits: &[u8]) -> Option<u128> {
    if digits.len() > 32 {
        return None;
    }
    let (high, low) = digits.split_at(digits.len().saturating_sub(16));
    Some(u128::from(number(high)?) << 64 | u128::from(number(low)?))
}

/// Writes `bytes` into `digits`, two digits for each byte.
pub(super) fn write(digits: &mut [u8], bytes: &[u8]) {
    let (pairs, _odd) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = PAIRS[usize::from(*byte)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_digits_are_read() {
        assert_eq!(byte(*b"0f"), Some(15));
        assert_eq!(byte(*b"0F"), None);
        assert_eq!(byte(*b"+1"), None);
        assert_eq!(span_id(b"00f067aa0ba902b7"), Some(0x00f0_67aa_0ba9_02b7));
        for position in 0..16 {
            for wrong in (0..=u8::MAX).filter(|byte| !DIGITS.contains(byte)) {
                let mut digits = *b"0123456789abcdef";
                digits[position] = wrong;
                assert_eq!(span_id(&digits), None, "{wrong} at {position}");
            }
            for (value, digit) in DIGITS.iter().enumerate() {
                let mut digits = [b'0'; 16];
                digits[position] = *digit;
                assert_eq!(
                    span_id(&digits),
                    Some((value as u64) << (60 - 4 * position))
                );
            }
        }
        assert_eq!(number(b"00f067aa0ba902b7"), Some(0x00f0_67aa_0ba9_02b7));
        assert_eq!(number(b"00f067aa0ba902bG"), None);
        assert_eq!(number(b"00f067aa0ba902b70"), None);
    }

    #[test]
    fn short_identifiers_are_padded_on_the_left() {
        assert_eq!(short_trace_id(b"1"), Some(1));
        assert_eq!(short_trace_id(b"10000000000000000"), Some(1 << 64));
        assert_eq!(short_trace_id(&[b'0'; 33]), None);
    }

    #[test]
    fn bytes_are_written_as_two_digits_each() {
        let mut digits = [b'.'; 6];
        write(&mut digits, &[0x0a, 0xff, 0x10]);
        assert_eq!(&digits, b"0aff10");
    }
}
