//! When there is nothing to be left behind: the global meter provider is the API's own, or one that
//! has no size either and measures all the same.
#![cfg(all(feature = "messaging", feature = "telemetry"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, global};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use otelware::messaging::{Broker, Client, Options, Verb};
use otelware::operation::Outcome;
use std::sync::{Arc, OnceLock};

static METERS: OnceLock<SdkMeterProvider> = OnceLock::new();

/// A provider without any size, as the API's own is.
struct Forwarding;

impl MeterProvider for Forwarding {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> Meter {
        METERS.get().unwrap().meter_with_scope(scope)
    }
}

/// A client that has done something.
fn used(options: Options) -> Arc<Client> {
    let client = Client::new("idle", "1", options, Broker::default());
    assert!(!client.is_idle(), "nothing is known before the first use");
    let operation = client.manage(Verb::manage("look"), |_| {});
    operation.finish(&Outcome::Success);
    client
}

#[test]
fn a_client_is_idle_where_nobody_measures() {
    // All in one test, since the global provider is set in between.
    assert!(used(Options::default()).is_idle());

    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let mut given = Options::default();
    given.providers.set_meter_provider(meters.clone());
    assert!(!used(given).is_idle());

    METERS.set(meters.clone()).unwrap();
    global::set_meter_provider(Forwarding);
    assert!(!used(Options::default()).is_idle());
    meters.force_flush().unwrap();
    let metrics = exporter.get_finished_metrics().unwrap();
    let names = (metrics.iter())
        .flat_map(|metrics| metrics.scope_metrics())
        .flat_map(|scope| scope.metrics())
        .map(|metric| metric.name());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["messaging.client.operation.duration"]
    );
}
