//! The producer whose messages are futures.

use super::context::{ObservedContext, delegated_client_context, with_all_reports};
use super::delivery::{self, Sending};
use super::observed_producer;
use crate::options::KafkaOptions;
use crate::telemetry::{Observed, ObservedWithContext, Telemetry};
use futures_channel::oneshot::{self, Canceled};
use otelware::operation::Moment;
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message, OwnedMessage, ToBytes};
use rdkafka::producer::future_producer::{Delivery, OwnedDeliveryResult};
use rdkafka::producer::{
    BaseRecord, FutureRecord, NoCustomPartitioner, Partitioner, Producer, ProducerContext,
};
use rdkafka::util::{AsyncRuntime, DefaultRuntime, Timeout};
use rdkafka::{ClientConfig, Timestamp};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long `send` waits before it tries a full queue again, as rdkafka's does.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// The producer whose messages are futures, observed; see [`rdkafka::producer::FutureProducer`].
///
/// The span of a message ends with its delivery report, whether or not its future is still there.
#[must_use = "the producer stops when it is dropped"]
pub struct FutureProducer<C = DefaultClientContext, R = DefaultRuntime, Part = NoCustomPartitioner>
where
    Part: Partitioner,
    C: ClientContext + 'static,
{
    inner: Arc<rdkafka::producer::ThreadedProducer<FutureProducerContext<C>, Part>>,
    telemetry: Telemetry,
    runtime: PhantomData<R>,
}

/// The context of a [`FutureProducer`]: the user's own, which it derefs to, with delivery reports
/// that complete futures.
#[derive(Debug)]
pub struct FutureProducerContext<C>(ObservedContext<C>);

/// Completes the future of a message.
type Completion = oneshot::Sender<OwnedDeliveryResult>;

/// The delivery report of a message as a future; see [`rdkafka::producer::DeliveryFuture`].
#[derive(Debug)]
pub struct DeliveryFuture {
    report: oneshot::Receiver<OwnedDeliveryResult>,
}

impl Future for DeliveryFuture {
    type Output = Result<OwnedDeliveryResult, Canceled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.report).poll(cx)
    }
}

impl<C, R> FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    /// Sends a message and waits for its delivery report; see
    /// [`rdkafka::producer::FutureProducer::send`]. The span covers the wait for a full queue.
    ///
    /// # Errors
    ///
    /// Those of rdkafka's method, with the message.
    pub async fn send<K, P, T>(
        &self,
        record: FutureRecord<'_, K, P>,
        queue_timeout: T,
    ) -> OwnedDeliveryResult
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
        T: Into<Timeout>,
    {
        let started = Moment::now();
        let queue_timeout = queue_timeout.into();
        let may_wait = || match queue_timeout {
            Timeout::Never => true,
            Timeout::After(limit) => started.elapsed() < limit,
        };
        let topic = record.topic;
        let (mut record, report) = self.begin(record);
        loop {
            match self.inner.send(record) {
                Ok(()) => match report.await {
                    Ok(result) => return result,
                    // The report was lost with a thread that panicked, and the message with it.
                    Err(Canceled) => {
                        let lost = message(FutureRecord::<(), ()>::to(topic));
                        return Err((KafkaError::Canceled, lost));
                    }
                },
                Err((error, refused)) if is_full(&error) && may_wait() => {
                    record = refused;
                    R::delay_for(RETRY_AFTER).await;
                }
                Err((error, refused)) => {
                    let refused = delivery::refused(&error, refused, |_completion| ());
                    return Err((error, message(future_record(refused))));
                }
            }
        }
    }

    /// Sends a message, or gives it back at once; see
    /// [`rdkafka::producer::FutureProducer::send_result`].
    ///
    /// # Errors
    ///
    /// Those of rdkafka's method, with the record.
    #[allow(clippy::result_large_err)] // The signature is rdkafka's.
    pub fn send_result<'a, K, P>(
        &self,
        record: FutureRecord<'a, K, P>,
    ) -> Result<DeliveryFuture, (KafkaError, FutureRecord<'a, K, P>)>
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        let (record, report) = self.begin(record);
        match self.inner.send(record) {
            Ok(()) => Ok(DeliveryFuture { report }),
            Err((error, refused)) => {
                let refused = delivery::refused(&error, refused, |_completion| ());
                Err((error, future_record(refused)))
            }
        }
    }

    /// Begins to send a record; its report goes to the receiver.
    fn begin<'a, K, P>(
        &self,
        record: FutureRecord<'a, K, P>,
    ) -> (
        delivery::SendingRecord<'a, K, P, Completion>,
        oneshot::Receiver<OwnedDeliveryResult>,
    )
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        self.telemetry.learn_cluster(self.inner.client());
        let (completion, report) = oneshot::channel();
        let record = BaseRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.payload,
            key: record.key,
            timestamp: record.timestamp,
            headers: record.headers,
            delivery_opaque: (),
        };
        let record = delivery::begin(&self.telemetry, record, |()| completion);
        (record, report)
    }

    /// Polls for events; its thread does so too. See [`rdkafka::producer::FutureProducer::poll`].
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }

    /// Its telemetry.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}

