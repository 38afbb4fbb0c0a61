//! Header tables as carriers, whatever is in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldTable, ShortString};
use otelware_lapin::otelware::opentelemetry::propagation::{
    Extractor, Injector, TextMapPropagator,
};
use otelware_lapin::otelware::opentelemetry::trace::TraceContextExt;
use otelware_lapin::otelware::propagation::{CompositePropagator, Outbound, inject};
use otelware_lapin::{HeaderExtractor, HeaderInjector};
use otelware_testing::RemoteParent;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z-]{1,12}",
        Just("traceparent".to_owned()),
        Just("TraceState".to_owned()),
        Just("baggage".to_owned()),
        Just("é".repeat(120)),
    ]
}

fn value() -> impl Strategy<Value = AMQPValue> {
    let bytes = || vec(any::<u8>(), 0..40);
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        any::<u64>().prop_map(AMQPValue::Timestamp),
        any::<u32>().prop_map(|value| AMQPValue::DecimalValue(DecimalValue { scale: 2, value })),
        Just(AMQPValue::Void),
        bytes().prop_map(|bytes| AMQPValue::LongString(bytes.into())),
        bytes().prop_map(|bytes| AMQPValue::ByteArray(ByteArray::from(bytes))),
        "\\PC{0,40}".prop_map(|text| AMQPValue::LongString(text.into())),
        "[a-z=,]{0,40}".prop_map(|text| AMQPValue::ShortString(text.into())),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| AMQPValue::FieldArray(values.into())),
            table_of(inner).prop_map(AMQPValue::FieldTable),
        ]
    })
}

fn table_of(value: impl Strategy<Value = AMQPValue>) -> impl Strategy<Value = FieldTable> {
    btree_map(name(), value, 0..6).prop_map(|entries| {
        let entries = entries
            .into_iter()
            .map(|(name, value)| (ShortString::from(name), value));
        FieldTable::from(entries.collect::<std::collections::BTreeMap<_, _>>())
    })
}

fn is_field(name: &ShortString) -> bool {
    let fields = ["traceparent", "tracestate", "baggage"];
    fields
        .iter()
        .any(|field| name.as_str().eq_ignore_ascii_case(field))
}

proptest! {
    #[test]
    fn anything_can_be_read(table in table_of(value())) {
        let headers = HeaderExtractor(&table);
        for name in headers.keys() {
            // The first of all values, but for a field that must be the only one.
            let all = headers.get_all(name).unwrap_or_default();
            match headers.get(name) {
                Some(value) => prop_assert_eq!(all.first(), Some(&value)),
                None => prop_assert!(all.is_empty() || name.eq_ignore_ascii_case("traceparent")),
            }
        }
        CompositePropagator::default().extract(&headers);
    }

    #[test]
    fn a_context_takes_the_place_of_another_and_the_rest_stays(table in table_of(value())) {
        let sender = RemoteParent::sampled();
        let mut written = table.clone();
        let propagator = CompositePropagator::default();
        let mut injector = HeaderInjector(&mut written);
        inject(&propagator, &sender.context(), &mut injector, &Outbound::TraceContextOnly);
        let read = propagator.extract(&HeaderExtractor(&written));
        let (span, expected) = (read.span().span_context().clone(), sender.context());
        prop_assert_eq!(span.trace_id(), expected.span().span_context().trace_id());
        prop_assert_eq!(span.span_id(), expected.span().span_context().span_id());
        let rest = |table: &FieldTable| {
            let mut rest = table.inner().clone();
            rest.retain(|name, _| !is_field(name));
            rest
        };
        prop_assert_eq!(rest(&written), rest(&table));
        prop_assert_eq!(written.inner().len(), rest(&written).len() + 1);
    }

    #[test]
    fn a_field_is_written_as_it_is(value in "[ -~]{1,80}", key in "[a-z]{1,20}") {
        let mut table = FieldTable::default();
        HeaderInjector(&mut table).set(&key, value.clone());
        let headers = HeaderExtractor(&table);
        prop_assert_eq!(headers.get(&key), Some(value.as_str()));
    }
}
