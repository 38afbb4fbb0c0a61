//! What the tests against Kafka share: a broker, topics of their own, and what telemetry must be
//! like.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod broker;
pub(crate) mod expected;
pub(crate) mod native;

use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::otelware::propagation::CompositePropagator;
use otelware_testing::Capture;
use std::time::{Duration, Instant};

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Options with the providers of the capture, and W3C propagation.
pub(crate) fn options(telemetry: &Capture) -> KafkaOptions {
    KafkaOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
}

/// Looks until there is something, on this thread.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
