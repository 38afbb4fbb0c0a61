//! Several commands that are sent at once.

use crate::command::Head;
use crate::core::Session;
use crate::database::Changes;
use std::sync::Arc;

/// How several commands are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Pipeline,
    Transaction,
    /// As one command, which it should be.
    Packed,
}

impl Batch {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pipeline | Self::Packed => "PIPELINE",
            Self::Transaction => "MULTI",
        }
    }
}

/// What is known of commands that are sent at once.
#[derive(Debug)]
pub(crate) struct Overview<'a> {
    /// That of no command, where there is none.
    pub(crate) first: Head<'a>,
    pub(crate) size: usize,
    /// Whether all have the same name.
    pub(crate) are_equal: bool,
    pub(crate) changes: Option<Box<Changes>>,
}

impl<'a> Overview<'a> {
    /// That of these commands.
    #[inline(never)]
    pub(crate) fn of<A>(session: &Arc<Session>, mut commands: impl Iterator<Item = A>) -> Self
    where
        A: Iterator<Item = &'a [u8]>,
    {
        let mut size = 0;
        let first = match commands.next() {
            Some(first) => {
                size += 1;
                Head::of(first)
            }
            None => Head::default(),
        };
        let (mut last, mut are_equal) = (first, true);
        let mut changes = None;
        Changes::add(&mut changes, session, 0, last.change());
        'all: loop {
            // Most are one command over again.
            let other = loop {
                let Some(command) = commands.next() else {
                    break 'all;
                };
                size += 1;
                if let Some(other) = last.differing(command) {
                    break other;
                }
            };
            are_equal = are_equal && other.name() == last.name();
            Changes::add(&mut changes, session, size - 1, other.change());
            last = other;
        }
        Self {
            first,
            size,
            are_equal,
            changes,
        }
    }
}
