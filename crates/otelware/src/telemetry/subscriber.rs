//! The `tracing` subscriber: console lines, spans and log records.

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::environment::Environment;
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

/// What to log: `RUST_LOG`, else `OTEL_LOG_LEVEL`, else `info`.
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
    let levels = super::environment::Choices::new(&[
        ("trace", "trace"),
        ("debug", "debug"),
        ("info", DEFAULT_FILTER),
        ("warn", "warn"),
        ("error", "error"),
        ("none", "off"),
    ]);
    environment
        .choice("OTEL_LOG_LEVEL", &levels)
        .unwrap_or(DEFAULT_FILTER)
        .to_owned()
}

/// Sets the global subscriber; `false` when there is one already.
pub(super) fn install(
    filter: &str,
    providers: Option<(&SdkTracerProvider, &SdkLoggerProvider)>,
) -> bool {
    let subscriber = Registry::default()
        .with(EnvFilter::new(filter))
        .with(ConsoleLogFormat::layer())
        .with(providers.map(|(traces, _)| tracing_layer(traces)))
        .with(providers.map(|(_, logs)| log_layer(logs)));
    tracing::subscriber::set_global_default(subscriber).is_ok()
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
    OpenTelemetryTracingBridge::new(provider).with_filter(filter_fn(|metadata: &Metadata<'_>| {
        !is_of_exporter(metadata.target())
    }))
}

fn is_of_exporter(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
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
            (&[("OTEL_LOG_LEVEL", "DEBUG")], "debug"),
            (&[("OTEL_LOG_LEVEL", "none")], "off"),
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
