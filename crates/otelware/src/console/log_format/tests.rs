#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::Mutex;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::console::test_support::{Captured, TRACE, span_context};

const IDS: &str = "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7";

fn layer<S>(captured: &Captured) -> impl tracing_subscriber::Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer()
        .event_format(ConsoleLogFormat::new())
        .with_ansi(false)
        .with_writer(Mutex::new(captured.clone()))
}

/// The lines that `log` writes, without their timestamps.
fn logged(log: impl FnOnce()) -> String {
    let captured = Captured::default();
    tracing::subscriber::with_default(Registry::default().with(layer(&captured)), log);
    without_timestamps(&captured)
}

fn without_timestamps(captured: &Captured) -> String {
    let text = captured.text();
    text.lines()
        .map(|line| {
            format!(
                "{}\n",
                line.get("2026-11-21T03:14:10.123Z".len()..).unwrap()
            )
        })
        .collect()
}

#[test]
fn an_event_without_span_has_no_ids() {
    let text = logged(
        || tracing::warn!(target: "orders", amount = 12, tenant = "acme", ratio = 0.5, "charged {}", 7),
    );
    assert_eq!(
        text,
        "  WARN orders: charged 7 amount=12 tenant=acme ratio=0.5\n"
    );
}

#[test]
fn an_event_under_a_span_of_the_api_carries_its_ids() {
    let text = logged(|| {
        let context =
            Context::new().with_remote_span_context(span_context(TRACE, 0x00f0_67aa_0ba9_02b7));
        let _guard = context.attach();
        tracing::info!(target: "orders", "inside");
    });
    assert_eq!(text, format!("  INFO {IDS} orders: inside\n"));
}

#[test]
fn an_event_under_a_tracing_span_carries_its_ids() {
    let captured = Captured::default();
    let provider = SdkTracerProvider::builder().build();
    let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = Registry::default().with(bridge).with(layer(&captured));
    let ids = tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("charge");
        let _entered = span.enter();
        tracing::error!(target: "orders", "inside");
        active_span("orders").unwrap()
    });
    let (trace_id, span_id) = ids;
    assert_eq!(
        without_timestamps(&captured),
        format!(" ERROR trace_id={trace_id} span_id={span_id} orders: inside\n")
    );
}

#[test]
fn the_api_own_messages_do_not_read_its_context() {
    let text = logged(|| {
        let context = Context::new().with_remote_span_context(span_context(TRACE, 1));
        let _guard = context.attach();
        tracing::warn!(target: "opentelemetry", "misuse");
    });
    assert_eq!(text, "  WARN opentelemetry: misuse\n");
}

#[test]
fn more_contexts_than_the_api_allows_do_not_panic() {
    let text = logged(|| {
        let guards: Vec<_> = (0..70_000).map(|_| Context::new().attach()).collect();
        for guard in guards.into_iter().rev() {
            drop(guard);
        }
        tracing::info!(target: "orders", "alive");
    });
    assert_eq!(text.lines().last(), Some("  INFO orders: alive"));
}

#[test]
fn control_characters_are_escaped_everywhere() {
    let text = logged(|| {
        let name = "a\u{1b}[2J\nb";
        tracing::info!(target: "orders", display = %name, debug = ?name, string = name, "hello {name}");
    });
    assert_eq!(
        text,
        "  INFO orders: hello a\\u{1b}[2J\\nb display=a\\u{1b}[2J\\nb debug=\"a\\u{1b}[2J\\nb\" string=\"a\\u{1b}[2J\\nb\"\n"
    );
}

#[test]
fn an_error_shows_its_sources() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("payment failed")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = Outer(io::Error::other("refused"));
    let text =
        logged(|| tracing::info!(target: "orders", error = &error as &(dyn Error + 'static), "x"));
    assert_eq!(text, "  INFO orders: x error=\"payment failed: refused\"\n");
}
