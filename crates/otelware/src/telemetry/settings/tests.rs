#![cfg(all(feature = "otlp-grpc", feature = "otlp-http", feature = "gzip"))]
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::telemetry::otlp::{Compression, Protocol};
use crate::telemetry::sampler::RootSampler;

fn read(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
    read_with(variables, DefaultExporters::Otlp)
}

fn read_with(variables: &[(&str, &str)], defaults: DefaultExporters) -> (Settings, Vec<String>) {
    let mut environment = Environment::from_iter(variables.iter().copied());
    let settings = Settings::read(&mut environment, defaults).unwrap();
    (
        settings,
        environment
            .complaints()
            .iter()
            .map(ToString::to_string)
            .collect(),
    )
}

/// What the environment changes about the defaults, without a complaint.
fn assert_changes(variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) {
    let (mut expected, complaints) = read(&[]);
    assert_eq!(complaints, Vec::<String>::new());
    change(&mut expected);
    assert_eq!(read(variables), (expected, Vec::new()), "{variables:?}");
}

fn assert_complains(variables: &[(&str, &str)], complaint: &str) {
    assert_eq!(read(variables), (read(&[]).0, vec![complaint.to_owned()]));
}

fn kinds(variables: &[(&str, &str)], defaults: DefaultExporters) -> [(bool, bool); 3] {
    let (settings, complaints) = read_with(variables, defaults);
    assert_eq!(complaints, Vec::<String>::new());
    [&settings.traces, &settings.logs, &settings.metrics]
        .map(|signal| (signal.otlp.is_some(), signal.console))
}

#[test]
fn defaults() {
    let (settings, complaints) = read(&[]);
    assert_eq!(complaints, Vec::<String>::new());
    let batches = |delay| BatchSettings {
        queue_size: 8192,
        batch_size: 512,
        delay: Duration::from_millis(delay),
        timeout: Duration::from_secs(30),
    };
    let endpoints = [&settings.traces, &settings.logs, &settings.metrics].map(|signal| {
        let otlp = signal.otlp.clone().unwrap();
        (
            otlp.protocol,
            otlp.endpoint.shown(),
            otlp.timeout,
            otlp.compression,
        )
    });
    assert_eq!(
        endpoints,
        ["traces", "logs", "metrics"].map(|signal| (
            Protocol::HttpProtobuf,
            format!("http://localhost:4318/v1/{signal}"),
            Duration::from_secs(10),
            None
        ))
    );
    let expected = Settings {
        disabled: false,
        propagators: "tracecontext,baggage".to_owned(),
        sampler: SamplerSettings {
            root: RootSampler::AlwaysOn,
            parent_based: true,
        },
        traces: settings.traces.clone(),
        logs: settings.logs.clone(),
        metrics: settings.metrics.clone(),
        span_batches: batches(5000),
        log_batches: batches(1000),
        metric: MetricSettings {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            temporality: Temporality::Cumulative,
            histogram: HistogramAggregation::ExplicitBuckets,
        },
        limits: Limits {
            attributes: 128,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            value_length: None,
        },
    };
    assert_eq!(settings, expected);
}

#[test]
fn exporters() {
    const OTLP: (bool, bool) = (true, false);
    const CONSOLE: (bool, bool) = (false, true);
    const NONE: (bool, bool) = (false, false);
    let none = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "NONE"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    assert_eq!(kinds(&[], DefaultExporters::Otlp), [OTLP; 3]);
    assert_eq!(kinds(&[], DefaultExporters::Console), [CONSOLE, NONE, NONE]);
    assert_eq!(kinds(&[], DefaultExporters::Nothing), [NONE; 3]);
    assert_eq!(kinds(&none, DefaultExporters::Otlp), [NONE; 3]);
    assert_eq!(
        kinds(
            &[("OTEL_TRACES_EXPORTER", "console, otlp")],
            DefaultExporters::Nothing
        ),
        [(true, true), NONE, NONE]
    );
    assert_eq!(
        kinds(
            &[("OTEL_METRICS_EXPORTER", "console")],
            DefaultExporters::Console
        ),
        [CONSOLE, NONE, CONSOLE]
    );
}

#[test]
fn wrong_exporters() {
    assert_complains(
        &[("OTEL_TRACES_EXPORTER", "otpl")],
        r#"OTEL_TRACES_EXPORTER: "otpl" is not known and is ignored; allowed: otlp, console, none"#,
    );
    assert_complains(
        &[("OTEL_TRACES_EXPORTER", "zipkin,otlp")],
        r#"OTEL_TRACES_EXPORTER: "zipkin" is known but not built in and is ignored; allowed: otlp, console, none"#,
    );
    assert_complains(
        &[("OTEL_METRICS_EXPORTER", "prometheus")],
        r#"OTEL_METRICS_EXPORTER: "prometheus" is known but not built in and is ignored; allowed: otlp, console, none"#,
    );
    assert_complains(
        &[("OTEL_LOGS_EXPORTER", "logging")],
        r#"OTEL_LOGS_EXPORTER: "logging" is known but not built in and is ignored; allowed: otlp, console, none"#,
    );
    assert_complains(
        &[("OTEL_LOGS_EXPORTER", "none,otlp")],
        r#"OTEL_LOGS_EXPORTER: "none" stands beside other exporters and is ignored; allowed: none alone"#,
    );
}

#[test]
fn simple_values() {
    assert_changes(&[("OTEL_PROPAGATORS", "b3,baggage")], |settings| {
        settings.propagators = "b3,baggage".to_owned();
    });
    assert_changes(&[("OTEL_TRACES_SAMPLER", "always_off")], |settings| {
        settings.sampler = SamplerSettings {
            root: RootSampler::AlwaysOff,
            parent_based: false,
        };
    });
}

