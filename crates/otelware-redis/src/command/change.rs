//! Commands that change which database a connection is at.

use super::head::Head;

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

impl Head<'_> {
    /// What the command does to the database that its connection is at.
    #[inline]
    pub fn change(&self) -> Option<Change> {
        let is = |name: &[u8]| self.given().eq_ignore_ascii_case(name);
        match self.given().len() {
            4 if is(b"EXEC") => Some(Change::Exec),
            5 if is(b"RESET") => Some(Change::Reset),
            6 if is(b"SELECT") => Some(Change::Select(self.number())),
            7 if is(b"DISCARD") => Some(Change::Discard),
            _ => None,
        }
    }
}
