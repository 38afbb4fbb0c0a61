//! Every propagator on arbitrary headers: none may panic, and what one reads and writes again it
//! must read the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use otelware::propagation::{CompositePropagator, PairsExtractor, PairsInjector};

const FIELDS: [&str; 10] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "uber-trace-id",
    "uberctx-key",
    "tracestate",
];

fuzz_target!(|values: Vec<String>| {
    let headers: Vec<(String, String)> = FIELDS
        .iter()
        .zip(values)
        .map(|(field, value)| ((*field).to_owned(), value))
        .collect();
    for names in ["tracecontext,baggage", "b3", "b3multi", "jaeger"] {
        let (propagator, _) = CompositePropagator::from_names(names);
        let read = |headers: &Vec<(String, String)>| {
            let context = propagator.extract_with_context(&Context::new(), &PairsExtractor(headers));
            let span = context.span();
            let span = span.span_context();
            let ids = (span.trace_id(), span.span_id(), span.is_sampled());
            let state = span.trace_state().header();
            (ids, state, context.baggage().to_string().len(), context)
        };
        let (ids, state, _, context) = read(&headers);
        let mut written = Vec::new();
        propagator.inject_context(&context, &mut PairsInjector(&mut written));
        assert!(written.iter().all(|(_, value)| !value.is_empty() && value.len() <= 8_192));
        let (ids_again, state_again, _, _) = read(&written);
        assert_eq!(ids, ids_again, "{names}: {headers:?} {written:?}");
        assert!(state.starts_with(&state_again) || state.len() > 512);
    }
});
