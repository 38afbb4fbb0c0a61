//! `db.query.text`.

use super::look_up::look_up;
use super::name::unknown;
use super::reader::Reader;
use super::writer::{CUT, KeyCapture, LONGEST, Writer};
use std::cell::Cell;

/// No text of a pipeline is longer, in bytes.
const LONGEST_PIPELINE: usize = 8_192;

/// What is between the commands of a pipeline.
const BETWEEN: &str = "; ";

thread_local! {
    /// Where texts are put together, so that each is allocated once and as long as it is.
    static DRAFT: Cell<String> = const { Cell::new(String::new()) };
}

/// The command as it would be entered in redis-cli, with `?` for values: `HSET user:1 name ?`.
///
/// Of a command that the table does not know, all arguments are values. At most 100 arguments and
/// 2 KiB are shown, and ` …` for the others; of a key, 128 bytes. Empty for no arguments at all.
#[inline]
pub fn text<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>, keys: KeyCapture) -> String {
    draft(|out| write(out, arguments, keys))
}

/// The [`text`] of each command, joined by `; `: at most 8 KiB, and ` …` for the other commands.
pub fn pipeline_text<'a, C>(commands: impl IntoIterator<Item = C>, keys: KeyCapture) -> String
where
    C: ExactSizeIterator<Item = &'a [u8]>,
{
    draft(|out| {
        for command in commands {
            let end = out.len();
            if end > 0 {
                out.push_str(BETWEEN);
            }
            // There is always room for one.
            if out.len() + LONGEST + CUT.len() > LONGEST_PIPELINE {
                out.truncate(end);
                out.push_str(CUT);
                return;
            }
            write(out, command, keys);
        }
    })
}

fn draft(write: impl FnOnce(&mut String)) -> String {
    // On a thread that is about to end there is no draft to be had.
    let mut draft = DRAFT.try_with(Cell::take).unwrap_or_default();
    write(&mut draft);
    let text = String::from(draft.as_str());
    draft.clear();
    DRAFT.try_with(|kept| kept.set(draft)).ok();
    text
}

fn write<'a>(
    out: &mut String,
    mut arguments: impl ExactSizeIterator<Item = &'a [u8]>,
    keys: KeyCapture,
) {
    let Some(given) = arguments.next() else {
        return;
    };
    let command = look_up(given);
    // A known name is printable and short, so it is as good as an unknown one.
    let mut writer = Writer::new(out, unknown(given).as_str(), keys);
    let mut reader = Reader::new(arguments);
    if let Some(command) = command {
        reader.run(command.steps, &mut writer);
    }
    reader.rest(&mut writer);
    writer.finish();
}
