//! Topics and partitions that several messages or offsets are about.

use crate::partition;
use crate::telemetry::Telemetry;
use otelware::messaging::{Call, Destination, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::operation::Operation;
use otelware::semconv::attribute;
use rdkafka::TopicPartitionList;

/// What is the same for all of several messages or offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Destinations {
    /// The topic, or nothing where there are several.
    pub(crate) topic: String,
    /// The partition, where there is one.
    pub(crate) partition: Option<i32>,
}

impl Destinations {
    /// What those have in common.
    pub(crate) fn of<'t>(all: impl IntoIterator<Item = (&'t str, i32)>) -> Self {
        let mut all = all.into_iter();
        let Some((topic, partition)) = all.next() else {
            return Self::default();
        };
        let (mut one_topic, mut one_partition) = (true, true);
        for (other_topic, other_partition) in all {
            one_topic &= other_topic == topic;
            one_partition &= other_partition == partition;
        }
        Self {
            topic: if one_topic {
                topic.to_owned()
            } else {
                String::new()
            },
            partition: (one_topic && one_partition).then_some(partition),
        }
    }

    /// What the elements of a list have in common.
    pub(crate) fn of_list(list: &TopicPartitionList) -> Self {
        let elements = list.elements();
        let elements = elements.iter();
        Self::of(elements.map(|element| (element.topic(), element.partition())))
    }

    /// Begins to settle messages. `attributes` adds what the span alone has.
    pub(crate) fn settle(
        &self,
        telemetry: &Telemetry,
        verb: Verb,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let partition = self.partition.and_then(partition::label);
        let destination = Destination::named(&self.topic);
        let mut operation = telemetry.client().settle(verb, destination, |list| {
            if let Some(partition) = &partition {
                list.push(KeyValue::new(
                    attribute::MESSAGING_DESTINATION_PARTITION_ID,
                    partition.value(),
                ));
            }
            list.extend(telemetry.cluster());
            attributes(list);
        });
        if let Some(partition) = partition {
            operation.describe_mut().set_shown_partition(partition);
        }
        operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &[(&str, i32)]) -> (String, Option<i32>) {
        let found = Destinations::of(all.iter().copied());
        (found.topic, found.partition)
    }

    #[test]
    fn what_is_the_same_for_all_is_told() {
        assert_eq!(of(&[]), (String::new(), None));
        assert_eq!(of(&[("a", 1)]), ("a".to_owned(), Some(1)));
        assert_eq!(of(&[("a", 1), ("a", 1)]), ("a".to_owned(), Some(1)));
        assert_eq!(of(&[("a", 1), ("a", 2)]), ("a".to_owned(), None));
        assert_eq!(of(&[("a", 1), ("b", 1)]), (String::new(), None));
    }
}
