//! The processing of several messages at once.

use crate::core::{Core, verb};
use crate::delivery::Delivery;
use crate::destination::Name;
use otelware::messaging::{Processing, Received};
use otelware::opentelemetry::propagation::Extractor;
use otelware::opentelemetry::trace::TraceContextExt;
use std::sync::Arc;

/// Begins to process messages at once, which come from `queue` where their ways differ.
pub(crate) fn process(core: &Arc<Core>, queue: Name, deliveries: &[&Delivery]) -> Processing {
    let mut names = deliveries.iter().map(|delivery| &delivery.origin().name);
    let name = match names.next() {
        Some(first) if names.all(|name| name.text == first.text) => first.clone(),
        _ => queue,
    };
    let headers: Vec<_> = deliveries
        .iter()
        .map(|delivery| delivery.headers())
        .collect();
    let messages = deliveries.iter().zip(&headers).map(|(delivery, headers)| {
        let mut attributes = Vec::new();
        delivery.push(&mut attributes);
        Received {
            headers: headers.as_ref().map(|headers| headers as &dyn Extractor),
            attributes,
        }
    });
    let client = &core.client;
    let processing = client.process_batch(verb::PROCESS, name.destination(), messages, |_| {});
    let span = processing.context().span().span_context().clone();
    if span.is_valid() {
        for delivery in deliveries {
            let state = &delivery.origin().source.state;
            let unacknowledged = &state.unacknowledged;
            unacknowledged.processed_by(delivery.delivery_tag, span.clone());
        }
    }
    processing
}
