//! Where messages go to or come from.

/// Where messages go to or come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its name has in common with those of others, where the client knows; else the options
    /// are asked.
    pub template: Option<&'a str>,
    /// It is nameless, or the broker made its name: the name says nothing.
    pub is_anonymous: bool,
    /// It lives no longer than its client.
    pub is_temporary: bool,
}

impl<'a> Destination<'a> {
    /// One that was given this name.
    pub const fn named(name: &'a str) -> Self {
        Self {
            name,
            template: None,
            is_anonymous: false,
            is_temporary: false,
        }
    }

    /// Whether the name may be part of names of spans and an attribute of metrics.
    pub(super) const fn is_lasting(&self) -> bool {
        !self.is_anonymous && !self.is_temporary
    }
}
