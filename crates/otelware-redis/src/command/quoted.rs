//! Keys as redis-cli writes them.

use super::few;
use std::io::Write;

/// No more of a key is shown, in bytes.
const LONGEST: usize = 128;

/// Writes a key: as it is where it is a word, else in quotes with escapes; cut to 128 bytes and
/// then with `…`.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, key: &[u8]) {
    if key.len() <= LONGEST && is_plain(key) {
        out.extend_from_slice(key);
    } else {
        write_any(out, key);
    }
}

fn write_any(out: &mut Vec<u8>, key: &[u8]) {
    let (shown, cut) = beginning(key);
    match std::str::from_utf8(shown) {
        Ok(word) if is_word(word) => out.extend_from_slice(shown),
        _ => quote(out, shown),
    }
    if cut {
        out.extend_from_slice("…".as_bytes());
    }
}

/// Whether it is a word of plain bytes, as most keys are.
#[inline]
pub(super) fn is_plain(key: &[u8]) -> bool {
    let number = |eight: &[u8; 8]| u64::from_le_bytes(*eight);
    let strange = match key.len() {
        0..=3 => return is_plain_few(key),
        4..=7 => few::ends::<4>(key).map(|(first, last)| {
            let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
            strange(first | last << 32)
        }),
        8..=16 => {
            few::ends(key).map(|(first, last)| strange(number(first)) | strange(number(last)))
        }
        _ => return is_plain_long(key),
    };
    strange == Some(0)
}

#[inline(never)]
fn is_plain_few(key: &[u8]) -> bool {
    let is_plain = |byte: &u8| (b'('..=b'~').contains(byte);
    key.iter().all(is_plain) && !matches!(key, [] | [b'?'])
}

#[inline(never)]
fn is_plain_long(key: &[u8]) -> bool {
    let (eights, _) = key.as_chunks();
    let all = eights.iter().chain(key.last_chunk());
    all.fold(0, |found, eight| {
        found | strange(u64::from_le_bytes(*eight))
    }) == 0
}

/// Not 0 if one of eight bytes is not plain: ASCII from `(` to `~`, which most keys are made of, and
/// which two additions tell from all else for eight bytes at once.
#[inline]
fn strange(eight: u64) -> u64 {
    let each = |byte| u64::from_le_bytes([byte; 8]);
    // The highest bit of each byte. Where one of them is not ASCII, what is carried matters no more.
    let is_high = eight.wrapping_add(each(0x80 - (b'~' + 1)));
    let is_not_low = eight.wrapping_add(each(0x80 - b'('));
    (eight | is_high | !is_not_low) & each(0x80)
}

/// What is shown of a key, and whether that is not all. Characters are not cut in two.
fn beginning(key: &[u8]) -> (&[u8], bool) {
    let Some(shown) = key.get(..LONGEST).filter(|shown| shown.len() < key.len()) else {
        return (key, false);
    };
    // A continuation byte where the key is cut: the character began at most three bytes before.
    let is_inside = |end: &usize| key.get(*end).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (LONGEST - 3..=LONGEST).rev().find(|end| !is_inside(end));
    (key.get(..end.unwrap_or(LONGEST)).unwrap_or(shown), true)
}

/// Whether nothing in it would be taken for something else.
fn is_word(text: &str) -> bool {
    let is_plain = |character: char| {
        !character.is_control() && !character.is_whitespace() && !matches!(character, '"' | '\'')
    };
    !text.is_empty() && text != "?" && text.chars().all(is_plain)
}

fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            match character {
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\u{7}' => out.extend_from_slice(b"\\a"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '"' | '\\' => {
                    out.push(b'\\');
                    out.extend_from_slice(bytes);
                }
                _ if character.is_control() => escape(out, bytes),
                _ => out.extend_from_slice(bytes),
            }
        }
        escape(out, chunk.invalid());
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        // Writing to memory does not fail.
        write!(out, "\\x{byte:02x}").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(key: &[u8]) -> String {
        let mut out = Vec::new();
        write(&mut out, key);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_are_left_as_they_are() {
        for key in ["user:1", "{user}:1", "größe", "a\\b", "a?", "a;b", "鍵"] {
            assert_eq!(written(key.as_bytes()), key);
        }
    }

    #[test]
    fn what_is_no_word_is_quoted() {
        let cases: [(&[u8], &str); 9] = [
            (b"", r#""""#),
            (b"?", r#""?""#),
            (b"a b", r#""a b""#),
            (b"it's", r#""it's""#),
            (b"a\"\\b", r#""a\"\\b""#),
            (b"\n\r\t\x07\x08\x00\x1b\x7f", r#""\n\r\t\a\b\x00\x1b\x7f""#),
            (b"\xff\xfe", r#""\xff\xfe""#),
            ("ä\u{85}\u{2028}".as_bytes(), "\"ä\\xc2\\x85\u{2028}\""),
            (b"\xc3\xa4\xc3", "\"ä\\xc3\""),
        ];
        for (key, quoted) in cases {
            assert_eq!(written(key), quoted);
        }
    }

    #[test]
    fn what_is_plain_is_written_as_anything_is() {
        for len in 0..20 {
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut key = vec![b'k'; len];
                    key[place] = byte;
                    let mut expected = Vec::new();
                    write_any(&mut expected, &key);
                    assert_eq!(written(&key).as_bytes(), expected);
                }
            }
        }
    }

    #[test]
    fn long_keys_are_cut_between_characters() {
        assert_eq!(written(&[b'k'; LONGEST]), "k".repeat(LONGEST));
        assert_eq!(
            written(&[b'k'; LONGEST + 1]),
            format!("{}…", "k".repeat(LONGEST))
        );
        for shift in 0..4 {
            let start = "k".repeat(shift);
            let key = format!("{start}{}", "🔑".repeat(LONGEST));
            let whole = (LONGEST - shift) / 4;
            assert_eq!(
                written(key.as_bytes()),
                format!("{start}{}…", "🔑".repeat(whole))
            );
        }
        // No character at all.
        let cut = written(&[0x80; LONGEST + 1]);
        assert!(cut.starts_with("\"\\x80") && cut.ends_with("\"…"), "{cut}");
    }
}
