//! What the services need besides each other: the real thing where the environment names it, else something that this
//! process brings along.

use super::collector::Collector;
use super::stand_ins::{AmqpStandIn, RedisStandIn};
use crate::messages::ORDER_EVENTS;
use crate::service::Failure;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use std::env;
use std::fmt;
use tempfile::TempDir;

const DATABASE: &str = "DATABASE_URL";
const CACHE: &str = "REDIS_URL";
const EVENTS: &str = "KAFKA_BROKERS";
const NOTIFICATIONS: &str = "AMQP_URL";
const TELEMETRY: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// As few partitions as show that there can be more than one.
const PARTITIONS: i32 = 3;

/// The parts. What is embedded runs for as long as this lives.
pub(super) struct Parts {
    parts: Vec<Part>,
    _database: Option<TempDir>,
    _cache: Option<RedisStandIn>,
    _events: Option<MockCluster<'static, DefaultProducerContext>>,
    _notifications: Option<AmqpStandIn>,
}

struct Part {
    role: &'static str,
    variable: &'static str,
    /// What services are given as the variable.
    value: String,
    /// What it is where it is embedded.
    embedded: Option<&'static str>,
}

impl Part {
    fn real(role: &'static str, variable: &'static str) -> Option<Self> {
        Some(Self {
            role,
            variable,
            value: set(variable)?,
            embedded: None,
        })
    }

    fn embedded(
        role: &'static str,
        variable: &'static str,
        value: String,
        what: &'static str,
    ) -> Self {
        Self {
            role,
            variable,
            value,
            embedded: Some(what),
        }
    }
}

impl Parts {
    /// Starts what the environment does not name. `collector` is none where telemetry goes elsewhere.
    pub(super) async fn start(collector: Option<&Collector>) -> Result<Self, Failure> {
        let mut parts = Vec::new();

        let mut database = None;
        parts.push(match Part::real("database", DATABASE) {
            Some(real) => real,
            None => {
                let directory = database.insert(tempfile::tempdir()?);
                let file = directory.path().join("shop.db");
                let url = format!("sqlite://{}?mode=rwc", file.display());
                Part::embedded("database", DATABASE, url, "SQLite, in a temporary file")
            }
        });

        let mut cache = None;
        parts.push(match Part::real("cache", CACHE) {
            Some(real) => real,
            None => {
                let url = cache.insert(RedisStandIn::start().await?).url();
                Part::embedded("cache", CACHE, url, "a stand-in for Redis, in this process")
            }
        });

        let mut events = None;
        parts.push(match Part::real("events", EVENTS) {
            Some(real) => real,
            None => {
                let cluster = events.insert(MockCluster::new(1)?);
                cluster.create_topic(ORDER_EVENTS, PARTITIONS, 1)?;
                let brokers = cluster.bootstrap_servers();
                let what = "librdkafka's own mock cluster, in this process";
                Part::embedded("events", EVENTS, brokers, what)
            }
        });

        let mut notifications = None;
        parts.push(match Part::real("notifications", NOTIFICATIONS) {
            Some(real) => real,
            None => {
                let url = notifications.insert(AmqpStandIn::start().await?).url();
                let what = "a stand-in for RabbitMQ, in this process";
                Part::embedded("notifications", NOTIFICATIONS, url, what)
            }
        });

        parts.push(match collector {
            Some(collector) => {
                let what = "collected in this process, and shown at the end";
                Part::embedded("telemetry", TELEMETRY, collector.endpoint(), what)
            }
            None => Part {
                role: "telemetry",
                variable: TELEMETRY,
                value: set(TELEMETRY).unwrap_or_default(),
                embedded: None,
            },
        });
        Ok(Self {
            parts,
            _database: database,
            _cache: cache,
            _events: events,
            _notifications: notifications,
        })
    }

    /// What services find in their environment, and the customer, which lives in this process: where the parts are,
    /// and all that is said of telemetry.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let collects = self.collects();
        let said = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name == RUST_LOG || (is_of_telemetry(name) && !collects))
            .filter(|(name, _)| name != SERVICE_NAME);
        let parts = (self.parts.iter())
            .filter(|part| part.variable != TELEMETRY || collects)
            .map(|part| (part.variable, part.value.as_str()));
        let protocol = collects.then_some(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"));
        // What is said comes last.
        let defaults = TELEMETRY_DEFAULTS.into_iter();
        let ours = defaults.chain(parts).chain(protocol).map(owned);
        ours.chain(said).collect()
    }

    /// Whether telemetry comes to this process. What the user says of it otherwise does not count then: this
    /// process would wait for what never comes.
    fn collects(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| part.variable == TELEMETRY && part.embedded.is_some())
    }
}

/// Whether a variable says something about telemetry.
pub(super) fn is_of_telemetry(name: &str) -> bool {
    name.starts_with("OTEL_")
}

/// Which each service has its own of.
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

const RUST_LOG: &str = "RUST_LOG";

/// What is shown is to be there soon, and a burst is to find room in the queue. On the terminal only what goes wrong.
const TELEMETRY_DEFAULTS: [(&str, &str); 5] = [
    ("OTEL_BSP_SCHEDULE_DELAY", "500"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "16384"),
    ("OTEL_BLRP_SCHEDULE_DELAY", "500"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
    (RUST_LOG, "warn"),
];

/// Whether the user has said where telemetry goes.
pub(super) fn telemetry_goes_elsewhere() -> bool {
    set(TELEMETRY).is_some()
}

/// The value of a variable; an empty one is as good as none.
fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<(&Part, String)> = self
            .parts
            .iter()
            .map(|part| match part.embedded {
                Some(what) => (part, what.to_owned()),
                None => (part, format!("real: {}", without_secrets(&part.value))),
            })
            .collect();
        let width = rows.iter().map(|(_, what)| what.chars().count()).max();
        let width = width.unwrap_or_default();
        write!(
            f,
            "The parts of the shop, and what moves each of them to another place:"
        )?;
        for (part, what) in rows {
            let Part { role, variable, .. } = part;
            write!(f, "\n  {role:13}  {what:width$}  {variable}")?;
        }
        Ok(())
    }
}

/// An address without what could be a password.
fn without_secrets(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let bare = rest.split(['?', '#']).next().unwrap_or_default();
    match bare.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}{place}"),
        None if rest.contains('@') => format!("{scheme}…"),
        None => format!("{scheme}{bare}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        for (address, shown) in [
            (
                "postgres://shop:s3cr@t@db:5432/shop?password=s3cret",
                "postgres://db:5432/shop",
            ),
            ("redis://:s3cret@cache:6379/0", "redis://cache:6379/0"),
            (
                "amqp://guest:guest@rabbit/%2f?heartbeat=5",
                "amqp://rabbit/%2f",
            ),
            ("redis://:s?cret@cache", "redis://…"),
            ("one:9092,two:9092", "one:9092,two:9092"),
            ("http://collector:4317", "http://collector:4317"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
