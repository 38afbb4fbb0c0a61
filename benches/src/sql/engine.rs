//! The engine's own start and finish around the query, with the attributes and the measurements of ours, and no more.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::{KeyValue, StringValue};
use otelware::operation::{Describe, End, ErrorType, Instrumentation, Moment, Outcome, Series};
use otelware::semconv::{attribute, boundaries, metric, unit};

use crate::around::Around;
use crate::engine::{self, ONLY};
use crate::queries::Fetch;
use crate::sql::{SUMMARY, Server};
use crate::telemetry::Telemetry;

pub(crate) struct Engine(Arc<Instruments>);

struct Instruments {
    instrumentation: Instrumentation,
    duration: Series<Histogram<f64>>,
    rows: Series<Histogram<u64>>,
    pending: Series<UpDownCounter<i64>>,
    wait_time: Series<Histogram<f64>>,
    use_time: Series<Histogram<f64>>,
    server: Vec<KeyValue>,
    text: StringValue,
}

impl Engine {
    pub(crate) fn new<DB: Server>(
        pool: &sqlx::Pool<DB>,
        fetch: Fetch,
        telemetry: &Telemetry,
    ) -> Self {
        let instrumentation = engine::instrumentation(telemetry);
        let seconds = |name| instrumentation.durations(name, "", &boundaries::DATABASE_SECONDS);
        Self(Arc::new(Instruments {
            duration: seconds(metric::DB_CLIENT_OPERATION_DURATION),
            rows: instrumentation.amounts(
                metric::DB_CLIENT_RESPONSE_RETURNED_ROWS,
                "",
                unit::ROWS,
                &boundaries::ROWS,
            ),
            pending: instrumentation.in_flight(
                metric::DB_CLIENT_CONNECTION_PENDING_REQUESTS,
                "",
                unit::REQUESTS,
            ),
            wait_time: seconds(metric::DB_CLIENT_CONNECTION_WAIT_TIME),
            use_time: seconds(metric::DB_CLIENT_CONNECTION_USE_TIME),
            instrumentation,
            server: DB::attributes(pool),
            text: Arc::<str>::from(DB::DATABASE.text(fetch)).into(),
        }))
    }
}

impl Instruments {
    fn pool(&self) -> Vec<KeyValue> {
        vec![KeyValue::new(
            attribute::DB_CLIENT_CONNECTION_POOL_NAME,
            "pool",
        )]
    }
}

/// A query under way.
struct Query(Arc<Instruments>);

impl Query {
    fn attributes(&self) -> Vec<KeyValue> {
        let mut list = self.0.server.clone();
        list.push(KeyValue::new(attribute::DB_QUERY_SUMMARY, SUMMARY));
        list
    }
}

impl Describe for Query {
    fn end(&mut self, end: &End<'_>) {
        // Queries that fail are no part of what is measured, and so have no key of their own.
        let key = end.error_type().is_none().then_some([0; 4]);
        let attributes = || self.attributes();
        let seconds = end.duration().as_secs_f64();
        self.0.duration.measure(seconds, key, attributes);
        self.0.rows.measure(1, key, attributes);
    }
}

impl Around<sqlx::Error> for Engine {
    async fn around<T>(
        &self,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let describe = Query(self.0.clone());
        let mut operation = self.0.instrumentation.start(
            engine::database_call(SUMMARY),
            describe,
            |query, list| {
                list.extend_from_slice(&query.0.server);
                list.push(KeyValue::new(attribute::DB_QUERY_SUMMARY, SUMMARY));
                list.push(KeyValue::new(
                    attribute::DB_QUERY_TEXT,
                    query.0.text.clone(),
                ));
            },
        );
        // As if a connection were had at once, and used until the end.
        let instruments = &*self.0;
        let pending = instruments.pending.count(ONLY, || instruments.pool());
        let waiting = Moment::now();
        let wait = waiting.elapsed().as_secs_f64();
        let wait_time = &instruments.wait_time;
        wait_time.measure(wait, ONLY, || instruments.pool());
        drop(pending);
        let mut query = pin!(query);
        let result = poll_fn(|context| {
            let _entered = operation.enter();
            query.as_mut().poll(context)
        })
        .await;
        let outcome = match &result {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Error(ErrorType::from("_OTHER")),
        };
        let used = waiting.elapsed().as_secs_f64();
        let use_time = &instruments.use_time;
        use_time.measure(used, ONLY, || instruments.pool());
        operation.finish(&outcome);
        result
    }
}
