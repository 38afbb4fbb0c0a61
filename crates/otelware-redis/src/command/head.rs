//! The beginning of a command, which tells which one it is.

use super::change::{Change, change};
use super::few::is_same;
use super::look_up::look_up;
use super::name::{Name, unknown};
use super::procedure::procedure;
use super::shape::Word;
use super::table::COMMANDS;

/// The beginning of a command, which is looked up once for all that it tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    given: &'a [u8],
    next: Option<&'a [u8]>,
    /// Its place in the table.
    place: Option<usize>,
    change: Option<Change>,
}

impl<'a> Head<'a> {
    /// That of the command with these arguments, its name first.
    #[inline]
    pub fn of(mut arguments: impl Iterator<Item = &'a [u8]>) -> Self {
        let given = arguments.next().unwrap_or_default();
        Self::named(given, arguments.next())
    }

    #[inline(never)]
    pub(super) fn named(given: &'a [u8], next: Option<&'a [u8]>) -> Self {
        Self {
            given,
            next,
            place: look_up(given),
            change: change(given, next),
        }
    }

    /// That of the command with these arguments. `None` where it is this one over again, which is
    /// not looked up again.
    #[inline]
    pub fn differing(&self, mut arguments: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let Some(given) = arguments.next() else {
            return (!self.given.is_empty()).then(Self::default);
        };
        let is_same = self.change.is_none() && self.is_named(given);
        (!is_same).then(|| Self::named(given, arguments.next()))
    }

    /// Whether the command has this name.
    #[inline]
    pub(super) fn is_named(&self, given: &[u8]) -> bool {
        is_same(given, self.given)
    }

    /// The place among the [known](super::known) of a command that is spelt as it is there.
    #[inline]
    pub fn known(&self) -> Option<usize> {
        let command = self.command()?;
        self.place
            .filter(|_| self.is_named(command.text.as_bytes()))
    }

    /// See [`name`](super::name).
    #[inline]
    pub fn name(&self) -> Name<'a> {
        match self.command() {
            Some(command) if self.is_named(command.text.as_bytes()) => Name::Static(command.text),
            _ => unknown(self.given),
        }
    }

    /// See [`stored_procedure`](super::stored_procedure).
    #[inline]
    pub fn stored_procedure(&self) -> Option<&'a str> {
        procedure(self.command()?.steps.first()?, self.next?)
    }

    /// What the command does to the database that its connection is at.
    #[inline]
    pub const fn change(&self) -> Option<Change> {
        self.change
    }

    #[inline]
    pub(super) const fn given(&self) -> &'a [u8] {
        self.given
    }

    #[inline]
    pub(super) fn command(&self) -> Option<&'static Word> {
        COMMANDS.get(self.place?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Head};

    fn head(command: &'static str) -> Head<'static> {
        Head::of(command.split(' ').map(str::as_bytes))
    }

    #[test]
    fn only_what_tells_something_new_differs() {
        let differs = |one: &'static str, other: &'static str| {
            let other = other.split(' ').map(str::as_bytes);
            head(one).differing(other).is_some()
        };
        assert!(!differs("SET a 1", "SET b 2"));
        assert!(differs("SET a 1", "set a 1"));
        assert!(differs("SET a 1", "GET a"));
        // Each selects a database.
        assert!(differs("select 1", "select 2"));
        let last = head("SELECT 1").differing([&b"SELECT"[..], b"2"].into_iter());
        let change = last.and_then(|last| last.change());
        assert_eq!(change, Some(Change::Select(Some(2))));
    }

    #[test]
    fn some_change_the_database() {
        for (command, change) in [
            ("SELECT 3", Some(Change::Select(Some(3)))),
            ("select", Some(Change::Select(None))),
            ("SELECT three", Some(Change::Select(None))),
            ("RESET", Some(Change::Reset)),
            ("exec", Some(Change::Exec)),
            ("DISCARD", Some(Change::Discard)),
            ("MULTI", None),
            ("INCR 3", None),
            ("", None),
        ] {
            assert_eq!(head(command).change(), change, "{command}");
        }
    }
}
