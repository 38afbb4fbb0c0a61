//! What the broker tells of the lives of a message before this one.

use crate::carrier::text;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use otelware::opentelemetry::KeyValue;
use otelware::operation::bounded;
use otelware::semconv::{attribute, value};

/// Where the broker tells of dead-lettering, last death first.
const DEATHS: &str = "x-death";
/// Where quorum queues count deliveries.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Why the broker dead-letters a message.
const REASONS: [&str; 4] = ["rejected", "expired", "maxlen", "delivery_limit"];

/// How a message was dead-lettered last, and how often in all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Death<'a> {
    count: i64,
    pub(crate) reason: &'static str,
    queue: Option<&'a str>,
}

impl<'a> Death<'a> {
    /// How the message with these headers was dead-lettered. Whoever sends it may claim anything.
    pub(crate) fn of(properties: &'a BasicProperties) -> Option<Self> {
        let deaths = properties.headers().as_ref()?.inner().get(DEATHS)?;
        let deaths = deaths.as_array()?.as_slice();
        let deaths = || deaths.iter().filter_map(AMQPValue::as_field_table);
        let last = deaths().next()?.inner();
        let reason = last.get("reason").and_then(text);
        let count = |death: &FieldTable| death.inner().get("count").and_then(number).unwrap_or(1);
        Some(Self {
            count: deaths().map(count).fold(0, i64::saturating_add),
            reason: (REASONS.into_iter())
                .find(|known| Some(*known) == reason)
                .unwrap_or(value::OTHER),
            queue: last.get("queue").and_then(text),
        })
    }

    fn push(&self, list: &mut Vec<KeyValue>) {
        list.push(KeyValue::new(
            attribute::RABBITMQ_DEAD_LETTER_COUNT,
            self.count,
        ));
        list.push(KeyValue::new(
            attribute::RABBITMQ_DEAD_LETTER_REASON,
            self.reason,
        ));
        if let Some(queue) = self.queue {
            list.push(KeyValue::new(
                attribute::RABBITMQ_DEAD_LETTER_QUEUE,
                bounded(queue).to_owned(),
            ));
        }
    }
}

/// Adds the attributes of a message's lives before this one.
pub(crate) fn push(redelivered: bool, properties: &BasicProperties, list: &mut Vec<KeyValue>) {
    if redelivered {
        list.push(KeyValue::new(attribute::RABBITMQ_REDELIVERED, true));
    }
    let headers = properties.headers().as_ref();
    let count = headers.and_then(|headers| number(headers.inner().get(DELIVERY_COUNT)?));
    if let Some(count) = count.filter(|count| *count > 0) {
        list.push(KeyValue::new(attribute::RABBITMQ_DELIVERY_COUNT, count));
    }
    if let Some(death) = Death::of(properties) {
        death.push(list);
    }
}

/// A whole number of any type.
fn number(value: &AMQPValue) -> Option<i64> {
    Some(match value {
        AMQPValue::ShortShortInt(number) => i64::from(*number),
        AMQPValue::ShortShortUInt(number) => i64::from(*number),
        AMQPValue::ShortInt(number) => i64::from(*number),
        AMQPValue::ShortUInt(number) => i64::from(*number),
        AMQPValue::LongInt(number) => i64::from(*number),
        AMQPValue::LongUInt(number) => i64::from(*number),
        AMQPValue::LongLongInt(number) => *number,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::FieldArray;

    fn died(queue: &str, reason: &str, count: i64) -> AMQPValue {
        let mut death = FieldTable::default();
        death
            .insert("queue".into(), AMQPValue::LongString(queue.into()))
            .insert("reason".into(), AMQPValue::LongString(reason.into()))
            .insert("count".into(), AMQPValue::LongLongInt(count));
        AMQPValue::FieldTable(death)
    }

    fn with(name: &str, value: AMQPValue) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(name.into(), value);
        BasicProperties::default().with_headers(headers)
    }

    #[test]
    fn the_last_death_is_told_and_all_are_counted() {
        let deaths = FieldArray::from(vec![
            died("retry", "expired", 3),
            died("jobs", "rejected", 4),
        ]);
        let properties = with("x-death", AMQPValue::FieldArray(deaths));
        let mut list = Vec::new();
        push(false, &properties, &mut list);
        assert_eq!(
            list,
            [
                KeyValue::new("otelware.rabbitmq.dead_letter.count", 7),
                KeyValue::new("otelware.rabbitmq.dead_letter.reason", "expired"),
                KeyValue::new("otelware.rabbitmq.dead_letter.queue", "retry"),
            ]
        );
    }

    #[test]
    fn anything_may_stand_there() {
        let claims = [died("", "because", i64::MAX), died("", "", i64::MAX)].to_vec();
        let properties = with("x-death", AMQPValue::FieldArray(claims.into()));
        let expected = Death {
            count: i64::MAX,
            reason: "_OTHER",
            queue: Some(""),
        };
        assert_eq!(Death::of(&properties), Some(expected));
        for odd in [
            AMQPValue::LongString("rejected".into()),
            AMQPValue::FieldArray(FieldArray::default()),
            AMQPValue::FieldArray(vec![AMQPValue::Void].into()),
        ] {
            assert_eq!(Death::of(&with("x-death", odd)), None);
        }
    }

    #[test]
    fn a_first_delivery_says_nothing() {
        let mut list = Vec::new();
        push(false, &BasicProperties::default(), &mut list);
        push(
            false,
            &with("x-delivery-count", AMQPValue::LongLongInt(0)),
            &mut list,
        );
        assert_eq!(list, []);
        push(
            true,
            &with("x-delivery-count", AMQPValue::LongLongInt(2)),
            &mut list,
        );
        assert_eq!(
            list,
            [
                KeyValue::new("otelware.rabbitmq.redelivered", true),
                KeyValue::new("otelware.rabbitmq.delivery_count", 2),
            ]
        );
    }
}
