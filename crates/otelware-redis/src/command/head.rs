//! The beginning of a command, which tells which one it is.

use super::look_up::look_up;
use super::name::{Name, unknown};
use super::procedure::procedure;
use super::shape::Word;

/// The beginning of a command, which is looked up once for all that it tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    given: &'a [u8],
    next: Option<&'a [u8]>,
    command: Option<&'static Word>,
}

impl<'a> Head<'a> {
    /// That of the command with these arguments, its name first.
    #[inline]
    pub fn of(mut arguments: impl Iterator<Item = &'a [u8]>) -> Self {
        let given = arguments.next().unwrap_or_default();
        Self::named(given, arguments.next())
    }

    #[inline]
    fn named(given: &'a [u8], next: Option<&'a [u8]>) -> Self {
        Self {
            given,
            next,
            command: look_up(given),
        }
    }

    /// That of the command with these arguments. `None` where it is this one over again, which is
    /// not looked up again.
    #[inline]
    pub fn differing(&self, mut arguments: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let given = arguments.next().unwrap_or_default();
        let is_same = is_same(given, self.given) && self.change().is_none();
        (!is_same).then(|| Self::named(given, arguments.next()))
    }

    /// That of the command of this name.
    #[inline]
    pub(super) fn renamed(self, given: &'a [u8]) -> Self {
        match is_same(given, self.given) {
            true => self,
            false => Self::named(given, None),
        }
    }

    /// See [`name`](super::name).
    #[inline]
    pub fn name(&self) -> Name<'a> {
        match self.command {
            Some(command) if command.text.as_bytes() == self.given => Name::Static(command.text),
            _ => unknown(self.given),
        }
    }

    /// See [`stored_procedure`](super::stored_procedure).
    #[inline]
    pub fn stored_procedure(&self) -> Option<&'a str> {
        procedure(self.command?.steps.first()?, self.next?)
    }

    /// The argument after the name, where it is a number.
    pub(super) fn number(&self) -> Option<i64> {
        std::str::from_utf8(self.next?).ok()?.parse().ok()
    }

    #[inline]
    pub(super) const fn given(&self) -> &'a [u8] {
        self.given
    }

    #[inline]
    pub(super) const fn command(&self) -> Option<&'static Word> {
        self.command
    }
}

/// Whether names are the same, which are so short that a call to compare them would take longer.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::Head;

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
