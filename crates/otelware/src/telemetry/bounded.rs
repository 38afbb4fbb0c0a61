//! Work that may block, within a time limit.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

/// Why bounded work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// The limit has passed; the work goes on in the background.
    TimedOut,
    /// The thread could not be started, or the work panicked.
    Aborted,
}

/// Runs `work` on a thread of its own and waits for it no longer than `limit`.
///
/// A thread, because the caller may be on a runtime whose blocking pool is gone or was never there.
pub(super) fn run_bounded<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (sender, receiver) = channel();
    let thread = Builder::new()
        .name("otelware-shutdown".to_owned())
        .spawn(move || {
            // Nobody listens any more once the limit has passed.
            let _ = sender.send(work());
        });
    if thread.is_err() {
        return Err(Unfinished::Aborted);
    }
    receiver.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => Unfinished::TimedOut,
        RecvTimeoutError::Disconnected => Unfinished::Aborted,
    })
}

/// Runs `work` on a thread of its own while the caller's task waits.
pub(super) async fn run_in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let thread = Builder::new()
        .name("otelware-flush".to_owned())
        .spawn(move || {
            // Nobody listens any more if the caller's future was dropped.
            let _ = sender.send(work());
        });
    match thread {
        Ok(_) => receiver.await.map_err(|_| Unfinished::Aborted),
        Err(_) => Err(Unfinished::Aborted),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    #[test]
    fn bounded() {
        assert_eq!(run_bounded(Duration::from_secs(60), || 7), Ok(7));
        let (sender, receiver) = channel::<()>();
        let endless = run_bounded(Duration::from_millis(10), move || receiver.recv().is_ok());
        assert_eq!(endless, Err(Unfinished::TimedOut));
        drop(sender);
        assert_eq!(
            run_bounded(Duration::from_secs(60), || std::panic::resume_unwind(
                Box::new(())
            )),
            Err::<(), _>(Unfinished::Aborted)
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn in_background() {
        assert_eq!(run_in_background(|| 7).await, Ok(7));
    }
}
