//! `db.query.text`.

use super::frame::Frame;
use super::head::Head;
use super::name::unknown;
use super::reader;
use super::writer::{CUT, KeyCapture, LONGEST, Writer};
use std::cell::Cell;

/// No text of a pipeline is longer, in bytes.
const LONGEST_PIPELINE: usize = 8_192;

/// What is between the commands of a pipeline.
pub(super) const BETWEEN: &[u8; 2] = b"; ";

thread_local! {
    /// Where texts are put together, so that each is allocated once and as long as it is.
    static DRAFT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The command as it would be entered in redis-cli, with `?` for values: `HSET user:1 name ?`.
///
/// Of a command that the table does not know, all arguments are values. At most 100 arguments and
/// 2 KiB are shown, and ` …` for the others; of a key, 128 bytes. Empty for no arguments at all.
#[inline]
pub fn text<'a>(
    mut arguments: impl ExactSizeIterator<Item = &'a [u8]>,
    keys: KeyCapture,
) -> String {
    draft(|out| {
        if let Some(given) = arguments.next() {
            Head::named(given, None).write(out, arguments, keys);
        }
    })
}

impl<'a> Head<'a> {
    /// The [`text`] of the command, which has these arguments, its name first.
    #[inline]
    pub fn text(
        &self,
        mut arguments: impl ExactSizeIterator<Item = &'a [u8]>,
        keys: KeyCapture,
    ) -> String {
        draft(|out| {
            if arguments.next().is_some() {
                self.write(out, arguments, keys);
            }
        })
    }

    /// The [`pipeline_text`] of these commands, of which this one is the first, and which may be
    /// known to have the same name all of them.
    #[inline]
    pub fn pipeline_text<C>(
        &self,
        are_equal: bool,
        commands: impl IntoIterator<Item = C>,
        keys: KeyCapture,
    ) -> String
    where
        C: ExactSizeIterator<Item = &'a [u8]>,
    {
        // What is between commands is after the last one too, until all is written.
        draft(|out| {
            let (mut head, mut commands) = (*self, commands.into_iter());
            if are_equal && let Some(frame) = Frame::of(self, keys) {
                while let Some(other) = frame.write_all(out, &mut commands) {
                    if room_after(out.len()).is_none() {
                        return cut(out);
                    }
                    head.write(out, other, keys);
                    out.extend_from_slice(BETWEEN);
                }
            }
            for mut command in commands {
                if room_after(out.len()).is_none() {
                    return cut(out);
                }
                if let Some(given) = command.next() {
                    if !head.is_named(given) {
                        head = Self::named(given, None);
                    }
                    head.write(out, command, keys);
                } else if out.is_empty() {
                    continue;
                }
                out.extend_from_slice(BETWEEN);
            }
            out.truncate(out.len().saturating_sub(BETWEEN.len()));
        })
    }

    /// Writes the command, which has these arguments after its name.
    #[inline(never)]
    fn write(
        &self,
        out: &mut Vec<u8>,
        arguments: impl ExactSizeIterator<Item = &'a [u8]>,
        keys: KeyCapture,
    ) {
        // A known name is printable and short, so it is as good as an unknown one.
        let (name, steps) = match self.command() {
            Some(command) => (self.given(), command.steps),
            None => (unknown(self.given()).as_str().as_bytes(), [].as_slice()),
        };
        let mut writer = Writer::new(out, name, keys);
        reader::write(arguments, steps, &mut writer);
        writer.finish();
    }
}

/// The [`text`] of each command, joined by `; `: at most 8 KiB, and ` …` for the other commands.
pub fn pipeline_text<'a, C>(commands: impl IntoIterator<Item = C>, keys: KeyCapture) -> String
where
    C: ExactSizeIterator<Item = &'a [u8]>,
{
    Head::default().pipeline_text(false, commands, keys)
}

/// After how many bytes more there is still room for a command. There always is for the first.
#[inline]
pub(super) const fn room_after(bytes: usize) -> Option<usize> {
    (LONGEST_PIPELINE - LONGEST - CUT.len()).checked_sub(bytes)
}

/// Says that there are more commands than are shown.
fn cut(out: &mut Vec<u8>) {
    out.truncate(out.len().saturating_sub(BETWEEN.len()));
    out.extend_from_slice(CUT.as_bytes());
}

#[inline]
fn draft(write: impl FnOnce(&mut Vec<u8>)) -> String {
    // On a thread that is about to end there is no draft to be had.
    let mut draft = DRAFT.try_with(Cell::take).unwrap_or_default();
    write(&mut draft);
    // Nothing but text was written.
    let text = std::str::from_utf8(&draft).map(str::to_owned);
    draft.clear();
    DRAFT.try_with(|kept| kept.set(draft)).ok();
    text.unwrap_or_default()
}
