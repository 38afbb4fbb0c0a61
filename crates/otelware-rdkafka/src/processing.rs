//! The processing of messages.

use crate::destinations::Destinations;
use crate::headers::HeaderExtractor;
use crate::message::{KafkaMessage, MessageHeaders};
use crate::partition;
use crate::producer::key_attribute;
use crate::telemetry::Telemetry;
use otelware::messaging::{Destination, Envelope, Processing, Received, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::propagation::Extractor;
use otelware::operation::Label;
use otelware::semconv::attribute;
use std::time::{Duration, SystemTime};

const PROCESS: Verb = Verb::process("process");

impl Telemetry {
    /// Processes a message by a future, which runs within the span `process {topic}`. An `Err` is an
    /// error of the class that its type names.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process<M, F, T, E>(&self, message: &M, future: F) -> Result<T, E>
    where
        M: KafkaMessage,
        F: Future<Output = Result<T, E>>,
    {
        let processing = self.start_process(message);
        processing.run(future).await
    }

    /// Processes a message by a closure; see [`process`](Self::process).
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_sync<M, T, E>(
        &self,
        message: &M,
        process: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        M: KafkaMessage,
    {
        self.start_process(message).run_sync(process)
    }

    /// Begins to process a message, where neither a future nor a closure fits. What is returned
    /// tells the end; dropped, it counts as cancelled.
    pub fn start_process<M: KafkaMessage>(&self, message: &M) -> Processing {
        let headers = MessageHeaders::new(message);
        if self.client().is_idle() {
            let destination = || Destination::named(message.topic());
            return self.client().process_idle(destination, &headers);
        }
        let partition = partition::label(message.partition());
        let payload = message.payload();
        let envelope = Envelope {
            destination: Destination::named(message.topic()),
            headers: Some(&headers),
            body_size: payload.map_or(0, <[u8]>::len),
        };
        let mut processing = self.client().process(PROCESS, &envelope, |list| {
            push_partition(partition.as_ref(), list);
            self.push_message(message, list);
            list.extend(self.cluster());
        });
        if let Some(partition) = partition {
            processing.set_shown_partition(partition);
        }
        if self.options().ages && processing.signals().metrics() {
            self.measure_age(message);
        }
        processing
    }

    /// Processes a batch of messages by a future, which runs within one span. That is linked to the
    /// senders of the first 128 of them.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process_batch<'m, M, I, F, T, E>(&self, messages: I, future: F) -> Result<T, E>
    where
        M: KafkaMessage + 'm,
        I: IntoIterator<Item = &'m M>,
        F: Future<Output = Result<T, E>>,
    {
        let processing = self.start_process_batch(messages);
        processing.run(future).await
    }

    /// Processes a batch of messages by a closure; see [`process_batch`](Self::process_batch).
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_batch_sync<'m, M, T, E>(
        &self,
        messages: impl IntoIterator<Item = &'m M>,
        process: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        M: KafkaMessage + 'm,
    {
        self.start_process_batch(messages).run_sync(process)
    }

    /// Begins to process a batch of messages; see [`start_process`](Self::start_process).
    pub fn start_process_batch<'m, M>(
        &self,
        messages: impl IntoIterator<Item = &'m M>,
    ) -> Processing
    where
        M: KafkaMessage + 'm,
    {
        let client = self.client();
        if client.is_idle() {
            let nowhere = Destination::named("");
            return client.process_batch(PROCESS, nowhere, [], |_| {});
        }
        let messages: Vec<_> = messages.into_iter().collect();
        let places = messages.iter();
        let common = Destinations::of(places.map(|message| (message.topic(), message.partition())));
        let extractors: Vec<_> = messages
            .iter()
            .map(|message| message.native_headers().map(HeaderExtractor))
            .collect();
        let partition = common.partition.and_then(partition::label);
        let received = messages.iter().zip(&extractors);
        let received = received.map(|(message, extractor)| Received {
            headers: extractor.as_ref().map(|headers| headers as &dyn Extractor),
            attributes: match extractor {
                // Without a context there is no link that could have them.
                None => Vec::new(),
                Some(_) => self.of_link(*message, &common),
            },
        });
        let destination = Destination::named(&common.topic);
        let mut processing = client.process_batch(PROCESS, destination, received, |list| {
            push_partition(partition.as_ref(), list);
            list.extend(self.cluster());
        });
        if let Some(partition) = partition {
            processing.set_shown_partition(partition);
        }
        if self.options().ages && processing.signals().metrics() {
            messages
                .iter()
                .for_each(|message| self.measure_age(*message));
        }
        processing
    }

    /// What only one message of a batch has.
    fn of_link<M: KafkaMessage>(&self, message: &M, common: &Destinations) -> Vec<KeyValue> {
        let mut list = Vec::with_capacity(4);
        if common.topic.is_empty() {
            list.push(KeyValue::new(
                attribute::MESSAGING_DESTINATION_NAME,
                message.topic().to_owned(),
            ));
        }
        if common.partition.is_none() {
            push_partition(partition::label(message.partition()).as_ref(), &mut list);
        }
        self.push_message(message, &mut list);
        list
    }

    /// What is known of a message that was received.
    pub(crate) fn push_message<M: KafkaMessage>(&self, message: &M, list: &mut Vec<KeyValue>) {
        list.push(KeyValue::new(attribute::KAFKA_OFFSET, message.offset()));
        if message.payload().is_none() {
            list.push(KeyValue::new(attribute::KAFKA_MESSAGE_TOMBSTONE, true));
        }
        if self.options().keys {
            list.extend(key_attribute(message.key()));
        }
    }

    fn measure_age<M: KafkaMessage>(&self, message: &M) {
        let Some(sent) = message.timestamp().to_millis() else {
            return;
        };
        let Ok(sent) = u64::try_from(sent).map(Duration::from_millis) else {
            return;
        };
        let sent = SystemTime::UNIX_EPOCH + sent;
        let ages = &self.extra().ages;
        self.client().measure_age(ages, message.topic(), sent);
    }
}

pub(crate) fn push_partition(partition: Option<&Label>, list: &mut Vec<KeyValue>) {
    if let Some(partition) = partition {
        list.push(KeyValue::new(
            attribute::MESSAGING_DESTINATION_PARTITION_ID,
            partition.value(),
        ));
    }
}
