//! The metrics that are read from statistics.

use super::snapshot::{self, Snapshot};
use crate::server;
use otelware::messaging;
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::metrics::Meter;
use otelware::semconv::{attribute, metric, unit};

/// A value and its attributes.
#[derive(Debug, PartialEq)]
pub(super) struct Point {
    value: i64,
    attributes: Vec<KeyValue>,
}

/// A metric, and what it is read from.
pub(super) struct Metric {
    name: &'static str,
    description: &'static str,
    unit: &'static str,
    instrument: Instrument,
    source: Source,
}

#[derive(Clone, Copy)]
enum Instrument {
    Gauge,
    /// A gauge of seconds whose values are microseconds.
    Seconds,
    UpDownCounter,
    Counter,
}

/// What a value is read from; none where there is nothing to tell.
#[derive(Clone, Copy)]
enum Source {
    Producer(fn(&Snapshot) -> Option<i64>),
    Group(fn(&snapshot::Group) -> Option<i64>),
    Partition(fn(&snapshot::Partition) -> Option<i64>),
    Broker(fn(&snapshot::Broker) -> Option<i64>),
}

pub(super) const METRICS: [Metric; 13] = [
    Metric {
        name: metric::KAFKA_PRODUCER_QUEUE_MESSAGES,
        description: "Number of messages in the producer's queues.",
        unit: unit::MESSAGES,
        instrument: Instrument::UpDownCounter,
        source: Source::Producer(|all| Some(all.msg_cnt)),
    },
    Metric {
        name: metric::KAFKA_PRODUCER_QUEUE_SIZE,
        description: "Size of the messages in the producer's queues.",
        unit: unit::BYTES,
        instrument: Instrument::UpDownCounter,
        source: Source::Producer(|all| Some(all.msg_size)),
    },
    Metric {
        name: metric::KAFKA_CONSUMER_LAG,
        description: "Number of messages between the offset that the group has committed and the end of the partition.",
        unit: unit::MESSAGES,
        instrument: Instrument::Gauge,
        // Unknown lag is -1.
        source: Source::Partition(|partition| {
            (partition.consumer_lag >= 0).then_some(partition.consumer_lag)
        }),
    },
    Metric {
        name: metric::KAFKA_CONSUMER_QUEUE_MESSAGES,
        description: "Number of messages that were fetched and wait for the application.",
        unit: unit::MESSAGES,
        instrument: Instrument::UpDownCounter,
        source: Source::Partition(|partition| Some(partition.fetchq_cnt)),
    },
    Metric {
        name: metric::KAFKA_CONSUMER_QUEUE_SIZE,
        description: "Size of the messages that were fetched and wait for the application.",
        unit: unit::BYTES,
        instrument: Instrument::UpDownCounter,
        source: Source::Partition(|partition| Some(partition.fetchq_size)),
    },
    Metric {
        name: metric::KAFKA_CONSUMER_PARTITIONS,
        description: "Number of partitions that are assigned to the consumer.",
        unit: unit::PARTITIONS,
        instrument: Instrument::UpDownCounter,
        source: Source::Group(|group| Some(group.assignment_size)),
    },
    Metric {
        name: metric::KAFKA_CONSUMER_REBALANCES,
        description: "Number of rebalances that the consumer went through.",
        unit: unit::REBALANCES,
        instrument: Instrument::Counter,
        source: Source::Group(|group| Some(group.rebalance_cnt)),
    },
    Metric {
        name: metric::KAFKA_BROKER_ROUND_TRIP_AVERAGE,
        description: "Average time from a request to its response, since the last statistics.",
        unit: unit::SECONDS,
        instrument: Instrument::Seconds,
        source: Source::Broker(|broker| window(broker).map(|window| window.avg)),
    },
    Metric {
        name: metric::KAFKA_BROKER_ROUND_TRIP_P99,
        description: "99th percentile of the times from a request to its response, since the last statistics.",
        unit: unit::SECONDS,
        instrument: Instrument::Seconds,
        source: Source::Broker(|broker| window(broker).map(|window| window.p99)),
    },
    Metric {
        name: metric::KAFKA_BROKER_REQUESTS_IN_FLIGHT,
        description: "Number of requests that the broker has not answered yet.",
        unit: unit::REQUESTS,
        instrument: Instrument::UpDownCounter,
        source: Source::Broker(|broker| Some(broker.waitresp_cnt)),
    },
    Metric {
        name: metric::KAFKA_BROKER_REQUESTS_QUEUED,
        description: "Number of requests that wait to be sent to the broker.",
        unit: unit::REQUESTS,
        instrument: Instrument::UpDownCounter,
        source: Source::Broker(|broker| Some(broker.outbuf_cnt)),
    },
    Metric {
        name: metric::KAFKA_BROKER_REQUEST_RETRIES,
        description: "Number of requests that were sent to the broker again.",
        unit: unit::REQUESTS,
        instrument: Instrument::Counter,
        source: Source::Broker(|broker| Some(broker.txretries)),
    },
    Metric {
        name: metric::KAFKA_BROKER_REQUEST_TIMEOUTS,
        description: "Number of requests that the broker did not answer in time.",
        unit: unit::REQUESTS,
        instrument: Instrument::Counter,
        source: Source::Broker(|broker| Some(broker.req_timeouts)),
    },
];

