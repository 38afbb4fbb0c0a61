//! The engine's own start and finish around the command, with the attributes and the measurement of ours, and no more.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use otelware::operation::{Describe, End, ErrorType, Instrumentation, Outcome, Series};
use otelware::semconv::{attribute, boundaries, metric};
use redis::RedisError;

use crate::around::Around;
use crate::commands::Size;
use crate::engine::{self, ONLY};
use crate::redis::{Way, attributes, batch_size, span_name};
use crate::telemetry::Telemetry;

pub(crate) struct Engine(Arc<Instruments>);

struct Instruments {
    instrumentation: Instrumentation,
    duration: Series<Histogram<f64>>,
    name: &'static str,
    attributes: Vec<KeyValue>,
    batch_size: Option<KeyValue>,
    size: Size,
    keys: Vec<String>,
}

impl Engine {
    pub(crate) fn new(way: Way, size: Size, telemetry: &Telemetry) -> Self {
        let instrumentation = engine::instrumentation(telemetry);
        Self(Arc::new(Instruments {
            duration: instrumentation.durations(
                metric::DB_CLIENT_OPERATION_DURATION,
                "",
                &boundaries::DATABASE_SECONDS,
            ),
            instrumentation,
            name: span_name(size),
            attributes: attributes(way, size),
            batch_size: batch_size(size),
            size,
            keys: size.keys(),
        }))
    }
}

/// A command under way.
struct Command(Arc<Instruments>);

impl Describe for Command {
    fn end(&mut self, end: &End<'_>) {
        // Commands that fail are no part of what is measured, and so have no key of their own.
        let key = ONLY.filter(|_| end.error_type().is_none());
        let seconds = end.duration().as_secs_f64();
        let attributes = || self.0.attributes.clone();
        self.0.duration.measure(seconds, key, attributes);
    }
}

impl Around<RedisError> for Engine {
    async fn around<T>(
        &self,
        command: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, RedisError> {
        let start = engine::database_call(self.0.name);
        let describe = Command(self.0.clone());
        let mut operation = self
            .0
            .instrumentation
            .start(start, describe, |command, list| {
                let instruments = &*command.0;
                list.extend_from_slice(&instruments.attributes);
                list.extend(instruments.batch_size.clone());
                let text = instruments.size.text(&instruments.keys);
                list.push(KeyValue::new(attribute::DB_QUERY_TEXT, text));
            });
        let mut command = pin!(command);
        let result = poll_fn(|context| {
            let _entered = operation.enter();
            command.as_mut().poll(context)
        })
        .await;
        operation.finish(&match &result {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Error(ErrorType::from("_OTHER")),
        });
        result
    }
}
