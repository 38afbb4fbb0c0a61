//! Commands as they are sent, in RESP: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.

/// The commands in these bytes, in their order; what is malformed or cut off ends them.
///
/// Nothing is copied.
#[inline]
pub fn decode(bytes: &[u8]) -> Commands<'_> {
    Commands { rest: bytes }
}

/// An iterator over commands; see [`decode`].
#[derive(Clone, Debug)]
pub struct Commands<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Commands<'a> {
    type Item = Arguments<'a>;

    #[inline]
    fn next(&mut self) -> Option<Arguments<'a>> {
        let found = command(self.rest);
        self.rest = found.as_ref().map_or(&[], |(_, rest)| rest);
        found.map(|(arguments, _)| arguments)
    }
}

/// The command at the beginning, all of whose arguments are there, and what comes after it.
fn command(bytes: &[u8]) -> Option<(Arguments<'_>, &[u8])> {
    let (count, start) = number(bytes, b'*')?;
    let mut rest = start;
    for _ in 0..count {
        (_, rest) = argument(rest)?;
    }
    let arguments = Arguments {
        rest: start,
        left: count,
    };
    Some((arguments, rest))
}

/// An iterator over the arguments of a command, its name first; see [`decode`].
#[derive(Clone, Debug)]
pub struct Arguments<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (found, rest) = argument(self.rest)?;
        self.rest = rest;
        Some(found)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Arguments<'_> {}

/// The argument at the beginning, and what comes after it.
#[inline]
fn argument(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = number(bytes, b'$')?;
    let (found, rest) = rest.split_at_checked(len)?;
    Some((found, rest.strip_prefix(b"\r\n")?))
}

/// The number in the line that begins with `mark`, and what comes after the line.
#[inline]
fn number(bytes: &[u8], mark: u8) -> Option<(usize, &[u8])> {
    match bytes {
        // Most have one digit, or two.
        [first, digit @ b'0'..=b'9', b'\r', b'\n', rest @ ..] if *first == mark => {
            Some((usize::from(digit - b'0'), rest))
        }
        [
            first,
            ten @ b'0'..=b'9',
            one @ b'0'..=b'9',
            b'\r',
            b'\n',
            rest @ ..,
        ] if *first == mark => Some((usize::from((ten - b'0') * 10 + (one - b'0')), rest)),
        _ => any_number(bytes, mark),
    }
}

fn any_number(bytes: &[u8], mark: u8) -> Option<(usize, &[u8])> {
    let mut rest = bytes.strip_prefix(&[mark])?;
    let mut found: Option<usize> = None;
    while let [digit @ b'0'..=b'9', others @ ..] = rest {
        let digit = usize::from(digit - b'0');
        found = Some(found.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
        rest = others;
    }
    Some((found?, rest.strip_prefix(b"\r\n")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
        decode(bytes).map(Iterator::collect).collect()
    }

    #[test]
    fn commands_follow_each_other() {
        assert_eq!(
            all(b"*1\r\n$4\r\nPING\r\n*0\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n"),
            [vec![&b"PING"[..]], vec![], vec![b"GET", b""]]
        );
    }

    #[test]
    fn what_is_malformed_ends_the_commands() {
        let ping = &[vec![&b"PING"[..]]];
        for rest in [
            "",
            "*",
            "*1",
            "*1\r",
            "*1\r\n",
            "*-1\r\n",
            "*+1\r\n$1\r\nx\r\n",
            "*1\r\n$-1\r\n",
            "*1\r\n$4\r\nPIN",
            "*1\r\n$4\r\nPING",
            "*1\r\n$4\r\nPING\n",
            "*1\r\n$3\r\nPING\r\n",
            "*2\r\n$4\r\nPING\r\n",
            "*18446744073709551616\r\n",
            "*18446744073709551615\r\n$1\r\nx\r\n",
            "*1\r\n$18446744073709551615\r\nx\r\n",
            "PING\r\n",
        ] {
            let bytes = format!("*1\r\n$4\r\nPING\r\n{rest}");
            assert_eq!(all(bytes.as_bytes()), ping, "{rest:?}");
        }
    }
}
