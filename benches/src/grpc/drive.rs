//! Runs a future to its end without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls until the future is ready. What it waits for must have woken it already: nobody listens to the waker.
pub(crate) fn to_the_end<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
