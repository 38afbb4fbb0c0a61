//! How long entries wait for their processing.

use otelware::messaging::Client;
use otelware::opentelemetry::metrics::Histogram;
use otelware::operation::Series;
use otelware::semconv::{boundaries, metric};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// When Redis 5.0 came out: no entry's time is before the first streams.
const FIRST_STREAMS: Duration = Duration::from_secs(1_539_734_400);

/// The metric, which is made with the first entry.
#[derive(Debug, Default)]
pub(super) struct Lag(OnceLock<Series<Histogram<f64>>>);

impl Lag {
    /// The processing of an entry of this id begins.
    pub(super) fn measure(&self, client: &Client, stream: &str, id: &str) {
        let Some(added) = added(id) else { return };
        let series = self.0.get_or_init(|| {
            client.instrumentation().durations(
                metric::REDIS_STREAM_LAG,
                "Time from an entry's id to the begin of its processing.",
                &boundaries::MESSAGE_AGE_SECONDS,
            )
        });
        client.measure_age(series, stream, SystemTime::UNIX_EPOCH + added);
    }
}

/// When an entry was added, since the epoch, by its id `<milliseconds>-<number>`. `None` for one that
/// is no time.
fn added(id: &str) -> Option<Duration> {
    let (milliseconds, _) = id.split_once('-')?;
    let added = Duration::from_millis(milliseconds.parse().ok()?);
    (added >= FIRST_STREAMS).then_some(added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConsumerOptions, Server};
    use otelware::semconv::attribute;
    use otelware_testing::Capture;
    use std::collections::BTreeSet;

    #[test]
    fn an_id_tells_when_its_entry_was_added() {
        for (id, milliseconds) in [
            ("1795286461123-0", Some(1_795_286_461_123)),
            ("1795286461123-7", Some(1_795_286_461_123)),
            ("1539734400000-0", Some(1_539_734_400_000)),
            ("1539734399999-0", None),
            ("5-1", None),
            ("1795286461123", None),
            ("-", None),
            ("x-1", None),
            ("99999999999999999999-0", None),
            ("", None),
        ] {
            assert_eq!(added(id), milliseconds.map(Duration::from_millis), "{id}");
        }
        assert!(added("18446744073709551615-0").is_some());
    }

    /// Names and templates that the lag of these streams is told by.
    fn told(telemetry: &Capture, kind: &str) -> BTreeSet<String> {
        let lag = telemetry.metric(metric::REDIS_STREAM_LAG);
        let told = lag.points.iter().filter_map(|point| point.attribute(kind));
        told.map(ToString::to_string).collect()
    }

    /// One test for both, since they share the places.
    #[test]
    fn only_what_recurs_is_told() {
        const MANY: usize = 10_000;
        let (telemetry, lag) = (Capture::new(), Lag::default());
        let options = ConsumerOptions::new(Server::default())
            .with_meter_provider(telemetry.meter_provider())
            .with_destination_template(|stream| match stream.split_once(':') {
                Some(("orders", _)) => Some("orders:{id}".to_owned()),
                Some(("each", _)) => Some(stream.to_owned()),
                _ => None,
            });
        let client = options.client(None, None);
        let measure = |stream: &str| lag.measure(&client, stream, "1795286461123-0");
        for number in 0..MANY {
            measure(&format!("orders:{number}"));
        }
        // Streams that have a template take no place of those that have none.
        measure("billing");
        let names = told(&telemetry, attribute::MESSAGING_DESTINATION_NAME);
        assert_eq!(names, BTreeSet::from(["\"billing\"".to_owned()]));
        let templates = told(&telemetry, attribute::MESSAGING_DESTINATION_TEMPLATE);
        assert_eq!(templates, BTreeSet::from(["\"orders:{id}\"".to_owned()]));
        // Nor is a template told that is but a name.
        for number in 0..MANY {
            measure(&format!("each:{number}"));
        }
        let templates = told(&telemetry, attribute::MESSAGING_DESTINATION_TEMPLATE);
        assert!(templates.contains("\"orders:{id}\""));
        assert!((2..MANY).contains(&templates.len()), "{}", templates.len());
        let lag = telemetry.metric(metric::REDIS_STREAM_LAG);
        assert_eq!(lag.total_count(), 2 * MANY as u64 + 1);
    }
}