/// The window of the round trips, where there were any.
fn window(broker: &snapshot::Broker) -> Option<&snapshot::Window> {
    broker.rtt.as_ref().filter(|window| window.cnt > 0)
}

impl Metric {
    /// The metric's points in the statistics.
    pub(super) fn read(&self, all: &Snapshot, client: &messaging::Broker) -> Vec<Point> {
        let point = |value: Option<i64>, more: &dyn Fn(&mut Vec<KeyValue>)| {
            let value = value?;
            let mut attributes = common(all, client);
            more(&mut attributes);
            Some(Point { value, attributes })
        };
        match self.source {
            Source::Producer(read) if all.kind == "producer" => {
                point(read(all), &|_| {}).into_iter().collect()
            }
            Source::Producer(_) => Vec::new(),
            Source::Group(read) => all
                .cgrp
                .iter()
                .filter_map(|group| point(read(group), &|_| {}))
                .collect(),
            Source::Partition(read) => fetched(all)
                .filter_map(|(topic, partition)| {
                    point(read(partition), &|list| {
                        of_partition(topic, partition, list);
                    })
                })
                .collect(),
            Source::Broker(read) => brokers(all)
                .filter_map(|broker| point(read(broker), &|list| of_broker(broker, list)))
                .collect(),
        }
    }

    /// Makes the instrument. `ask` is called whenever metrics are collected, and calls what it is
    /// given for each point.
    pub(super) fn observe(
        &self,
        meter: &Meter,
        ask: impl Fn(&mut dyn FnMut(&Point)) + Send + Sync + 'static,
    ) {
        let Self {
            name,
            description,
            unit,
            ..
        } = *self;
        match self.instrument {
            Instrument::Gauge => {
                let _ = meter
                    .i64_observable_gauge(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |gauge| {
                        ask(&mut |point| gauge.observe(point.value, &point.attributes));
                    })
                    .build();
            }
            Instrument::Seconds => {
                let _ = meter
                    .f64_observable_gauge(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |gauge| {
                        ask(&mut |point| gauge.observe(seconds(point.value), &point.attributes));
                    })
                    .build();
            }
            Instrument::UpDownCounter => {
                let _ = meter
                    .i64_observable_up_down_counter(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |counter| {
                        ask(&mut |point| counter.observe(point.value, &point.attributes));
                    })
                    .build();
            }
            Instrument::Counter => {
                let _ = meter
                    .u64_observable_counter(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |counter| {
                        ask(&mut |point| {
                            let value = u64::try_from(point.value).unwrap_or_default();
                            counter.observe(value, &point.attributes);
                        });
                    })
                    .build();
            }
        }
    }
}

/// Seconds of microseconds.
fn seconds(microseconds: i64) -> f64 {
    let microseconds = u64::try_from(microseconds).unwrap_or_default();
    std::time::Duration::from_micros(microseconds).as_secs_f64()
}

/// The partitions that are fetched from; others have only what was true once.
fn fetched(all: &Snapshot) -> impl Iterator<Item = (&str, &snapshot::Partition)> {
    all.topics.values().flat_map(|topic| {
        topic
            .partitions
            .values()
            .filter(|partition| partition.partition >= 0)
            .filter(|partition| !matches!(&*partition.fetch_state, "" | "none" | "stopped"))
            .map(|partition| (topic.topic.as_str(), partition))
    })
}

/// The brokers that are known by their ids, each of them once.
fn brokers(all: &Snapshot) -> impl Iterator<Item = &snapshot::Broker> {
    let brokers = all.brokers.values();
    brokers.filter(|broker| broker.nodeid >= 0 && broker.source != "logical")
}

