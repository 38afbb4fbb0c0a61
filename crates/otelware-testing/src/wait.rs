//! Waiting for a condition with a deadline, blocking or on any async runtime.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::store::Store;

/// How long to wait for a change before looking again: a condition may depend on more than the store.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Whether `condition` came true before the deadline.
pub(crate) fn block_until(
    store: &Store,
    deadline: Duration,
    mut condition: impl FnMut() -> bool,
) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() >= deadline {
            return false;
        }
        store.await_change(LOOK_AGAIN);
    }
    true
}

/// Whether `condition` came true before the deadline.
///
/// A thread wakes the task, since no runtime is known here and the clock of a test runtime may be paused.
pub(crate) async fn until(
    store: Arc<Store>,
    deadline: Duration,
    mut condition: impl FnMut() -> bool,
) -> bool {
    let started = Instant::now();
    let mut alarm = None;
    poll_fn(|task| {
        if condition() {
            return Poll::Ready(true);
        }
        if started.elapsed() >= deadline {
            return Poll::Ready(false);
        }
        alarm
            .get_or_insert_with(|| Alarm::start(Arc::clone(&store)))
            .set(task.waker());
        Poll::Pending
    })
    .await
}

/// Wakes a task at every change until dropped.
struct Alarm(Arc<AlarmState>);

#[derive(Default)]
struct AlarmState {
    waker: Mutex<Option<Waker>>,
    stopped: AtomicBool,
}

impl Alarm {
    fn start(store: Arc<Store>) -> Self {
        let state = Arc::new(AlarmState::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            while !shared.stopped.load(Ordering::Acquire) {
                store.await_change(LOOK_AGAIN);
                let waker = shared
                    .waker
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        });
        Self(state)
    }

    fn set(&self, waker: &Waker) {
        let mut place = self.0.waker.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(waker.clone());
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Release);
    }
}
