//! By hand over the raw SDK, around the command: what a careful engineer writes who knows the command beforehand.
//!
//! One span with the attributes of the conventions for databases and one duration histogram. No command is looked into,
//! and one that is dropped leaves nothing behind.

use std::time::Instant;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use redis::RedisError;

use crate::around::Around;
use crate::commands::Size;
use crate::redis::{Way, attributes, batch_size, span_name};
use crate::telemetry::{DATABASE_BOUNDARIES, Telemetry};

const SCOPE: &str = "floor";

pub(crate) struct Floor {
    tracer: BoxedTracer,
    duration: Histogram<f64>,
    name: &'static str,
    attributes: Vec<KeyValue>,
    batch_size: Option<KeyValue>,
    size: Size,
    keys: Vec<String>,
}

impl Floor {
    pub(crate) fn new(way: Way, size: Size, telemetry: &Telemetry) -> Self {
        telemetry.set_global_providers();
        Self {
            tracer: global::tracer(SCOPE),
            duration: global::meter(SCOPE)
                .f64_histogram("db.client.operation.duration")
                .with_unit("s")
                .with_boundaries(DATABASE_BOUNDARIES.to_vec())
                .build(),
            name: span_name(size),
            attributes: attributes(way, size),
            batch_size: batch_size(size),
            size,
            keys: size.keys(),
        }
    }
}

impl Around<RedisError> for Floor {
    async fn around<T>(
        &self,
        command: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, RedisError> {
        let start = Instant::now();
        let mut attributes = Vec::with_capacity(8);
        attributes.extend_from_slice(&self.attributes);
        attributes.extend(self.batch_size.clone());
        let text = self.size.text(&self.keys);
        attributes.push(KeyValue::new("db.query.text", text));
        let span = self
            .tracer
            .span_builder(self.name)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start(&self.tracer);
        let context = Context::current_with_span(span);
        let result = command.with_context(context.clone()).await;

        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(_) => self.duration.record(seconds, &self.attributes),
            Err(error) => {
                let class = error.code().unwrap_or("_OTHER").to_owned();
                let class = KeyValue::new("error.type", class);
                context.span().set_attribute(class.clone());
                context.span().set_status(Status::error(""));
                let attributes = [self.attributes.as_slice(), &[class]].concat();
                self.duration.record(seconds, &attributes);
            }
        }
        context.span().end();
        result
    }
}
