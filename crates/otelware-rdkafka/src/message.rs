//! Messages that can be processed.

use crate::headers::HeaderExtractor;
use otelware::opentelemetry::propagation::Extractor;
use rdkafka::Message;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, OwnedHeaders, OwnedMessage};
use std::cell::OnceCell;

/// A message of rdkafka: one that its consumer owns, or a detached one.
pub trait KafkaMessage: Message {
    /// Its headers as librdkafka keeps them.
    fn native_headers(&self) -> Option<&BorrowedHeaders>;
}

impl KafkaMessage for BorrowedMessage<'_> {
    fn native_headers(&self) -> Option<&BorrowedHeaders> {
        self.headers()
    }
}

impl KafkaMessage for OwnedMessage {
    fn native_headers(&self) -> Option<&BorrowedHeaders> {
        self.headers().map(OwnedHeaders::as_borrowed)
    }
}

/// The headers of a message as a carrier, looked at only when they are asked for: librdkafka reads
/// them out of what it received at the first look, and where nobody propagates context nobody looks.
pub(crate) struct MessageHeaders<'m, M> {
    message: &'m M,
    found: OnceCell<Option<HeaderExtractor<'m>>>,
}

impl<'m, M: KafkaMessage> MessageHeaders<'m, M> {
    pub(crate) const fn new(message: &'m M) -> Self {
        Self {
            message,
            found: OnceCell::new(),
        }
    }

    fn found(&self) -> Option<&HeaderExtractor<'m>> {
        self.found
            .get_or_init(|| self.message.native_headers().map(HeaderExtractor))
            .as_ref()
    }
}

impl<M: KafkaMessage> Extractor for MessageHeaders<'_, M> {
    fn get(&self, key: &str) -> Option<&str> {
        self.found()?.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.found().map(Extractor::keys).unwrap_or_default()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.found()?.get_all(key)
    }
}
