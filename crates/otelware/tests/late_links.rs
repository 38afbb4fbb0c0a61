//! Links of spans whose attributes wait until the span is known to record: they wait too, and are
//! there in the end.
#![cfg(all(feature = "messaging", feature = "telemetry"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry_sdk::trace::Sampler;
use otelware::messaging::{Broker, Client, Destination, Envelope, Options, Parenting, Verb};
use otelware::operation;
use otelware::propagation::{CompositePropagator, PairsExtractor};
use otelware_testing::{Capture, RemoteParent};
use std::sync::Arc;

/// The links of the processing of a message from this sender, inside another span.
fn links(sampler: Sampler, late: bool, sender: &RemoteParent) -> Option<Vec<String>> {
    let telemetry = Capture::builder().sampler(sampler).build();
    let mut options = Options {
        parenting: Some(Arc::new(|_| Parenting::Parent)),
        ..Options::default()
    };
    let providers = &mut options.providers;
    providers.set_tracer_provider(telemetry.tracer_provider());
    providers.set_meter_provider(telemetry.meter_provider());
    providers.set_propagator(CompositePropagator::default());
    if late {
        providers.set_late_attributes();
    }
    let client = Client::new("late", "1", options, Broker::default());
    let headers: Vec<_> = (sender.headers().into_iter())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let outer = operation("outer").with_tracer_provider(telemetry.tracer_provider());
    outer.run_blocking(|| {
        let message = Envelope {
            destination: Destination::named("orders"),
            headers: Some(&PairsExtractor(&headers)),
            body_size: 0,
        };
        client
            .process(Verb::process("process"), &message, |_| {})
            .finish();
    });
    let spans = telemetry.spans();
    let outer = spans.iter().find(|span| span.name == "outer")?;
    let span = spans.iter().find(|span| span.name == "process orders")?;
    let named = |id: &str| match id {
        _ if id == outer.span_id.to_string() => "outer".to_owned(),
        _ if sender.traceparent().contains(id) => "sender".to_owned(),
        _ => id.to_owned(),
    };
    let links = span.links.iter();
    Some(links.map(|link| named(&link.span_id.to_string())).collect())
}

#[test]
fn links_are_there_whenever_they_are_set() {
    let expected = Some(vec!["sender".to_owned(), "outer".to_owned()]);
    for sender in [RemoteParent::sampled(), RemoteParent::unsampled()] {
        for late in [false, true] {
            assert_eq!(links(Sampler::AlwaysOn, late, &sender), expected, "{late}");
        }
    }
}
