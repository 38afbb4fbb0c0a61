//! A sequence that waits once between any two items, so that no two of them share a frame.

use std::task::{Context, Poll};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    left: u64,
    must_wait: bool,
}

impl Pace {
    pub(crate) fn new(items: u64) -> Self {
        Self {
            left: items,
            must_wait: false,
        }
    }

    /// `Some` for each item, then `None`; before each item but the first it is pending once and has woken the task itself.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<()>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut self.must_wait) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.left -= 1;
        self.must_wait = true;
        Poll::Ready(Some(()))
    }
}
