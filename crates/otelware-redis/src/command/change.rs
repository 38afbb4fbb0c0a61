//! Commands that change which database a connection is at.

/// What a command does to the database that its connection is at, if it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `SELECT`, and the number, where it is one.
    Select(Option<i64>),
    /// `RESET`, after which the connection is at the first database.
    Reset,
    /// `EXEC`: a `SELECT` that was queued is done.
    Exec,
    /// `DISCARD`: a `SELECT` that was queued is not done.
    Discard,
}

/// What the command of this name does to the database that its connection is at.
#[inline]
pub(super) fn change(name: &[u8], next: Option<&[u8]>) -> Option<Change> {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    match name.len() {
        4 if is(b"EXEC") => Some(Change::Exec),
        5 if is(b"RESET") => Some(Change::Reset),
        6 if is(b"SELECT") => Some(Change::Select(number(next))),
        7 if is(b"DISCARD") => Some(Change::Discard),
        _ => None,
    }
}

/// The argument, where it is a number.
fn number(argument: Option<&[u8]>) -> Option<i64> {
    std::str::from_utf8(argument?).ok()?.parse().ok()
}
