//! `http.route`: the template that a request's path matched.

use otelware::operation::{Interned, Label};
use std::cell::Cell;

/// What may be told of a route on a thread.
#[derive(Clone, Copy)]
enum Slot {
    /// No request is being served.
    Closed,
    /// The innermost request waits to be told.
    Open,
    /// It has been told.
    Told(Interned),
}

thread_local! {
    static SLOT: Cell<Slot> = const { Cell::new(Slot::Closed) };
}

/// Names the route of the request that is being served, where its layer could not know it: from a
/// router that does not tell, or from inside a nested service. Call it while the request's
/// handler runs, not from another task. A route that was known when the request began stays.
///
/// `route` must be a template such as `/users/{id}`, never a path: it is on metrics too. One that
/// is longer than 256 bytes, or beyond the first few thousands of the process, is left out.
pub fn set_route(route: &str) {
    if !matches!(SLOT.get(), Slot::Closed)
        && let Some(route) = Interned::new(route)
    {
        SLOT.set(Slot::Told(route));
    }
}

/// What was said with [`set_route`] since the slot was opened or last asked.
#[inline]
pub(super) fn take() -> Option<Label> {
    match SLOT.get() {
        Slot::Told(route) => {
            SLOT.set(Slot::Open);
            Some(Label::Interned(route))
        }
        _ => None,
    }
}

/// While this lives, [`set_route`] speaks to the request that opened it.
pub(super) struct OpenSlot(Slot);

impl OpenSlot {
    #[inline]
    pub(super) fn new() -> Self {
        Self(SLOT.replace(Slot::Open))
    }
}

impl Drop for OpenSlot {
    #[inline]
    fn drop(&mut self) {
        SLOT.set(self.0);
    }
}
