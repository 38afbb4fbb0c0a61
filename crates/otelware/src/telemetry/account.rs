//! What becomes of every span and log record: the exact count of one signal.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;

use super::attempts::Attempts;
use super::health::SignalHealth;
use super::report;
use super::signal::Signal;

const WARNING_INTERVAL: Duration = Duration::from_secs(30);

/// The accounts of the three signals.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    pub(super) spans: Arc<Account>,
    pub(super) logs: Arc<Account>,
    pub(super) metrics: Arc<Account>,
}

impl Accounts {
    /// Accounts for queues of these capacities.
    pub(super) fn new(spans: usize, logs: usize) -> Self {
        let account =
            |signal, capacity, variable| Arc::new(Account::new(signal, capacity, variable));
        Self {
            spans: account(Signal::Traces, spans, "OTEL_BSP_MAX_QUEUE_SIZE"),
            logs: account(Signal::Logs, logs, "OTEL_BLRP_MAX_QUEUE_SIZE"),
            // Metrics are collected when they are exported: nothing queues.
            metrics: account(Signal::Metrics, usize::MAX, ""),
        }
    }
}

/// Counts one signal's items from the moment they are offered until they are delivered or lost.
///
/// Admission keeps the number of items between the producer and the exporter below the capacity of the SDK's queue, so
/// that the queue never overflows by itself and every loss is counted here.
#[derive(Debug)]
pub(super) struct Account {
    signal: Signal,
    capacity: u64,
    capacity_variable: &'static str,
    started: Instant,
    closed: AtomicBool,
    queued: AtomicU64,
    in_flight: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    next_warning: AtomicU64,
    /// How many drops the warnings have told of.
    warned_of: AtomicU64,
    last_error: Mutex<Option<String>>,
    attempts: Attempts,
}

impl Account {
    pub(super) fn new(signal: Signal, capacity: usize, capacity_variable: &'static str) -> Self {
        Self {
            signal,
            capacity: u64::try_from(capacity).unwrap_or(u64::MAX),
            capacity_variable,
            started: Instant::now(),
            closed: AtomicBool::new(false),
            queued: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            next_warning: AtomicU64::new(0),
            warned_of: AtomicU64::new(0),
            last_error: Mutex::new(None),
            attempts: Attempts::default(),
        }
    }

    pub(super) fn signal(&self) -> Signal {
        self.signal
    }

    pub(super) fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Whether there is room for one more item; if not, it counts as dropped.
    pub(super) fn admit(&self) -> bool {
        if self.closed.load(Ordering::Relaxed) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        // Counting first and taking back keeps this one atomic step when there is room, which is the usual case.
        if self.queued.fetch_add(1, Ordering::AcqRel) < self.capacity {
            return true;
        }
        self.queued.fetch_sub(1, Ordering::AcqRel);
        let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
        self.warn_of_drops(dropped);
        false
    }

    /// From now on every item counts as dropped.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// The exporter took `count` items that had been admitted.
    pub(super) fn begin_export(&self, count: u64) {
        self.in_flight.fetch_add(count, Ordering::AcqRel);
        let taken = |queued: u64| Some(queued.saturating_sub(count));
        // `fetch_update` only fails when the closure returns `None`.
        let _ = self
            .queued
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, taken);
        self.attempts.begin();
    }

    /// The exporter is done with `count` items.
    pub(super) fn end_export(&self, count: u64, error: Option<&str>) {
        let was_up = self.attempts.end(error.is_none());
        match error {
            None => {
                self.exported.fetch_add(count, Ordering::AcqRel);
            }
            Some(error) => {
                // The SDK's processors report every failure, to whoever lets their lines through.
                let reported =
                    tracing::enabled!(target: "opentelemetry_sdk", tracing::Level::ERROR);
                if was_up && !reported {
                    let signal = self.signal;
                    report::warn(&format!(
                        "{signal}: {error}. What comes later is sent once the endpoint answers"
                    ));
                }
                self.failed.fetch_add(count, Ordering::AcqRel);
                *self
                    .last_error
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(error.to_owned());
            }
        }
        self.in_flight.fetch_sub(count, Ordering::AcqRel);
    }

    pub(super) fn health(&self) -> SignalHealth {
        SignalHealth {
            exported: self.exported.load(Ordering::Acquire),
            failed: self.failed.load(Ordering::Acquire),
            dropped: self.dropped.load(Ordering::Acquire),
            pending: self.queued.load(Ordering::Acquire) + self.in_flight.load(Ordering::Acquire),
            last_error: self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }

    fn warn_of_drops(&self, dropped: u64) {
        let now = milliseconds(self.started.elapsed());
        let due = self.next_warning.load(Ordering::Relaxed);
        let next = now + milliseconds(WARNING_INTERVAL);
        if now < due
            || self
                .next_warning
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        self.tell_of_drops(dropped, "so far");
    }

    /// Warns of drops that no warning has told of yet: the last word at a shutdown.
    pub(super) fn warn_of_untold_drops(&self) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.warned_of.load(Ordering::Relaxed) {
            self.tell_of_drops(dropped, "in all");
        }
    }

    fn tell_of_drops(&self, dropped: u64, extent: &str) {
        self.warned_of.store(dropped, Ordering::Relaxed);
        // A warning about a full queue must not enter that queue.
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let Self {
            signal,
            capacity,
            capacity_variable,
            ..
        } = self;
        let lost = signal.items(dropped);
        report::warn(&format!(
            "{signal}: {lost} dropped {extent}, because the export queue is full (capacity {capacity}): the endpoint \
             is away or slower than the service. {capacity_variable} sets the capacity"
        ));
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use tracing_subscriber::EnvFilter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What the first two failures say themselves where a subscriber has this filter.
    fn said(filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let account = Account::new(Signal::Traces, 3, "OTEL_BSP_MAX_QUEUE_SIZE");
            for _ in 0..2 {
                account.begin_export(1);
                account.end_export(1, Some("refused"));
            }
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_first_failure_is_said_where_the_sdk_is_not_heard() {
        const WARNING: &str =
            " WARN otelware: traces: refused. What comes later is sent once the endpoint answers\n";
        let said = [
            "info",
            "warn,opentelemetry=error",
            "warn,opentelemetry=off",
            "otelware=warn",
        ]
        .map(said);
        assert_eq!(said, ["", "", WARNING, WARNING]);
    }

    #[test]
    fn every_item_is_counted_once() {
        let account = Account::new(Signal::Traces, 3, "OTEL_BSP_MAX_QUEUE_SIZE");
        let admitted = [(); 5].map(|()| account.admit());
        assert_eq!(admitted, [true, true, true, false, false]);
        account.begin_export(2);
        assert!(account.admit());
        account.end_export(2, Some("refused"));
        account.begin_export(2);
        account.end_export(2, None);
        assert_eq!(
            account.health(),
            SignalHealth {
                exported: 2,
                failed: 2,
                dropped: 2,
                pending: 0,
                last_error: Some("refused".to_owned()),
            }
        );
    }

    #[test]
    fn producers_on_many_threads_never_exceed_the_capacity() {
        let account = Account::new(Signal::Logs, 1000, "OTEL_BLRP_MAX_QUEUE_SIZE");
        let admitted: usize = std::thread::scope(|scope| {
            let producers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).filter(|_| account.admit()).count()))
                .collect();
            producers
                .into_iter()
                .filter_map(|producer| producer.join().ok())
                .sum()
        });
        let health = account.health();
        assert_eq!(health.pending, u64::try_from(admitted).unwrap_or_default());
        assert_eq!(health.pending + health.dropped, 2000);
        assert!(health.pending <= 1000);
    }
}
