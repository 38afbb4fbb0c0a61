//! The processing of entries.

use super::fields::{self, EntryFields};
use super::lag::Lag;
use crate::consumer_options::ConsumerOptions;
use crate::instrumented::Instrumented;
use otelware::messaging::{Client, Destination, Envelope, Processing, Received, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::semconv::attribute;
use redis::streams::{StreamId, StreamReadReply};
use std::sync::Arc;

const PROCESS: Verb = Verb::process("process");

/// The telemetry of one that reads streams: what entries are processed by. Clones share it, for tasks
/// and threads.
///
/// See the [module](crate::streams) for an example.
#[derive(Clone, Debug)]
pub struct StreamConsumer {
    client: Arc<Client>,
    lag: Arc<Lag>,
}

impl StreamConsumer {
    /// A consumer of this name, in this group, with the defaults of [`ConsumerOptions`] and the
    /// providers of that connection or client.
    pub fn new<C>(
        connection: &Instrumented<C>,
        group: impl Into<String>,
        consumer: impl Into<String>,
    ) -> Self {
        ConsumerOptions::of(connection).stream_consumer(group, consumer)
    }

    pub(crate) fn of(
        options: &ConsumerOptions,
        group: Option<String>,
        consumer: Option<String>,
    ) -> Self {
        Self {
            client: options.client(group, consumer),
            lag: Arc::default(),
        }
    }

    /// Runs the future that processes an entry of that stream in a span of its own, and ends the span
    /// with its result: `Err` is an error of the class named by the error's type.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process<F, T, E>(&self, stream: &str, entry: &StreamId, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.start_process(stream, entry).run(future).await
    }

    /// The same with a closure.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_sync<T, E>(
        &self,
        stream: &str,
        entry: &StreamId,
        process: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.start_process(stream, entry).run_sync(process)
    }

    /// Begins the processing of an entry, which ends with what it is told.
    pub fn start_process(&self, stream: &str, entry: &StreamId) -> Processing {
        let headers = EntryFields(&entry.map);
        let message = Envelope {
            destination: Destination::named(stream),
            headers: Some(&headers),
            body_size: match self.client.options().body_sizes {
                true => fields::size(&entry.map),
                false => 0,
            },
        };
        let processing = self
            .client
            .process(PROCESS, &message, |list| list.push(id_of(entry)));
        self.delivered(stream, std::slice::from_ref(entry), &processing);
        processing
    }

    /// Runs the future that processes several entries of that stream in one span, which is linked to
    /// what added them.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process_batch<F, T, E>(
        &self,
        stream: &str,
        entries: &[StreamId],
        future: F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.start_process_batch(stream, entries).run(future).await
    }

    /// Begins the processing of several entries of that stream, which ends with what it is told.
    pub fn start_process_batch(&self, stream: &str, entries: &[StreamId]) -> Processing {
        let headers: Vec<_> = entries
            .iter()
            .map(|entry| EntryFields(&entry.map))
            .collect();
        let messages = headers
            .iter()
            .zip(entries)
            .map(|(headers, entry)| Received {
                headers: Some(headers),
                attributes: vec![id_of(entry)],
            });
        let destination = Destination::named(stream);
        let processing = self
            .client
            .process_batch(PROCESS, destination, messages, |_| {});
        self.delivered(stream, entries, &processing);
        processing
    }

    /// The entries of a reply, of all its streams, each ready to be processed.
    pub fn entries<'a>(
        &'a self,
        reply: &'a StreamReadReply,
    ) -> impl Iterator<Item = Entry<'a>> + 'a {
        reply.keys.iter().flat_map(move |stream| {
            stream.ids.iter().map(move |entry| Entry {
                consumer: self,
                stream: &stream.key,
                entry,
            })
        })
    }

    /// Entries were handed to the application, and are processed from now on.
    fn delivered(&self, stream: &str, entries: &[StreamId], processing: &Processing) {
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let destination = Destination::named(stream);
        let (client, verb) = (&self.client, PROCESS);
        match entries {
            [] => {}
            [entry] => {
                let headers = EntryFields(&entry.map);
                client.consumed_with(verb, &destination, Some(&headers), None, count);
            }
            _ => client.consumed(verb, &destination, None, count),
        }
        if processing.signals().metrics() {
            for entry in entries {
                self.lag.measure(&self.client, stream, &entry.id);
            }
        }
    }
}

fn id_of(entry: &StreamId) -> KeyValue {
    KeyValue::new(attribute::MESSAGING_MESSAGE_ID, entry.id.clone())
}

/// An entry out of a reply; see [`StreamConsumer::entries`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    consumer: &'a StreamConsumer,
    stream: &'a str,
    entry: &'a StreamId,
}

impl<'a> Entry<'a> {
    /// The stream's key.
    pub const fn stream(&self) -> &'a str {
        self.stream
    }

    /// The entry's id and fields.
    pub const fn entry(&self) -> &'a StreamId {
        self.entry
    }

    /// As [`StreamConsumer::process`].
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process<F, T, E>(self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.start_process().run(future).await
    }

    /// As [`StreamConsumer::process_sync`].
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_sync<T, E>(self, process: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.start_process().run_sync(process)
    }

    /// As [`StreamConsumer::start_process`].
    pub fn start_process(self) -> Processing {
        self.consumer.start_process(self.stream, self.entry)
    }
}
