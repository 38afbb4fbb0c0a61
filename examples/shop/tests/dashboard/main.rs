//! The dashboard and the alerts: all that they ask Prometheus for is what a run of the shop exports.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exported;
mod files;
mod promql;

use exported::Exported;
use otelware_testing::Program;
use otelware_testing::otlp::OtlpReceiver;
use promql::Query;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

/// Labels that only operations that failed have; whether something failed in a run is chance for some of them.
const OF_FAILURES: [&str; 1] = ["error_type"];

/// What a run may be over without, and why.
const SELDOM: [(&str, &str); 1] = [(
    "otelware_rabbitmq_unacknowledged_age_seconds",
    "begins when metrics are collected while a delivery is not settled",
)];

/// Series that no service exports: Prometheus' own, and the collector's.
fn is_foreign(metric: &str) -> bool {
    ["up", "target_info"].contains(&metric) || metric.starts_with("otelcol_")
}

/// What the shop exports when it places one order of each kind.
fn run() -> Exported {
    let receiver = OtlpReceiver::grpc();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.endpoint()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    Program::start(env!("CARGO_BIN_EXE_shop"), &[], &variables)
        .deadline(Duration::from_secs(60))
        .end()
        .assert_success();
    Exported::of(&receiver.received().metrics)
}

#[test]
fn a_run_exports_every_metric_and_label_in_use() {
    let exported = run();
    let recorded = files::recorded();
    let mut missing = Vec::new();
    for text in files::expressions() {
        let query = Query::parse(&text);
        for (metric, matched) in &query.selectors {
            if is_foreign(metric) || recorded.contains(metric) {
                continue;
            }
            let Some(labels) = exported.labels(metric) else {
                if !SELDOM.iter().any(|(seldom, _)| seldom == metric) {
                    missing.push(format!("{metric} in {text}"));
                }
                continue;
            };
            let used = query.grouped.iter().chain(matched);
            for label in used.filter(|label| !labels.contains(*label)) {
                // One side of an `or` need not have what the other is grouped by.
                let is_elsewhere = (query.grouped.contains(label) && !matched.contains(label))
                    && (query.selectors.iter()).any(|(other, _)| exported.has(other, label));
                if !is_elsewhere && !OF_FAILURES.contains(&label.as_str()) {
                    missing.push(format!("{metric}{{{label}}} in {text}"));
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    for label in OF_FAILURES {
        assert!(exported.any_has(label), "no metric has {label}");
    }
}

#[test]
fn legends_show_what_their_queries_group_by() {
    let recorded = files::recorded();
    for (text, legend) in files::legends() {
        let query = Query::parse(&text);
        let shown: BTreeSet<String> = promql::shown(&legend).collect();
        let is_recorded = query
            .selectors
            .iter()
            .any(|(metric, _)| recorded.contains(metric));
        // What a recorded series is grouped by is in its name, up to the first colon: `job_dependency:…`.
        let is_told = |label: &String| {
            query.grouped.contains(label)
                || (is_recorded
                    && text
                        .split(':')
                        .next()
                        .is_some_and(|level| level.contains(label.as_str())))
        };
        assert!(shown.iter().all(is_told), "{legend} of {text}");
    }
}

#[test]
fn every_alert_is_tested_to_fire() {
    assert_eq!(files::tested_alerts(), files::alerts());
}

#[test]
fn the_rules_hold() {
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/check");
    let output = Command::new(check).output().expect("deploy/check runs");
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {}
        // There is no promtool here.
        Some(77) => eprintln!("{said}skipped: deploy/check"),
        _ => panic!(
            "{}: {}{said}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        ),
    }
}

#[test]
fn the_collector_uses_what_it_declares() {
    let collector = files::collector();
    for (signal, pipeline) in collector["service"]["pipelines"].as_object().unwrap() {
        for part in ["receivers", "processors", "exporters"] {
            for component in pipeline[part].as_array().unwrap() {
                let name = component.as_str().unwrap();
                assert!(
                    collector[part].get(name).is_some(),
                    "{part} of {signal}: {name}"
                );
            }
        }
    }
}
