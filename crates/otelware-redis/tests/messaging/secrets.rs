//! What is in entries and messages reaches no exporter.

use crate::expected::options;
use crate::support::shared_url;
use otelware_redis::{ConsumerOptions, Instrument};
use otelware_testing::Capture;
use proptest::collection::vec;
use proptest::prelude::*;
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Cmd, Commands, Msg, Pipeline, PushInfo, PushKind, Value};
use std::collections::HashMap;

/// What is secret begins with this, and goes on with anything at all.
const MARKER: &str = "m4rk3r";

fn secret() -> impl Strategy<Value = String> {
    "[ -~äß\\n\\r\\t]{0,24}".prop_map(|rest| format!("{MARKER}{rest}"))
}

/// Fields of an entry: some where a context is, and some whose names are secret too.
fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        Just("item".to_owned()),
        Just("traceparent".to_owned()),
        Just("tracestate".to_owned()),
        Just("baggage".to_owned()),
    ];
    vec((name, secret()), 1..6)
}

fn entry(fields: &[(String, String)]) -> StreamId {
    let value = |value: &String| Value::BulkString(value.clone().into_bytes());
    let map = fields
        .iter()
        .map(|(name, text)| (name.clone(), value(text)));
    StreamId {
        id: "1795286461123-0".to_owned(),
        map: map.collect::<HashMap<_, _>>(),
        ..StreamId::default()
    }
}

fn message(payload: &str) -> Msg {
    let bytes = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    let data = vec![bytes("news"), bytes(payload)];
    Msg::from_push_info(PushInfo {
        kind: PushKind::Message,
        data,
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_field_and_no_payload_is_told(fields in fields(), payload in secret()) {
        let telemetry = Capture::new();
        let options = options(&telemetry).with_stream_context();
        let client = redis::Client::open(shared_url()).unwrap().instrument_with(options);
        let mut connection = client.get_connection().unwrap();
        let stream = format!("otelware:secrets:{}", std::process::id());
        let add = Cmd::xadd(&stream, "*", &fields);
        add.exec(&mut connection).unwrap();
        let mut pipeline = Pipeline::new();
        pipeline.add_command(add.clone()).add_command(add).atomic();
        pipeline.exec(&mut connection).unwrap();
        let read: StreamRangeReply = connection.xrange_all(&stream).unwrap();
        let _: usize = connection.del(&stream).unwrap();

        // With all that may be shown, but for the fields that are asked for by name.
        let options = ConsumerOptions::of(&client).with_error_messages().with_body_sizes();
        let consumer = options.clone().stream_consumer("billing", "worker-1");
        for entry in read.ids.iter().chain([&entry(&fields)]) {
            consumer.start_process(&stream, entry).fail("out_of_stock");
        }
        consumer.start_process_batch(&stream, &read.ids).finish();
        let subscriber = options.subscriber();
        let done = subscriber.process_sync(&message(&payload), || Err::<(), _>(payload.clone()));
        prop_assert!(done.is_err());
        prop_assert!(telemetry.spans().len() >= 9);
        telemetry.assert_never_contains(MARKER);
    }
}
