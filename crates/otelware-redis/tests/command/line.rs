//! A command as it is entered in redis-cli.

use std::iter::Peekable;
use std::str::Chars;

/// The arguments of the line: words, or quoted with escapes.
pub(crate) fn arguments(line: &str) -> Vec<Vec<u8>> {
    let mut rest = line.chars().peekable();
    let mut arguments = Vec::new();
    loop {
        while rest.next_if(|character| *character == ' ').is_some() {}
        match rest.peek() {
            None => return arguments,
            Some('"') => arguments.push(quoted(&mut rest)),
            Some(_) => {
                let mut word = String::new();
                while let Some(character) = rest.next_if(|character| *character != ' ') {
                    word.push(character);
                }
                arguments.push(word.into_bytes());
            }
        }
    }
}

/// The arguments, as the functions under test take them.
pub(crate) fn slices(arguments: &[Vec<u8>]) -> impl ExactSizeIterator<Item = &[u8]> {
    arguments.iter().map(Vec::as_slice)
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Vec<u8> {
    rest.next();
    let mut bytes = Vec::new();
    loop {
        match rest.next().expect("the quote has an end") {
            '"' => return bytes,
            '\\' => bytes.push(escaped(rest)),
            character => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> u8 {
    match rest.next().expect("something is escaped") {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'a' => 7,
        'b' => 8,
        'x' => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).unwrap()
        }
        character => u8::try_from(character).unwrap(),
    }
}
