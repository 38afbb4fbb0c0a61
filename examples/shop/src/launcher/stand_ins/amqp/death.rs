//! What a message tells of its death.

use super::broker::Message;
use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::{AMQPValue, FieldArray, FieldTable, ShortString};
use std::time::{SystemTime, UNIX_EPOCH};

const REASON: &str = "rejected";

/// The properties of a message that was rejected from a queue, with what RabbitMQ adds: an account of this death
/// before those of earlier ones, and which was the first.
pub(super) fn record(message: &Message, queue: &ShortString) -> BasicProperties {
    let mut headers = message.properties.headers().clone().unwrap_or_default();
    let mut deaths = vec![AMQPValue::FieldTable(death(message, queue))];
    match headers.inner().get("x-death") {
        Some(AMQPValue::FieldArray(earlier)) => deaths.extend_from_slice(earlier.as_slice()),
        _ => {
            for (key, value) in [
                ("x-first-death-exchange", message.exchange.as_str()),
                ("x-first-death-queue", queue.as_str()),
                ("x-first-death-reason", REASON),
            ] {
                headers.insert(key.into(), text(value));
            }
        }
    }
    headers.insert("x-death".into(), AMQPValue::FieldArray(deaths.into()));
    message.properties.clone().with_headers(headers)
}

fn death(message: &Message, queue: &ShortString) -> FieldTable {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let routing_keys = FieldArray::from(vec![text(message.routing_key.as_str())]);
    let mut death = FieldTable::default();
    for (key, value) in [
        ("count", AMQPValue::LongLongInt(1)),
        ("exchange", text(message.exchange.as_str())),
        ("queue", text(queue.as_str())),
        ("reason", text(REASON)),
        ("routing-keys", AMQPValue::FieldArray(routing_keys)),
        (
            "time",
            AMQPValue::Timestamp(now.unwrap_or_default().as_secs()),
        ),
    ] {
        death.insert(key.into(), value);
    }
    death
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}
