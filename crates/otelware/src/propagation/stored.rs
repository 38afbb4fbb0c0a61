//! Contexts that are kept for later.

use super::{MapExtractor, MapInjector, Outbound, inject};
use opentelemetry::{Context, global};
use std::collections::HashMap;

/// The context as fields that can be kept: in an outbox, in the queue of a scheduler, in a file. The
/// global propagator names and writes them. Baggage is among them.
///
/// ```
/// use otelware::opentelemetry::Context;
/// use otelware::propagation::{restore, store};
///
/// let fields = store(&Context::current());
/// // Later, perhaps in another process:
/// let operation = otelware::operation("relay event").parent(restore(&fields));
/// ```
pub fn store(context: &Context) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    global::get_text_map_propagator(|propagator| {
        let carrier = &mut MapInjector(&mut fields);
        inject(propagator, context, carrier, &Outbound::Everything);
    });
    fields
}

/// The context that [`store`] made fields of; an empty one where they tell of none. What is current
/// has no part in it. Fields that others can write are for [`extract`](super::extract) and its
/// [`Trust`](super::Trust).
pub fn restore(fields: &HashMap<String, String>) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &MapExtractor(fields))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::CompositePropagator;
    use opentelemetry::baggage::BaggageExt;
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use opentelemetry::{Key, KeyValue};

    #[test]
    fn a_context_comes_back_whatever_is_current() {
        global::set_text_map_propagator(CompositePropagator::default());
        let remote = |span: u64| {
            SpanContext::new(
                TraceId::from(7),
                SpanId::from(span),
                TraceFlags::SAMPLED,
                true,
                TraceState::default(),
            )
        };
        let context = Context::new()
            .with_baggage([KeyValue::new("tenant", "acme")])
            .with_remote_span_context(remote(1));
        let fields = store(&context);
        let _other = Context::new().with_remote_span_context(remote(2)).attach();

        let restored = restore(&fields);
        assert_eq!(restored.span().span_context(), &remote(1));
        let tenant = restored.baggage().get(Key::new("tenant"));
        assert_eq!(tenant.map(ToString::to_string), Some("acme".to_owned()));

        let nothing = restore(&HashMap::new());
        assert_eq!(nothing.span().span_context(), &SpanContext::NONE);
    }
}
