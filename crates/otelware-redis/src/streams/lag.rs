//! How long entries wait for their processing.

use otelware::messaging::Client;
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::metrics::Histogram;
use otelware::operation::{Label, Moment, Series};
use otelware::semconv::{attribute, boundaries, metric};
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
        let Some(lag) = added(id).and_then(|added| lag(added, Moment::now().wall())) else {
            return;
        };
        let series = self.0.get_or_init(|| {
            client.instrumentation().durations(
                metric::REDIS_STREAM_LAG,
                "Time from an entry's id to the begin of its processing.",
                &boundaries::MESSAGE_AGE_SECONDS,
            )
        });
        let label = Label::foreign(stream);
        let key = label.id().map(|id| [id, 0, 0, 0]);
        series.measure(lag.as_secs_f64(), key, || {
            let broker = client.broker();
            let template = client.options().template.as_ref();
            let mut list = vec![KeyValue::new(
                attribute::MESSAGING_SYSTEM_NAME,
                broker.system,
            )];
            // As of the other metrics: the template, or a name that recurs.
            list.extend(match template.and_then(|template| template(stream)) {
                Some(template) => Some(KeyValue::new(
                    attribute::MESSAGING_DESTINATION_TEMPLATE,
                    template,
                )),
                None => {
                    key.map(|_| KeyValue::new(attribute::MESSAGING_DESTINATION_NAME, label.value()))
                }
            });
            list.extend(
                broker
                    .consumer_group
                    .clone()
                    .map(|group| KeyValue::new(attribute::MESSAGING_CONSUMER_GROUP_NAME, group)),
            );
            list
        });
    }
}

/// When an entry was added, since the epoch, by its id `<milliseconds>-<number>`. `None` for one that
/// is no time.
fn added(id: &str) -> Option<Duration> {
    let (milliseconds, _) = id.split_once('-')?;
    let added = Duration::from_millis(milliseconds.parse().ok()?);
    (added >= FIRST_STREAMS).then_some(added)
}

/// The clocks of both sides may differ, so that it is never less than nothing.
fn lag(added: Duration, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(now.saturating_sub(added))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_lag_is_never_negative() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let of = |added, now| lag(Duration::from_secs(added), at(now));
        assert_eq!(of(100, 107), Some(Duration::from_secs(7)));
        assert_eq!(of(100, 93), Some(Duration::ZERO));
    }
}
