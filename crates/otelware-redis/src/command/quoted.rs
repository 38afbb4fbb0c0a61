//! Keys as redis-cli writes them.

use std::io::Write;

/// No more of a key is shown, in bytes.
const LONGEST: usize = 128;

/// Writes a key: as it is where it is a word, else in quotes with escapes; cut to 128 bytes and
/// then with `…`.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, key: &[u8]) {
    let start = out.len();
    // Most keys are words of ASCII, and shown as they are: those are looked at while they are
    // written.
    if key.len() <= LONGEST {
        let mut marks = 0;
        out.extend(key.iter().map(|byte| {
            marks |= NO_WORDS[usize::from(*byte)];
            *byte
        }));
        if marks == 0 && !key.is_empty() && key != b"?" {
            return;
        }
        out.truncate(start);
    }
    write_any(out, key);
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

/// 1 for the bytes that are no characters of a word, or not by themselves.
static NO_WORDS: [u8; 256] = {
    let mut marks = [1; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let is_plain = byte.is_ascii_graphic() && byte != b'"' && byte != b'\'';
        marks[byte as usize] = !is_plain as u8;
        byte += 1;
    }
    marks
};

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
