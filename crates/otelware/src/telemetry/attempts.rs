//! The attempts to send one batch, and when to stop trying.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How often a batch is offered to a silent endpoint once the shutdown has begun: about a second's worth of retries.
const ATTEMPTS_WHILE_CLOSING: usize = 4;

/// Watches the attempts of one exporter. Retries go on for as long as the export timeout allows, but a shutdown does not
/// wait for an endpoint that is not there.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    closing: AtomicBool,
    endpoint_down: AtomicBool,
    made: AtomicUsize,
    /// Whether the batch that waited when the shutdown began has one more attempt.
    last_chance: AtomicBool,
    refused: AtomicBool,
    network_error: Mutex<Option<String>>,
}

impl Attempts {
    /// A new batch begins.
    pub(super) fn begin(&self) {
        self.made.store(0, Ordering::Relaxed);
        self.refused.store(false, Ordering::Relaxed);
        self.last_chance.store(false, Ordering::Relaxed);
        self.network_error();
    }

    /// Whether one more attempt is to be made.
    pub(super) fn may_try(&self) -> bool {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        let limit = if self.endpoint_down.load(Ordering::Relaxed) {
            1
        } else {
            ATTEMPTS_WHILE_CLOSING
        };
        let allowed = !self.closing.load(Ordering::Relaxed)
            || made < limit
            || self.last_chance.swap(false, Ordering::Relaxed);
        if !allowed {
            self.refused.store(true, Ordering::Relaxed);
        }
        allowed
    }

    /// The batch is done. Says whether the one before it had been delivered.
    pub(super) fn end(&self, delivered: bool) -> bool {
        !self.endpoint_down.swap(!delivered, Ordering::Relaxed)
    }

    /// From now on only a few attempts are made for each batch. A batch that waits for its next
    /// attempt still has that one: the endpoint may be back.
    pub(super) fn close(&self) {
        self.last_chance.store(true, Ordering::Relaxed);
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether the batch was given up because of the shutdown.
    pub(super) fn gave_up(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Keeps why the network failed, which the exporter's own error does not say; nothing when it did not fail.
    #[cfg_attr(not(feature = "otlp-http"), allow(dead_code))] // gRPC errors say it.
    pub(super) fn reached(&self, error: Option<String>) {
        *self
            .network_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// Takes what [`reached`](Self::reached) kept: why the last attempt got no answer.
    pub(super) fn network_error(&self) -> Option<String> {
        self.network_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(attempts: &Attempts) -> usize {
        (0..100).take_while(|_| attempts.may_try()).count()
    }

    #[test]
    fn the_last_attempt_counts() {
        let attempts = Attempts::default();
        attempts.reached(Some("refused".to_owned()));
        assert_eq!(attempts.network_error().as_deref(), Some("refused"));
        assert_eq!(attempts.network_error(), None);
        attempts.reached(Some("refused".to_owned()));
        attempts.reached(None);
        assert_eq!(attempts.network_error(), None);
        attempts.reached(Some("refused".to_owned()));
        attempts.begin();
        assert_eq!(attempts.network_error(), None);
    }

    #[test]
    fn limited_only_while_closing_and_more_so_when_the_endpoint_is_known_to_be_down() {
        let attempts = Attempts::default();
        attempts.begin();
        assert_eq!((tries(&attempts), attempts.gave_up()), (100, false));
        attempts.close();
        assert_eq!((tries(&attempts), attempts.gave_up()), (1, true));
        attempts.begin();
        assert!(!attempts.gave_up());
        assert_eq!((tries(&attempts), attempts.gave_up()), (4, true));
        assert!(attempts.end(false));
        attempts.begin();
        assert_eq!(tries(&attempts), 1);
        assert!(!attempts.end(true));
        attempts.begin();
        assert_eq!(tries(&attempts), 4);
    }
}
