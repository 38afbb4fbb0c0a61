//! The three providers and their accounts: flushing and shutting down in order.

use std::time::{Duration, Instant};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::account::{Account, Accounts};
use super::bounded::{Unfinished, run_bounded};
use super::error::{FlushError, ShutdownError, SignalFailure};
use super::health::SignalHealth;
use super::seconds;
use super::signal::Signal;

/// Everything that has to be flushed and shut down.
#[derive(Clone, Debug)]
pub(super) struct Providers {
    pub(super) traces: SdkTracerProvider,
    pub(super) logs: SdkLoggerProvider,
    pub(super) metrics: SdkMeterProvider,
    pub(super) accounts: Accounts,
}

impl Providers {
    /// Waits until everything ended so far is exported, at most as long as the SDK does (5 s for each signal).
    pub(super) fn force_flush(&self) -> Result<(), FlushError> {
        let failures: Vec<SignalFailure> = [
            flush(&self.accounts.spans, || self.traces.force_flush()),
            flush(&self.accounts.logs, || self.logs.force_flush()),
            flush(&self.accounts.metrics, || self.metrics.force_flush()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if failures.is_empty() {
            Ok(())
        } else {
            Err(FlushError { failures })
        }
    }

    /// Shuts down traces, then logs, then metrics, within `limit`.
    pub(super) fn shutdown(&self, limit: Duration) -> Result<(), ShutdownError> {
        let deadline = Instant::now() + limit;
        // A share for each signal that comes later, so that one dead endpoint does not cost the others their turn.
        let share = limit / 5;
        let remaining = |later: u32| {
            deadline
                .saturating_duration_since(Instant::now())
                .saturating_sub(share * later)
        };
        let (traces, logs, metrics) =
            (self.traces.clone(), self.logs.clone(), self.metrics.clone());
        // The SDK's own limit is the longer one: ours is the one that reports. But the SDK's PeriodicReader takes no
        // limit, it always waits 5 s.
        let failures: Vec<SignalFailure> = [
            shut_down(&self.accounts.spans, remaining(2), move |limit| {
                traces.shutdown_with_timeout(limit * 2)
            }),
            shut_down(&self.accounts.logs, remaining(1), move |limit| {
                logs.shutdown_with_timeout(limit * 2)
            }),
            shut_down(&self.accounts.metrics, remaining(0), move |limit| {
                metrics.shutdown_with_timeout(limit * 2)
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        if failures.is_empty() {
            Ok(())
        } else {
            Err(ShutdownError { failures })
        }
    }
}

fn flush(account: &Account, flush: impl FnOnce() -> OTelSdkResult) -> Option<SignalFailure> {
    let before = account.health();
    let cause = match flush() {
        Ok(()) | Err(OTelSdkError::AlreadyShutdown) => None,
        Err(error) => Some(error.to_string()),
    };
    let after = account.health();
    failure(account.signal(), cause, &before, &after, 0)
}

fn shut_down(
    account: &Account,
    limit: Duration,
    shut_down: impl FnOnce(Duration) -> OTelSdkResult + Send + 'static,
) -> Option<SignalFailure> {
    account.warn_of_untold_drops();
    let before = account.health();
    account.attempts().close();
    let cause = match run_bounded(limit, move || shut_down(limit)) {
        Ok(Ok(()) | Err(OTelSdkError::AlreadyShutdown)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(Unfinished::TimedOut) => Some(format!("timed out after {}", seconds(limit))),
        Err(Unfinished::Aborted) => Some("the shutdown was aborted".to_owned()),
    };
    account.close();
    let after = account.health();
    failure(account.signal(), cause, &before, &after, after.pending)
}

/// What to report: `cause`, or why exports failed meanwhile, which says more than the SDK's summary.
fn failure(
    signal: Signal,
    cause: Option<String>,
    before: &SignalHealth,
    after: &SignalHealth,
    left: u64,
) -> Option<SignalFailure> {
    let failed = after.failed - before.failed;
    let cause = match (&after.last_error, cause) {
        (Some(error), _) if failed > 0 => error.clone(),
        (_, Some(cause)) => cause,
        (_, None) => return None,
    };
    let message = match failed + left {
        0 => cause,
        1 => format!("{cause}; {} was not exported", signal.items(1)),
        lost => format!("{cause}; {} were not exported", signal.items(lost)),
    };
    Some(SignalFailure::new(signal, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(failed: u64, last_error: Option<&str>) -> SignalHealth {
        SignalHealth {
            failed,
            last_error: last_error.map(str::to_owned),
            ..SignalHealth::default()
        }
    }

    fn text(
        cause: Option<&str>,
        before: &SignalHealth,
        after: &SignalHealth,
        left: u64,
    ) -> Option<String> {
        failure(
            Signal::Traces,
            cause.map(str::to_owned),
            before,
            after,
            left,
        )
        .map(|failure| failure.to_string())
    }

    #[test]
    fn what_is_reported() {
        let fine = health(0, None);
        let earlier = health(3, Some("refused"));
        let later = health(4, Some("refused"));
        assert_eq!(text(None, &fine, &fine, 0), None);
        assert_eq!(text(None, &earlier, &earlier, 0), None);
        assert_eq!(
            text(Some("timed out after 6 s"), &earlier, &earlier, 412).as_deref(),
            Some("traces: timed out after 6 s; 412 spans were not exported")
        );
        assert_eq!(
            text(None, &earlier, &later, 0).as_deref(),
            Some("traces: refused; 1 span was not exported")
        );
        assert_eq!(
            text(Some("broken"), &fine, &fine, 0).as_deref(),
            Some("traces: broken")
        );
    }
}
