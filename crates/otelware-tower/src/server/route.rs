//! `http.route`: the template that a request's path matched.

use otelware::operation::Interned;
use otelware::opentelemetry::StringValue;
use std::cell::RefCell;

/// A route, interned where there is room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Interned(Interned),
    Owned(String),
}

impl Route {
    #[inline]
    pub(super) fn new(route: &str) -> Self {
        Interned::new(route).map_or_else(|| Self::Owned(route.to_owned()), Self::Interned)
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Interned(route) => route.as_str(),
            Self::Owned(route) => route,
        }
    }

    pub(super) fn value(&self) -> StringValue {
        match self {
            Self::Interned(route) => route.as_str().into(),
            Self::Owned(route) => route.clone().into(),
        }
    }

    pub(super) fn id(&self) -> Option<u64> {
        match self {
            Self::Interned(route) => Some(route.id()),
            Self::Owned(_) => None,
        }
    }
}

thread_local! {
    /// The slot of the innermost request that is served on this thread right now.
    static SLOT: RefCell<Option<Option<Route>>> = const { RefCell::new(None) };
}

/// Names the route of the request that is being served, where its layer could not know it: from a
/// router that does not tell, or from inside a nested service. Call it while the request's
/// handler runs, not from another task. A route that was known when the request began stays.
///
/// `route` must be a template such as `/users/{id}`, never a path: it is on metrics too.
pub fn set_route(route: &str) {
    SLOT.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut()
            && let Some(slot) = slot.as_mut()
        {
            *slot = Some(Route::new(route));
        }
    });
}

/// What was said with [`set_route`] since the slot was opened or last asked.
#[inline]
pub(super) fn take() -> Option<Route> {
    SLOT.with(|slot| slot.try_borrow_mut().ok()?.as_mut()?.take())
}

/// While this lives, [`set_route`] speaks to the request that opened it.
pub(super) struct OpenSlot(Option<Option<Route>>);

impl OpenSlot {
    #[inline]
    pub(super) fn new() -> Self {
        Self(SLOT.replace(Some(None)))
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        SLOT.set(self.0.take());
    }
}
