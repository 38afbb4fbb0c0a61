//! Which database a connection is at, by the replies to what changes that.

use crate::command::Change;
use crate::core::Session;
use crate::replies::first_error;
use redis::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// That of the beginning; or, of what is queued, none.
const NONE: i64 = i64::MIN;

/// Not known.
const UNKNOWN: i64 = i64::MIN + 1;

/// The database that a connection is at, which redis-rs does not keep.
#[derive(Debug)]
pub(crate) struct Selected {
    now: AtomicI64,
    /// What a transaction that was begun by `MULTI` is to select.
    queued: AtomicI64,
}

impl Default for Selected {
    fn default() -> Self {
        Self {
            now: AtomicI64::new(NONE),
            queued: AtomicI64::new(NONE),
        }
    }
}

impl Selected {
    /// The number, if it is known; `beginning` is the one that the connection was opened with.
    #[inline]
    pub(crate) fn number(&self, beginning: impl FnOnce() -> i64) -> Option<i64> {
        match self.now.load(Ordering::Relaxed) {
            NONE => Some(beginning()),
            UNKNOWN => None,
            selected => Some(selected),
        }
    }

    /// The connection begins anew.
    pub(crate) fn begin(&self) {
        self.now.store(NONE, Ordering::Relaxed);
        self.dequeue();
    }

    fn set(&self, database: i64) {
        self.now.store(database, Ordering::Relaxed);
    }

    fn dequeue(&self) -> Option<i64> {
        let queued = self.queued.swap(NONE, Ordering::Relaxed);
        (queued != NONE).then_some(queued)
    }

    /// This was done, or not, as the reply says.
    fn replied(&self, change: Change, reply: &Value) {
        match (change, reply) {
            (Change::Select(number), Value::Okay) => self.set(number.unwrap_or(UNKNOWN)),
            (Change::Select(number), Value::SimpleString(queued)) if queued == "QUEUED" => {
                let number = number.unwrap_or(UNKNOWN);
                self.queued.store(number, Ordering::Relaxed);
            }
            (Change::Select(_) | Change::Reset, Value::ServerError(_)) => {}
            (Change::Select(_), _) => self.lost(change),
            (Change::Reset, _) => {
                self.dequeue();
                self.set(0);
            }
            (Change::Exec, Value::Array(_)) => {
                if let Some(number) = self.dequeue() {
                    // Whether the error is that of the `SELECT` is not known.
                    let failed = first_error(reply).is_some();
                    self.set(if failed { UNKNOWN } else { number });
                }
            }
            (Change::Exec | Change::Discard, _) => {
                self.dequeue();
            }
        }
    }

    /// Whether this was done is not known.
    fn lost(&self, change: Change) {
        let matters = match change {
            Change::Select(_) | Change::Reset => true,
            Change::Exec | Change::Discard => self.dequeue().is_some(),
        };
        if matters {
            self.set(UNKNOWN);
        }
    }
}

/// What changes the database among the commands of an operation. Dropped before the replies are
/// there, it leaves the database unknown: the commands may have been sent.
#[derive(Debug)]
pub(crate) struct Changes {
    session: Arc<Session>,
    /// Each with its place among the commands.
    changes: Vec<(usize, Change)>,
}

impl Changes {
    /// Adds what the command at this place does.
    #[inline]
    pub(crate) fn add(
        found: &mut Option<Box<Self>>,
        session: &Arc<Session>,
        place: usize,
        change: Option<Change>,
    ) {
        if let Some(change) = change
            && session.has_database()
        {
            let new = || Self {
                session: session.clone(),
                changes: Vec::new(),
            };
            let found = found.get_or_insert_with(|| Box::new(new()));
            found.changes.push((place, change));
        }
    }

    /// Each of that many commands has its reply.
    pub(crate) fn replied(mut self, commands: usize, replies: &[Value]) {
        if replies.len() != commands {
            return;
        }
        for (place, change) in std::mem::take(&mut self.changes) {
            if let Some(reply) = replies.get(place) {
                self.session.selected.replied(change, reply);
            }
        }
    }

    /// None of the commands was done.
    pub(crate) fn refused(mut self) {
        let mut changes = std::mem::take(&mut self.changes);
        // This is done at once, also within a transaction.
        changes.retain(|(_, change)| match change {
            Change::Reset => true,
            Change::Exec | Change::Discard => {
                self.session.selected.dequeue();
                false
            }
            Change::Select(_) => false,
        });
        self.changes = changes;
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        for (_, change) in &self.changes {
            self.session.selected.lost(*change);
        }
    }
}
