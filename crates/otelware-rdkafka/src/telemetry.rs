//! The telemetry of one client.

use crate::error;
use crate::native;
use crate::options::{KafkaOptions, OfKafka};
use crate::server;
use crate::statistics::Statistics;
use otelware::messaging::{Call, Client};
use otelware::opentelemetry::metrics::{Counter, Histogram};
use otelware::opentelemetry::{KeyValue, StringValue};
use otelware::operation::{Operation, Outcome, Series};
use otelware::semconv::{attribute, boundaries, metric, unit};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, KafkaResult};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// The number of questions for the cluster's id while no broker has answered yet.
const BEFORE_CONTACT: u32 = 0;

/// After so many questions without an answer, there is none: the brokers are too old.
const MOST_QUESTIONS: u32 = 16;

/// The telemetry of one producer or consumer: what its operations begin with. Clones are handles of
/// the same, for tasks and threads that process messages, and for contexts.
#[derive(Clone, Debug)]
pub struct Telemetry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Arc<Client>,
    options: OfKafka,
    statistics: Arc<Statistics>,
    transactional_id: Option<KeyValue>,
    /// How often the client was asked for the cluster's id, from the answer of a broker on.
    questions: AtomicU32,
    cluster: OnceLock<KeyValue>,
    extra: OnceLock<Extra>,
}

/// Instruments that not every client needs.
#[derive(Debug)]
pub(crate) struct Extra {
    pub(crate) ages: Series<Histogram<f64>>,
    pub(crate) commits: Series<Counter<u64>>,
    pub(crate) assignment_changes: Series<Counter<u64>>,
}

/// A client that is created with its telemetry.
pub trait Observed: Sized {
    /// Creates the client.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create`].
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self>;
}

/// A client that is created with its telemetry and a context of the user's.
pub trait ObservedWithContext<C: ClientContext>: Sized {
    /// Creates the client.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create_with_context`].
    fn observed_with_context(
        config: &ClientConfig,
        telemetry: Telemetry,
        context: C,
    ) -> KafkaResult<Self>;
}

impl Telemetry {
    pub(crate) fn new(options: KafkaOptions, config: &ClientConfig) -> Self {
        let KafkaOptions { shared, kafka } = options;
        let client = Client::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            shared,
            server::broker(config),
        );
        let transactional_id = config.get("transactional.id");
        Self {
            shared: Arc::new(Shared {
                statistics: Statistics::new(&client),
                client,
                options: kafka,
                transactional_id: transactional_id
                    .map(|id| KeyValue::new(attribute::KAFKA_TRANSACTION_ID, id.to_owned())),
                questions: AtomicU32::new(BEFORE_CONTACT),
                cluster: OnceLock::new(),
                extra: OnceLock::new(),
            }),
        }
    }

    /// Creates the client whose telemetry this is.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create`].
    pub fn create<T: Observed>(&self, config: &ClientConfig) -> KafkaResult<T> {
        T::observed(config, self.clone())
    }

    /// Creates the client whose telemetry this is, with a context that may have a clone of it.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create_with_context`].
    pub fn create_with_context<C, T>(&self, config: &ClientConfig, context: C) -> KafkaResult<T>
    where
        C: ClientContext,
        T: ObservedWithContext<C>,
    {
        T::observed_with_context(config, self.clone(), context)
    }

    /// Takes over librdkafka's statistics, for contexts that implement
    /// [`stats_raw`](ClientContext::stats_raw). What can't be read is left out. (Producers and
    /// [`TelemetryContext`](crate::consumer::TelemetryContext) do this by themselves.)
    pub fn record_raw_stats(&self, statistics: &[u8]) {
        self.shared.statistics.record_raw(statistics);
    }

    /// Takes over librdkafka's statistics, for contexts that implement
    /// [`stats`](ClientContext::stats).
    pub fn record_stats(&self, statistics: &rdkafka::Statistics) {
        self.shared.statistics.record(&statistics.into());
    }

    /// The client is gone: its last statistics say nothing any more.
    pub(crate) fn retire(&self) {
        self.shared.statistics.clear();
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.shared.client
    }

    pub(crate) fn options(&self) -> OfKafka {
        self.shared.options
    }

    pub(crate) fn transactional_id(&self) -> Option<KeyValue> {
        self.shared.transactional_id.clone()
    }

    /// A broker has answered, so that the cluster's id may be known.
    #[inline]
    pub(crate) fn touched(&self) {
        let questions = &self.shared.questions;
        if questions.load(Ordering::Relaxed) == BEFORE_CONTACT {
            questions.store(BEFORE_CONTACT + 1, Ordering::Relaxed);
        }
    }

    /// Asks the client, after a broker has answered, which cluster it is of; until it knows, or is
    /// known not to.
    #[inline]
    pub(crate) fn learn_cluster<C: ClientContext>(&self, client: &rdkafka::client::Client<C>) {
        if self.shared.cluster.get().is_some() {
            return;
        }
        let questions = self.shared.questions.load(Ordering::Relaxed);
        if questions == BEFORE_CONTACT || questions > MOST_QUESTIONS {
            return;
        }
        self.shared
            .questions
            .store(questions + 1, Ordering::Relaxed);
        if let Some(id) = native::cluster_id(client) {
            let id = StringValue::from(Arc::<str>::from(id));
            let id = KeyValue::new(attribute::KAFKA_CLUSTER_ID, id);
            self.shared.cluster.get_or_init(|| id);
        }
    }

    /// `kafka.cluster.id`, once it is known.
    pub(crate) fn cluster(&self) -> Option<KeyValue> {
        self.shared.cluster.get().cloned()
    }

    pub(crate) fn extra(&self) -> &Extra {
        self.shared.extra.get_or_init(|| {
            let instrumentation = self.client().instrumentation();
            Extra {
                ages: instrumentation.durations(
                    metric::KAFKA_MESSAGE_AGE,
                    "Time from the message's timestamp to the begin of its processing.",
                    &boundaries::MESSAGE_AGE_SECONDS,
                ),
                commits: instrumentation.counter(
                    metric::KAFKA_CONSUMER_COMMITS,
                    "Number of commits of offsets that were answered.",
                    unit::COMMITS,
                ),
                assignment_changes: instrumentation.counter(
                    metric::KAFKA_CONSUMER_ASSIGNMENT_CHANGES,
                    "Number of changes of the consumer's assignment.",
                    unit::CHANGES,
                ),
            }
        })
    }
}

/// Ends an operation with rdkafka's result.
pub(crate) fn end<T>(operation: Operation<Call>, result: KafkaResult<T>) -> KafkaResult<T> {
    match &result {
        Ok(_) => operation.finish(&Outcome::Success),
        Err(error) => fail(operation, error),
    }
    result
}

/// Ends an operation with rdkafka's error.
pub(crate) fn fail(operation: Operation<Call>, error: &KafkaError) {
    Call::fail(operation, error::class(error), error);
}