fn common(all: &Snapshot, client: &messaging::Broker) -> Vec<KeyValue> {
    let mut list = vec![
        KeyValue::new(attribute::MESSAGING_SYSTEM_NAME, client.system),
        KeyValue::new(attribute::KAFKA_CLIENT_NAME, all.name.clone()),
    ];
    let group = client.consumer_group.as_ref();
    if let Some(group) = group.filter(|_| all.kind == "consumer") {
        let group = group.clone();
        list.push(KeyValue::new(
            attribute::MESSAGING_CONSUMER_GROUP_NAME,
            group,
        ));
    }
    list
}

fn of_partition(topic: &str, partition: &snapshot::Partition, list: &mut Vec<KeyValue>) {
    list.push(KeyValue::new(
        attribute::MESSAGING_DESTINATION_NAME,
        topic.to_owned(),
    ));
    list.push(KeyValue::new(
        attribute::MESSAGING_DESTINATION_PARTITION_ID,
        partition.partition.to_string(),
    ));
}

fn of_broker(broker: &snapshot::Broker, list: &mut Vec<KeyValue>) {
    list.push(KeyValue::new(attribute::KAFKA_BROKER_ID, broker.nodeid));
    if let Some((host, port)) = server::address(&broker.nodename) {
        list.push(KeyValue::new(attribute::SERVER_ADDRESS, host));
        list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otelware::semconv::metric;

    fn points(name: &str, json: &str) -> Vec<(i64, String)> {
        let all: Snapshot = serde_json::from_str(json).unwrap_or_default();
        let client = messaging::Broker {
            system: "kafka",
            consumer_group: Some("billing".to_owned()),
            ..messaging::Broker::default()
        };
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let points = metric.map(|metric| metric.read(&all, &client));
        let text = |point: &Point| {
            let list = point.attributes.iter();
            let list: Vec<_> = list
                .map(|pair| format!("{}={}", pair.key, pair.value))
                .collect();
            (point.value, list.join(" "))
        };
        points.unwrap_or_default().iter().map(text).collect()
    }

    #[test]
    fn lag_is_told_of_partitions_that_are_fetched_from_and_where_it_is_known() {
        let partition = |id: i32, state: &str, lag: i64| {
            format!(
                r#""{id}": {{"partition": {id}, "fetch_state": "{state}", "consumer_lag": {lag}}}"#
            )
        };
        let partitions = [
            partition(0, "active", 5),
            partition(1, "active", -1),
            partition(2, "stopped", 7),
            partition(3, "none", 7),
            partition(-1, "active", 7),
        ];
        let json = format!(
            r#"{{"type": "consumer", "name": "c#1", "topics": {{"t": {{"topic": "t", "partitions": {{{}}}}}}}}}"#,
            partitions.join(",")
        );
        let expected = "messaging.system.name=kafka otelware.kafka.client.name=c#1 \
            messaging.consumer.group.name=billing messaging.destination.name=t \
            messaging.destination.partition.id=0";
        assert_eq!(
            points(metric::KAFKA_CONSUMER_LAG, &json),
            [(5, expected.to_owned())]
        );
    }

    #[test]
    fn each_broker_is_told_once_and_without_requests_takes_no_time() {
        let broker = |id: i32, source: &str, count: i64| {
            format!(
                r#""{source}{id}": {{"nodeid": {id}, "nodename": "k:1", "source": "{source}", "waitresp_cnt": 2, "rtt": {{"cnt": {count}, "avg": 1500}}}}"#
            )
        };
        let brokers = [
            broker(1, "learned", 1),
            broker(1, "logical", 1),
            broker(-1, "configured", 1),
            broker(2, "learned", 0),
        ];
        let json = format!(
            r#"{{"type": "producer", "name": "p#1", "brokers": {{{}}}}}"#,
            brokers.join(",")
        );
        let expected = "messaging.system.name=kafka otelware.kafka.client.name=p#1 \
            otelware.kafka.broker.id=1 server.address=k server.port=1";
        let name = metric::KAFKA_BROKER_ROUND_TRIP_AVERAGE;
        assert_eq!(points(name, &json), [(1_500, expected.to_owned())]);
        assert_eq!(seconds(1_500).to_bits(), 0.0015_f64.to_bits());
        let in_flight = points(metric::KAFKA_BROKER_REQUESTS_IN_FLIGHT, &json);
        assert_eq!(
            in_flight.iter().map(|point| point.0).collect::<Vec<_>>(),
            [2, 2]
        );
        // Queues are those of producers, groups those of consumers.
        assert_eq!(
            points(metric::KAFKA_PRODUCER_QUEUE_MESSAGES, &json).len(),
            1
        );
        assert_eq!(points(metric::KAFKA_CONSUMER_REBALANCES, &json).len(), 0);
        assert_eq!(points(metric::KAFKA_PRODUCER_QUEUE_MESSAGES, "{}").len(), 0);
    }
}
