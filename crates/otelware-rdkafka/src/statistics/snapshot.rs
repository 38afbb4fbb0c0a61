//! What is read of librdkafka's statistics.

use rdkafka::statistics;
use serde::Deserialize;
use std::collections::HashMap;

/// The statistics of a client, at one time.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct Snapshot {
    /// The client's name within the process: `rdkafka#producer-1`.
    pub(super) name: String,
    /// `producer` or `consumer`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) msg_cnt: i64,
    pub(super) msg_size: i64,
    pub(super) brokers: HashMap<String, Broker>,
    pub(super) topics: HashMap<String, Topic>,
    pub(super) cgrp: Option<Group>,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Broker {
    pub(super) nodeid: i64,
    pub(super) nodename: String,
    /// `learned`, `configured`, `internal` or `logical`.
    pub(super) source: String,
    pub(super) outbuf_cnt: i64,
    pub(super) waitresp_cnt: i64,
    pub(super) txretries: i64,
    pub(super) req_timeouts: i64,
    pub(super) rtt: Option<Window>,
}

/// Microseconds, of the requests since the last statistics.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Window {
    pub(super) cnt: i64,
    pub(super) avg: i64,
    pub(super) p99: i64,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Topic {
    pub(super) topic: String,
    pub(super) partitions: HashMap<String, Partition>,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Partition {
    pub(super) partition: i32,
    pub(super) fetch_state: String,
    pub(super) fetchq_cnt: i64,
    pub(super) fetchq_size: i64,
    pub(super) consumer_lag: i64,
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Group {
    pub(super) rebalance_cnt: i64,
    pub(super) assignment_size: i64,
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<&statistics::Statistics> for Snapshot {
    fn from(all: &statistics::Statistics) -> Self {
        let brokers = all.brokers.iter();
        let topics = all.topics.iter();
        Self {
            name: all.name.clone(),
            kind: all.client_type.clone(),
            msg_cnt: number(all.msg_cnt),
            msg_size: number(all.msg_size),
            brokers: brokers
                .map(|(name, broker)| (name.clone(), broker.into()))
                .collect(),
            topics: topics
                .map(|(name, topic)| (name.clone(), topic.into()))
                .collect(),
            cgrp: all.cgrp.as_ref().map(|group| Group {
                rebalance_cnt: group.rebalance_cnt,
                assignment_size: group.assignment_size.into(),
            }),
        }
    }
}

impl From<&statistics::Broker> for Broker {
    fn from(broker: &statistics::Broker) -> Self {
        Self {
            nodeid: broker.nodeid.into(),
            nodename: broker.nodename.clone(),
            source: broker.source.clone(),
            outbuf_cnt: broker.outbuf_cnt,
            waitresp_cnt: broker.waitresp_cnt,
            txretries: number(broker.txretries),
            req_timeouts: number(broker.req_timeouts),
            rtt: broker.rtt.as_ref().map(|window| Window {
                cnt: window.cnt,
                avg: window.avg,
                p99: window.p99,
            }),
        }
    }
}

impl From<&statistics::Topic> for Topic {
    fn from(topic: &statistics::Topic) -> Self {
        let partitions = topic.partitions.values();
        Self {
            topic: topic.topic.clone(),
            partitions: partitions
                .map(|partition| (partition.partition.to_string(), partition.into()))
                .collect(),
        }
    }
}

impl From<&statistics::Partition> for Partition {
    fn from(partition: &statistics::Partition) -> Self {
        Self {
            partition: partition.partition,
            fetch_state: partition.fetch_state.clone(),
            fetchq_cnt: partition.fetchq_cnt,
            fetchq_size: number(partition.fetchq_size),
            consumer_lag: partition.consumer_lag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all() -> statistics::Statistics {
        let partition = statistics::Partition {
            partition: 3,
            fetch_state: "active".to_owned(),
            fetchq_cnt: 1,
            fetchq_size: 2,
            consumer_lag: 7,
            ..statistics::Partition::default()
        };
        let topic = statistics::Topic {
            topic: "orders".to_owned(),
            partitions: [(3, partition)].into(),
            ..statistics::Topic::default()
        };
        let broker = statistics::Broker {
            nodeid: 1,
            nodename: "kafka:9092".to_owned(),
            source: "learned".to_owned(),
            outbuf_cnt: 2,
            waitresp_cnt: 3,
            txretries: 4,
            req_timeouts: 5,
            rtt: Some(statistics::Window {
                cnt: 6,
                avg: 7,
                p99: 8,
                ..statistics::Window::default()
            }),
            ..statistics::Broker::default()
        };
        statistics::Statistics {
            name: "rdkafka#consumer-1".to_owned(),
            client_type: "consumer".to_owned(),
            msg_cnt: 9,
            msg_size: 10,
            brokers: [("kafka:9092/1".to_owned(), broker)].into(),
            topics: [("orders".to_owned(), topic)].into(),
            cgrp: Some(statistics::ConsumerGroup {
                rebalance_cnt: 11,
                assignment_size: 12,
                ..statistics::ConsumerGroup::default()
            }),
            ..statistics::Statistics::default()
        }
    }

    fn read(json: &[u8]) -> Option<Snapshot> {
        serde_json::from_slice(json).ok()
    }

    #[test]
    fn statistics_are_the_same_as_text_and_as_rdkafka_s() {
        let all = all();
        let json = serde_json::to_vec(&all).unwrap_or_default();
        let snapshot = read(&json);
        assert_eq!(snapshot, Some(Snapshot::from(&all)));
        let lag = |snapshot: Snapshot| {
            snapshot
                .topics
                .get("orders")?
                .partitions
                .get("3")
                .map(|partition| partition.consumer_lag)
        };
        assert_eq!(snapshot.and_then(lag), Some(7));
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        assert_eq!(read(b"{}"), Some(Snapshot::default()));
        let most = statistics::Statistics {
            msg_cnt: u64::MAX,
            ..statistics::Statistics::default()
        };
        assert_eq!(Snapshot::from(&most).msg_cnt, i64::MAX);
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text: Vec<u8>, at in 0_usize..2_000, byte: u8) {
            let _unreadable = read(&text);
            let mut json = serde_json::to_vec(&all()).unwrap_or_default();
            if let Some(place) = json.get_mut(at) {
                *place = byte;
            }
            let _maybe = read(&json);
        }
    }
}