fn is_full(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)
    )
}

fn future_record<'a, K, P>(record: BaseRecord<'a, K, P>) -> FutureRecord<'a, K, P>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
{
    FutureRecord {
        topic: record.topic,
        partition: record.partition,
        payload: record.payload,
        key: record.key,
        timestamp: record.timestamp,
        headers: record.headers,
    }
}

/// The message that a refused record would have been.
fn message<K, P>(record: FutureRecord<'_, K, P>) -> OwnedMessage
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
{
    OwnedMessage::new(
        record.payload.map(|payload| payload.to_bytes().to_vec()),
        record.key.map(|key| key.to_bytes().to_vec()),
        record.topic.to_owned(),
        record
            .timestamp
            .map_or(Timestamp::NotAvailable, Timestamp::CreateTime),
        record.partition.unwrap_or(-1),
        0,
        record.headers,
    )
}

impl<C: ClientContext> ClientContext for FutureProducerContext<C> {
    delegated_client_context!(0: C);

    fn stats_raw(&self, statistics: &[u8]) {
        self.0.stats_raw(statistics);
    }
}

impl<C, Part> ProducerContext<Part> for FutureProducerContext<C>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    type DeliveryOpaque = Box<Sending<Completion>>;

    fn delivery(&self, delivery_result: &DeliveryResult<'_>, sending: Self::DeliveryOpaque) {
        sending.delivered(&self.0.telemetry, delivery_result, |completion| {
            if completion.is_canceled() {
                return;
            }
            let _nobody_waits = completion.send(match delivery_result {
                Ok(message) => Ok(Delivery {
                    partition: message.partition(),
                    offset: message.offset(),
                    timestamp: message.timestamp(),
                }),
                Err((error, message)) => Err((error.clone(), message.detach())),
            });
        });
    }
}

impl<C> Deref for FutureProducerContext<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C, R> Clone for FutureProducer<C, R>
where
    C: ClientContext + 'static,
{
    fn clone(&self) -> Self {
        delivery::begin_living();
        Self {
            inner: self.inner.clone(),
            telemetry: self.telemetry.clone(),
            runtime: PhantomData,
        }
    }
}

impl<R: AsyncRuntime> FromClientConfig for FutureProducer<DefaultClientContext, R> {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        KafkaOptions::new().create(config)
    }
}

impl<C, R> FromClientConfigAndContext<C> for FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        KafkaOptions::new().create_with_context(config, context)
    }
}

impl<C, R> FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    fn new(
        config: &ClientConfig,
        context: ObservedContext<C>,
        telemetry: Telemetry,
    ) -> KafkaResult<Self> {
        let config = with_all_reports(config);
        Ok(Self {
            inner: Arc::new(config.create_with_context(FutureProducerContext(context))?),
            telemetry,
            runtime: PhantomData,
        })
    }
}

impl<R: AsyncRuntime> Observed for FutureProducer<DefaultClientContext, R> {
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self> {
        let context = ObservedContext::of_default(DefaultClientContext, telemetry.clone());
        Self::new(config, context, telemetry)
    }
}

impl<C, R> ObservedWithContext<C> for FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    fn observed_with_context(
        config: &ClientConfig,
        telemetry: Telemetry,
        context: C,
    ) -> KafkaResult<Self> {
        let context = ObservedContext::new(context, telemetry.clone(), config);
        Self::new(config, context, telemetry)
    }
}

impl<C, R, Part> Producer<FutureProducerContext<C>, Part> for FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
    Part: Partitioner,
{
    observed_producer!(FutureProducerContext<C>);
}

impl<C, R, Part> std::fmt::Debug for FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FutureProducer").finish_non_exhaustive()
    }
}
