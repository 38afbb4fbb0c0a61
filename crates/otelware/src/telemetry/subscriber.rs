//! The `tracing` subscriber: console lines, spans and log records.

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, FilterFn, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::environment::{Choices, Environment};
use crate::console::ConsoleLogFormat;

/// The SDK's notices about itself stay out, its warnings do not.
const DEFAULT_FILTER: &str = "info,opentelemetry=warn";

/// Crates the exporters are made of: what they log about an export must not be exported in turn.
const EXPORTER_TARGETS: &[&str] = &[
    "opentelemetry",
    "h2",
    "hyper",
    "hyper_util",
    "tonic",
    "rustls",
];

/// Crates whose own spans say less than those that otelware makes for them, and are traces of their own.
const OBSERVED_TARGETS: &[&str] = &["lapin"];

/// What shows the bodies of messages: lapin logs those that are returned, and as traces all frames.
const TELLTALE_TARGETS: &[&str] = &[
    "lapin::channels",
    "lapin::frames",
    "lapin::returned_messages",
];

/// What to log: `RUST_LOG`, else `info` with the lines of otelware and the SDK from `OTEL_LOG_LEVEL` on, which is "used
/// by the SDK internal logger" (specification, "Environment Variable Specification": General SDK Configuration).
pub(super) fn filter(environment: &mut Environment) -> String {
    if let Some(directives) = environment.text("RUST_LOG") {
        match EnvFilter::try_new(&directives) {
            Ok(_) => return directives,
            Err(_) => environment.complain(
                "RUST_LOG",
                &directives,
                "is not a filter",
                "directives such as info or warn,my_crate=debug",
            ),
        }
    }
    let levels = Choices::new(&[
        ("trace", "trace"),
        ("debug", "debug"),
        ("info", "info"),
        ("warn", "warn"),
        ("error", "error"),
        ("none", "off"),
    ]);
    environment.choice("OTEL_LOG_LEVEL", &levels).map_or_else(
        || DEFAULT_FILTER.to_owned(),
        |level| format!("info,opentelemetry={level},otelware={level}"),
    )
}

/// Whether events have no subscriber yet.
pub(super) fn is_free() -> bool {
    tracing::dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>())
}

/// Sets the global subscriber; `false` when there is one already.
///
/// `filter` decides about lines and log records. Spans have a filter of their own: the verbosity of the log must not
/// decide what is traced.
pub(super) fn install(
    filter: &str,
    providers: Option<(&SdkTracerProvider, &SdkLoggerProvider)>,
) -> bool {
    let tracing_layer = |(traces, _)| tracing_layer(traces).with_filter(traced(filter));
    // One filter for each layer: filters within filters leave each other's state behind.
    let log_layer = |(_, logs)| {
        OpenTelemetryTracingBridge::new(logs).with_filter(EnvFilter::new(filter).and(exported()))
    };
    let subscriber = Registry::default()
        .with(ConsoleLogFormat::layer().with_filter(EnvFilter::new(filter)))
        .with(providers.map(tracing_layer))
        .with(providers.map(log_layer));
    tracing::subscriber::set_global_default(subscriber).is_ok()
}

/// Spans from the level INFO on, but for crates that are observed already; and of the events, which are added to these spans, those that are logged.
fn traced<S>(filter: &str) -> impl Filter<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let is_traced = |metadata: &Metadata<'_>| {
        *metadata.level() <= Level::INFO && !OBSERVED_TARGETS.contains(&crate_of(metadata.target()))
    };
    let spans = filter_fn(move |metadata| metadata.is_span() && is_traced(metadata))
        .with_max_level_hint(LevelFilter::INFO);
    let events = filter_fn(|metadata| !metadata.is_span()).with_max_level_hint(LevelFilter::TRACE);
    spans.or(EnvFilter::new(filter).and(events)).and(exported())
}

/// Leaves out what the exporters' own crates say, and what tells too much.
fn exported() -> FilterFn {
    // The hint lets the filter beside this one decide about the level.
    let is_exported: fn(&Metadata<'_>) -> bool = |metadata| {
        let target = metadata.target();
        !is_of_exporter(target) && !TELLTALE_TARGETS.contains(&target)
    };
    filter_fn(is_exported).with_max_level_hint(LevelFilter::TRACE)
}

/// Makes OpenTelemetry spans of `tracing` spans, nested with those of the OpenTelemetry API in both directions.
pub(super) fn tracing_layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tracing"))
        // Neither source lines nor threads nor busy times belong on every span.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Exceptions are log records.
        .with_error_events_to_exceptions(false)
        .with_error_records_to_exceptions(false)
        .with_error_fields_to_exceptions(false)
}

/// Makes log records of `tracing` events, with the trace and span they happen in.
pub(super) fn log_layer<S>(provider: &SdkLoggerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    OpenTelemetryTracingBridge::new(provider).with_filter(exported())
}

fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or_default()
}

fn is_of_exporter(target: &str) -> bool {
    let crate_name = crate_of(target);
    // The SDK's crates name their targets after packages: opentelemetry_sdk, opentelemetry-otlp, ...
    crate_name.starts_with("opentelemetry") || EXPORTER_TARGETS.contains(&crate_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (String, Vec<String>) {
        let mut environment = Environment::from_iter(variables.iter().copied());
        let filter = filter(&mut environment);
        (
            filter,
            environment
                .complaints()
                .iter()
                .map(ToString::to_string)
                .collect(),
        )
    }

    #[test]
    fn filters() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], DEFAULT_FILTER),
            (
                &[("RUST_LOG", "warn,shop=debug"), ("OTEL_LOG_LEVEL", "error")],
                "warn,shop=debug",
            ),
            (
                &[("OTEL_LOG_LEVEL", "DEBUG")],
                "info,opentelemetry=debug,otelware=debug",
            ),
            (
                &[("OTEL_LOG_LEVEL", "none")],
                "info,opentelemetry=off,otelware=off",
            ),
        ];
        for (variables, filter) in table {
            assert_eq!(
                read(variables),
                ((*filter).to_owned(), Vec::new()),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn wrong_filters() {
        assert_eq!(
            read(&[("RUST_LOG", "shop=loud"), ("OTEL_LOG_LEVEL", "verbose")]),
            (
                DEFAULT_FILTER.to_owned(),
                vec![
                    r#"RUST_LOG: "shop=loud" is not a filter and is ignored; allowed: directives such as info or warn,my_crate=debug"#.to_owned(),
                    r#"OTEL_LOG_LEVEL: "verbose" is not known and is ignored; allowed: trace, debug, info, warn, error, none"#.to_owned(),
                ]
            )
        );
    }

    #[test]
    fn the_default_filter_is_one() {
        assert!(EnvFilter::try_new(DEFAULT_FILTER).is_ok());
    }

    #[test]
    fn targets_of_the_exporters() {
        for target in [
            "opentelemetry_sdk",
            "opentelemetry-otlp",
            "h2::codec",
            "hyper_util::client",
        ] {
            assert!(is_of_exporter(target), "{target}");
        }
        for target in ["otelware", "h2o", "orders::tonic", "hyperspace", "reqwest"] {
            assert!(!is_of_exporter(target), "{target}");
        }
    }
}
