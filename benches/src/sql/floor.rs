//! By hand over the raw SDK, around the query: what a careful engineer writes who knows the statement beforehand.
//!
//! One span with the attributes of the conventions for databases and one duration histogram. No text is looked into, no
//! rows are counted, nothing is known of the pool, and a query that is dropped leaves nothing behind.

use std::time::Instant;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use crate::around::Around;
use crate::queries::Fetch;
use crate::sql::{SUMMARY, Server};
use crate::telemetry::{DATABASE_BOUNDARIES, Telemetry};

const SCOPE: &str = "floor";

pub(crate) struct Floor {
    tracer: BoxedTracer,
    duration: Histogram<f64>,
    server: Vec<KeyValue>,
    text: &'static str,
}

impl Floor {
    pub(crate) fn new<DB: Server>(
        pool: &sqlx::Pool<DB>,
        fetch: Fetch,
        telemetry: &Telemetry,
    ) -> Self {
        telemetry.set_global_providers();
        Self {
            tracer: global::tracer(SCOPE),
            duration: global::meter(SCOPE)
                .f64_histogram("db.client.operation.duration")
                .with_unit("s")
                .with_boundaries(DATABASE_BOUNDARIES.to_vec())
                .build(),
            server: DB::attributes(pool),
            text: DB::DATABASE.text(fetch),
        }
    }
}

impl Around<sqlx::Error> for Floor {
    async fn around<T>(
        &self,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let start = Instant::now();
        let mut attributes = Vec::with_capacity(8);
        attributes.extend_from_slice(&self.server);
        attributes.push(KeyValue::new("db.query.summary", SUMMARY));
        attributes.push(KeyValue::new("db.query.text", self.text));
        let span = self
            .tracer
            .span_builder(SUMMARY)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start(&self.tracer);
        let context = Context::current_with_span(span);
        let result = query.with_context(context.clone()).await;

        let mut attributes = Vec::with_capacity(8);
        attributes.extend_from_slice(&self.server);
        attributes.push(KeyValue::new("db.query.summary", SUMMARY));
        if let Err(error) = &result {
            let class = match error {
                sqlx::Error::Database(error) => error.code().map(|code| code.into_owned()),
                _ => None,
            };
            let class = KeyValue::new("error.type", class.unwrap_or_else(|| "_OTHER".to_owned()));
            context.span().set_attribute(class.clone());
            context.span().set_status(Status::error(""));
            attributes.push(class);
        }
        context.span().end();
        self.duration
            .record(start.elapsed().as_secs_f64(), &attributes);
        result
    }
}