#[test]
fn disabled_checks_nothing_about_otlp() {
    let certain_errors = [
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nonsense"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "no name"),
        ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "lone.pem"),
    ];
    assert_changes(&certain_errors, |settings| {
        settings.disabled = true;
        for signal in [
            &mut settings.traces,
            &mut settings.logs,
            &mut settings.metrics,
        ] {
            signal.otlp = None;
        }
    });
}

#[test]
fn known_but_unsupported() {
    let (settings, complaints) = read(&[
        ("OTEL_CONFIG_FILE", "otel.yaml"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "10"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "11"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"),
    ]);
    assert_eq!(settings, read(&[]).0);
    assert_eq!(
        complaints,
        [
            r#"OTEL_CONFIG_FILE: "otel.yaml" is known but not built in and is ignored; allowed: leaving it unset"#,
            r#"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "10" is known but not built in and is ignored; allowed: leaving it unset"#,
            r#"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: "11" is known but not built in and is ignored; allowed: leaving it unset"#,
            r#"OTEL_METRICS_EXEMPLAR_FILTER: "trace_based" is known but not built in and is ignored; allowed: always_off"#,
        ]
    );
    // What it asks for is what happens.
    assert_changes(&[("OTEL_METRICS_EXEMPLAR_FILTER", "always_off")], |_| ());
}

#[test]
fn batches() {
    assert_changes(
        &[
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "30"),
        ],
        |settings| {
            settings.span_batches = BatchSettings {
                queue_size: 100,
                batch_size: 10,
                delay: Duration::from_millis(20),
                timeout: Duration::from_secs(24 * 60 * 60),
            };
            settings.log_batches.delay = Duration::from_millis(30);
        },
    );
    // A queue smaller than a batch makes the batches smaller.
    assert_changes(&[("OTEL_BLRP_MAX_QUEUE_SIZE", "100")], |settings| {
        settings.log_batches.queue_size = 100;
        settings.log_batches.batch_size = 100;
    });
    assert_complains(
        &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9000")],
        r#"OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "9000" is too large and is ignored; allowed: a whole number from 1 to 8192"#,
    );
    assert_complains(
        &[("OTEL_BSP_MAX_QUEUE_SIZE", "0")],
        r#"OTEL_BSP_MAX_QUEUE_SIZE: "0" is too small and is ignored; allowed: a whole number from 1 to 1000000"#,
    );
}

#[test]
fn metrics() {
    assert_changes(
        &[
            ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
            ("OTEL_METRIC_EXPORT_TIMEOUT", "700"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
            (
                "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                "base2_exponential_bucket_histogram",
            ),
        ],
        |settings| {
            settings.metric = MetricSettings {
                interval: Duration::from_millis(1500),
                timeout: Duration::from_millis(700),
                temporality: Temporality::Delta,
                histogram: HistogramAggregation::ExponentialBuckets,
            };
        },
    );
    assert_complains(
        &[("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sum")],
        r#"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "sum" is not known and is ignored; allowed: cumulative, delta, lowmemory"#,
    );
    assert_complains(
        &[("OTEL_METRIC_EXPORT_INTERVAL", "0")],
        r#"OTEL_METRIC_EXPORT_INTERVAL: "0" is too small and is ignored; allowed: a whole number of milliseconds from 1"#,
    );
}

#[test]
fn limits() {
    assert_changes(
        &[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "11"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "12"),
            ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "13"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "14"),
        ],
        |settings| {
            settings.limits = Limits {
                attributes: 10,
                events: 11,
                links: 12,
                event_attributes: 10,
                link_attributes: 13,
                value_length: Some(14),
            };
        },
    );
    assert_changes(
        &[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "14"),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "0"),
        ],
        |settings| {
            settings.limits = Limits {
                attributes: 20,
                event_attributes: 10,
                link_attributes: 10,
                value_length: Some(0),
                ..settings.limits
            };
        },
    );
}

#[test]
fn otlp_for_one_signal_comes_before_all_signals() {
    let (settings, complaints) = read(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "HTTP/JSON"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
    ]);
    assert_eq!(complaints, Vec::<String>::new());
    let otlp = [&settings.traces, &settings.logs, &settings.metrics].map(|signal| {
        let otlp = signal.otlp.clone().unwrap();
        (
            otlp.protocol,
            otlp.endpoint.shown(),
            otlp.timeout.as_secs(),
            otlp.compression,
        )
    });
    let gzip = Some(Compression::Gzip);
    assert_eq!(
        otlp,
        [
            (Protocol::Grpc, "http://localhost:4317".to_owned(), 1, None),
            (
                Protocol::HttpJson,
                "http://localhost:4318/v1/logs".to_owned(),
                1,
                gzip
            ),
            (Protocol::Grpc, "http://localhost:4317".to_owned(), 2, gzip),
        ]
    );
}

#[test]
fn a_wrong_value_for_all_signals_is_reported_once() {
    assert_complains(
        &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http")],
        r#"OTEL_EXPORTER_OTLP_PROTOCOL: "http" is not known and is ignored; allowed: grpc, http/protobuf, http/json"#,
    );
}

#[test]
fn a_wrong_value_for_one_signal_leaves_the_one_for_all() {
    let (settings, complaints) = read(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/proto"),
    ]);
    assert_eq!(settings.traces.otlp.unwrap().protocol, Protocol::Grpc);
    assert_eq!(
        complaints,
        [
            r#"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/proto" is not known and is ignored; allowed: grpc, http/protobuf, http/json"#
        ]
    );
}

#[test]
fn signals_that_are_not_sent_need_no_endpoint() {
    let (settings, complaints) = read(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nonsense"),
    ]);
    assert_eq!((settings.traces.otlp, complaints), (None, Vec::new()));
}
