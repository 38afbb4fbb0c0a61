//! What a client can be told.

use crate::telemetry::{Observed, ObservedWithContext, Telemetry};
use otelware::messaging::Options;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaResult;

/// How a producer or a consumer is observed.
///
/// ```no_run
/// use otelware_rdkafka::KafkaOptions;
/// use otelware_rdkafka::producer::FutureProducer;
///
/// # fn example() -> rdkafka::error::KafkaResult<()> {
/// let mut config = rdkafka::ClientConfig::new();
/// config.set("bootstrap.servers", "kafka:9092");
/// let options = KafkaOptions::new().with_message_keys();
/// let producer: FutureProducer = options.create(&config)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a client is created with them"]
pub struct KafkaOptions {
    pub(crate) shared: Options,
    pub(crate) kafka: OfKafka,
}

/// The options that only Kafka has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OfKafka {
    pub(crate) keys: bool,
    pub(crate) transactions: bool,
    pub(crate) ages: bool,
}

impl KafkaOptions {
    /// The defaults, and the global providers.
    pub fn new() -> Self {
        Self::default()
    }

    otelware::__with_messaging_options!();

    /// Shows the keys of messages that are text, as `kafka.message.key`, on spans and links. They may
    /// tell of persons, so they are hidden by default.
    pub fn with_message_keys(mut self) -> Self {
        self.kafka.keys = true;
        self
    }

    /// Makes spans for the steps of transactions: `init_transactions`, `commit_transaction`,
    /// `abort_transaction`.
    pub fn with_transactions(mut self) -> Self {
        self.kafka.transactions = true;
        self
    }

    /// Measures how old messages are when their processing begins, as `otelware.kafka.message.age`:
    /// the time from the message's timestamp, by the clocks of both sides.
    pub fn with_message_ages(mut self) -> Self {
        self.kafka.ages = true;
        self
    }

    /// The telemetry of a client with this configuration, before there is the client: for contexts
    /// that are to use it. [`Telemetry::create_with_context`] makes the client.
    pub fn telemetry(self, config: &ClientConfig) -> Telemetry {
        Telemetry::new(self, config)
    }

    /// Creates a client, as [`ClientConfig::create`] does.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create`].
    pub fn create<T: Observed>(&self, config: &ClientConfig) -> KafkaResult<T> {
        self.clone().telemetry(config).create(config)
    }

    /// Creates a client with a context, as [`ClientConfig::create_with_context`] does.
    ///
    /// # Errors
    ///
    /// Those of [`ClientConfig::create_with_context`].
    pub fn create_with_context<C, T>(&self, config: &ClientConfig, context: C) -> KafkaResult<T>
    where
        C: ClientContext,
        T: ObservedWithContext<C>,
    {
        let telemetry = self.clone().telemetry(config);
        telemetry.create_with_context(config, context)
    }
}
