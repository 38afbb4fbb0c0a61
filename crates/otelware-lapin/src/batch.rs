//! The processing of several messages at once.

use crate::core::{Core, verb};
use crate::delivery::Delivery;
use crate::destination::Name;
use otelware::messaging::{Processing, Received};
use otelware::opentelemetry::propagation::Extractor;
use std::sync::Arc;

/// Begins to process messages at once, which come from `queue` where their ways differ.
pub(crate) fn process(core: &Arc<Core>, queue: Name, deliveries: &[&Delivery]) -> Processing {
    let client = &core.client;
    if client.is_idle() {
        return client.process_batch(verb::PROCESS, queue.destination(), [], |_| {});
    }
    let mut names = deliveries.iter().map(|delivery| delivery.name());
    let name = match names.next() {
        Some(first) if names.all(|name| name.text == first.text) => first,
        _ => queue,
    };
    let headers: Vec<_> = deliveries
        .iter()
        .map(|delivery| delivery.headers())
        .collect();
    let messages = deliveries.iter().zip(&headers).map(|(delivery, headers)| {
        let mut attributes = Vec::new();
        // Without a context there is no link that could have them.
        if headers.is_some() {
            delivery.push(&mut attributes);
        }
        Received {
            headers: headers.as_ref().map(|headers| headers as &dyn Extractor),
            attributes,
        }
    });
    let processing = client.process_batch(verb::PROCESS, name.destination(), messages, |_| {});
    for delivery in deliveries {
        delivery.processed_by(&processing);
    }
    processing
}
