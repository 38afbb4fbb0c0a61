//! What stays the same from command to command of one name, as most pipelines have them.

use super::few;
use super::head::Head;
use super::quoted;
use super::shape::Step;
use super::text::{BETWEEN, room_after};
use super::writer::{KeyCapture, MOST_ARGUMENTS};

/// No, one, two and three values, with what is between commands after them.
const ENDS: [[u8; 8]; 4] = [*b";       ", *b" ?;     ", *b" ? ?;   ", *b" ? ? ?; "];

/// No beginning is longer.
const LONGEST: usize = 32;

/// For a beginning, a key that is as long, and an end.
const ROOM: usize = LONGEST + LONGEST + 8;

/// The beginning of the text of commands of one name that have a key first and then values: `HSET `.
/// They are written without a look at what is not shown.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    name: &'a [u8],
    /// The name, and a space after it.
    start: [u8; LONGEST],
    len: usize,
    /// A command of more arguments may have others than values among them, or be cut. That of a
    /// hundred is not: no key is so long.
    most: usize,
}

impl<'a> Frame<'a> {
    /// That of commands with this head, if there is one.
    pub(super) fn of(head: &Head<'a>, keys: KeyCapture) -> Option<Self> {
        let name = head.given();
        let most = most(head).filter(|_| keys == KeyCapture::Shown)?;
        let (mut start, len) = ([b' '; LONGEST], name.len() + 1);
        if len >= LONGEST {
            return None;
        }
        start.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            name,
            start,
            len,
            most,
        })
    }

    /// Writes commands of its name, and what is between commands after each. Ends with one that it does
    /// not fit, whose name has been taken, or for which there is no room.
    #[inline(never)]
    pub(super) fn write_all<C>(
        &self,
        out: &mut Vec<u8>,
        commands: &mut impl Iterator<Item = C>,
    ) -> Option<C>
    where
        C: ExactSizeIterator<Item = &'a [u8]>,
    {
        // Of a length that is known, so that little is to be checked, and written at once.
        let (mut block, mut end) = ([0; 256], 0);
        let mut left = room_after(out.len());
        let mut other = None;
        for mut command in commands {
            command.next();
            let arguments = command.len();
            if !(1..=self.most).contains(&arguments) || left.is_none_or(|left| end > left) {
                other = Some(command);
                break;
            }
            let Some(key) = command.next() else {
                continue;
            };
            let room = block.get_mut(end..);
            match room.and_then(|room| self.write(room, key, arguments - 1)) {
                Some(len) => end += len,
                None => {
                    out.extend_from_slice(block.get(..end).unwrap_or_default());
                    self.write_long(out, key, arguments - 1);
                    (left, end) = (room_after(out.len()), 0);
                }
            }
        }
        out.extend_from_slice(block.get(..end).unwrap_or_default());
        other
    }

    /// Writes a command whose key is neither very short nor long, with few values, and tells how long
    /// it is.
    #[inline]
    fn write(&self, room: &mut [u8], key: &[u8], values: usize) -> Option<usize> {
        let room: &mut [u8; ROOM] = room.first_chunk_mut()?;
        let end = ENDS.get(values)?;
        *room.first_chunk_mut()? = self.start;
        // The compiler knows by this that there is room.
        let start = self.len % LONGEST;
        match key.len() {
            4..=7 => place::<4>(room, start, key, end)?,
            8..=16 => place::<8>(room, start, key, end)?,
            17..=LONGEST => place::<16>(room, start, key, end)?,
            _ => return None,
        }
        Some(start + key.len() + 2 * values + BETWEEN.len())
    }

    #[inline(never)]
    fn write_long(&self, out: &mut Vec<u8>, key: &[u8], values: usize) {
        out.extend_from_slice(self.name);
        out.push(b' ');
        quoted::write(out, key);
        for _ in 0..values {
            out.extend_from_slice(b" ?");
        }
        out.extend_from_slice(BETWEEN);
    }
}

/// Copies a key that is a plain word, and what comes after it, by its beginning and its end: copies
/// of known length take no call.
#[inline]
fn place<const LEN: usize>(
    room: &mut [u8; ROOM],
    start: usize,
    key: &[u8],
    after: &[u8; 8],
) -> Option<()> {
    let (first, last) = few::ends::<LEN>(key).filter(|_| quoted::is_plain(key))?;
    let end = start + key.len();
    *room.get_mut(start..)?.first_chunk_mut()? = *first;
    *room.get_mut(end - LEN..)?.first_chunk_mut()? = *last;
    *room.get_mut(end..)?.first_chunk_mut()? = *after;
    Some(())
}

/// How many arguments a command may have at most, to be a key and values, where it has a key first.
fn most(head: &Head<'_>) -> Option<usize> {
    match head.command()?.steps {
        [Step::Repeated([Step::Key])] => Some(1),
        [Step::Key | Step::Field, others @ ..] => {
            let is_value = |step: &&Step| matches!(step, Step::Value);
            let values = others.iter().take_while(is_value).count();
            Some(match values == others.len() {
                true => MOST_ARGUMENTS,
                false => 1 + values,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::pipeline_text;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn commands_of_one_name_are_written_as_any_are(
            name in "SET|GET|set|DEL|SETEX|INCR|MSET|HGET|NO.SUCH|",
            others in vec(vec(prop_oneof!["[a-z:?]{0,9}", "[a-z:]{0,40}", ".{0,30}", "k{120,130}"], 0..7), 0..50),
        ) {
            let commands = || others.iter().map(|others| {
                let others = others.iter().map(String::as_str);
                let all: Vec<_> = std::iter::once(name.as_str()).chain(others).collect();
                all.into_iter().map(str::as_bytes)
            });
            for keys in [KeyCapture::Shown, KeyCapture::Hidden] {
                let head = Head::of([name.as_bytes()].into_iter());
                let text = head.pipeline_text(true, commands(), keys);
                prop_assert_eq!(text, pipeline_text(commands(), keys));
            }
        }
    }
}
