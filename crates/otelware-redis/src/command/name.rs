//! `db.operation.name`.

use super::head::Head;

/// No name that the table does not know is longer, in bytes.
const LONGEST: usize = 64;

/// The name of what has no name that could be shown.
const OTHER: &str = "_OTHER";

/// The name of a command, as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A known command in capitals, or `_OTHER`.
    Static(&'static str),
    /// A known command otherwise spelt (`get`), or an unknown one: at most 64 bytes of printable
    /// ASCII without spaces.
    Given(&'a str),
}

impl<'a> Name<'a> {
    /// The name.
    #[inline]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Static(name) => name,
            Self::Given(name) => name,
        }
    }
}

/// The command's name: its first argument, or `_OTHER` where that is empty, too long, or not
/// printable.
#[inline]
pub fn name<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Name<'a> {
    Head::of(arguments).name()
}

/// The name of what is not in the table as it is.
pub(super) fn unknown(given: &[u8]) -> Name<'_> {
    let shown = (1..=LONGEST).contains(&given.len()) && given.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(given) {
        Ok(given) if shown => Name::Given(given),
        _ => Name::Static(OTHER),
    }
}
