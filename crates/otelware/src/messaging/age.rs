//! How old messages are when their processing begins.

use super::client::Client;
use crate::operation::{Label, Moment, Series};
use crate::semconv::attribute;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use std::time::{Duration, SystemTime};

impl Client {
    /// Measures how old a message is that was made then, out of this destination, and whose
    /// processing begins.
    pub fn measure_age(&self, ages: &Series<Histogram<f64>>, destination: &str, made: SystemTime) {
        let (key, standing) = self.standing(destination);
        let key = key.map(|[id, kind]| [id, kind, 0, 0]);
        let age = age(made, Moment::now().wall());
        ages.measure(age.as_secs_f64(), key, || {
            let mut list = self.common_attributes();
            list.extend(standing.clone());
            list
        });
    }

    /// What stands for a destination on metrics that only one broker has, as on the others, and in
    /// the keys of their series. It is left out where it may be one of as many as anyone likes; no
    /// name stands for several destinations.
    pub fn standing(&self, destination: &str) -> (Option<[u64; 2]>, Option<KeyValue>) {
        if destination.is_empty() {
            return (Some([0, 0]), None);
        }
        let template = self.options().template(destination);
        let label = Label::foreign(template.as_deref().unwrap_or(destination));
        let (attribute, kind) = match template {
            Some(_) => (attribute::MESSAGING_DESTINATION_TEMPLATE, 1),
            None => (attribute::MESSAGING_DESTINATION_NAME, 0),
        };
        let key = label.id().map(|id| [id, kind]);
        (key, key.map(|_| KeyValue::new(attribute, label.value())))
    }

    /// What metrics have in common that only one broker has: the system, and the consumer's group.
    pub fn common_attributes(&self) -> Vec<KeyValue> {
        let broker = self.broker();
        let mut list = Vec::with_capacity(6);
        list.push(KeyValue::new(
            attribute::MESSAGING_SYSTEM_NAME,
            broker.system,
        ));
        if let Some(group) = &broker.consumer_group {
            let group = group.clone();
            list.push(KeyValue::new(
                attribute::MESSAGING_CONSUMER_GROUP_NAME,
                group,
            ));
        }
        list
    }
}

/// The clocks of both sides may differ, so that it is never less than nothing.
fn age(made: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(made).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_never_negative() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(age(at(100), at(107)), Duration::from_secs(7));
        assert_eq!(age(at(100), at(93)), Duration::ZERO);
    }
}
