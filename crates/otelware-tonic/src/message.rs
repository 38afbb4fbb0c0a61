//! The messages of a call's streams.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::opentelemetry::{Context as OtelContext, KeyValue};
use otelware::operation::enter_user_code;
use otelware::semconv::{attribute, event, value};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// A message is preceded by a flag and four bytes that say its length (gRPC over HTTP/2,
/// "Length-Prefixed-Message").
const PREFIX: usize = 5;

/// A message that went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Message {
    size: u32,
    is_compressed: bool,
}

/// Finds the messages in the data of a body, wherever that is cut.
#[derive(Debug, Default)]
struct Scanner {
    prefix: [u8; PREFIX],
    /// How many bytes of the prefix are there.
    filled: usize,
    /// How many bytes of the message have gone by.
    seen: u32,
}

impl Scanner {
    fn scan(&mut self, mut data: &[u8], mut on_message: impl FnMut(Message)) {
        loop {
            let (missing, rest) = data.split_at(data.len().min(PREFIX - self.filled));
            let filled = self.filled + missing.len();
            if let Some(place) = self.prefix.get_mut(self.filled..filled) {
                place.copy_from_slice(missing);
            }
            self.filled = filled;
            if filled < PREFIX {
                return;
            }
            let [flag, length @ ..] = self.prefix;
            let size = u32::from_be_bytes(length);
            let here = u32::try_from(rest.len())
                .unwrap_or(u32::MAX)
                .min(size - self.seen);
            data = rest.get(here as usize..).unwrap_or_default();
            self.seen += here;
            if self.seen < size {
                return;
            }
            *self = Self::default();
            on_message(Message {
                size,
                is_compressed: flag != 0,
            });
        }
    }
}

/// How many messages and bytes went in one direction of a call.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    /// How many messages there were, and how many bytes without their prefixes.
    pub(crate) fn get(&self) -> (u64, u64) {
        (
            self.messages.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }
}

/// Observes the messages of one direction of a call.
#[derive(Debug)]
pub struct Meter {
    scanner: Scanner,
    counts: Arc<Counts>,
    /// The context whose span has an event for each message, where those are wanted.
    events: Option<OtelContext>,
    direction: &'static str,
}

impl Meter {
    /// `direction` is `SENT` or `RECEIVED`.
    pub(crate) fn new(direction: &'static str, events: Option<OtelContext>) -> Self {
        Self {
            scanner: Scanner::default(),
            counts: Arc::default(),
            events,
            direction,
        }
    }

    pub(crate) const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    pub(crate) fn observe(&mut self, data: &[u8]) {
        let Self {
            scanner,
            counts,
            events,
            direction,
        } = self;
        scanner.scan(data, |message| {
            let number = counts.messages.fetch_add(1, Ordering::Relaxed) + 1;
            counts
                .bytes
                .fetch_add(u64::from(message.size), Ordering::Relaxed);
            if let Some(context) = events {
                let size = if message.is_compressed {
                    attribute::RPC_MESSAGE_COMPRESSED_SIZE
                } else {
                    attribute::RPC_MESSAGE_UNCOMPRESSED_SIZE
                };
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                context.span().add_event(
                    event::RPC_MESSAGE,
                    vec![
                        KeyValue::new(attribute::RPC_MESSAGE_TYPE, *direction),
                        KeyValue::new(attribute::RPC_MESSAGE_ID, number),
                        KeyValue::new(size, i64::from(message.size)),
                    ],
                );
            }
        });
    }
}

pin_project! {
    /// The body of a request whose messages are observed.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        body: B,
        context: Option<OtelContext>,
        meter: Option<Meter>,
    }
}

impl<B> RequestBody<B> {
    /// A body whose stream the user made: `context` is current while it runs.
    pub(crate) const fn of_client(body: B, context: OtelContext, meter: Option<Meter>) -> Self {
        Self {
            body,
            context: Some(context),
            meter,
        }
    }

    /// A body that comes from the network.
    pub(crate) const fn of_server(body: B, meter: Option<Meter>) -> Self {
        Self {
            body,
            context: None,
            meter,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let polled = {
            let _entered = this.context.clone().map(enter_user_code);
            this.body.poll_frame(cx)
        };
        let frame = ready!(polled);
        if let Some(meter) = this.meter
            && let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            meter.observe(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Which way the messages of a request go, for the side that a layer is on.
pub(crate) const fn direction(is_sent: bool) -> &'static str {
    if is_sent {
        value::SENT
    } else {
        value::RECEIVED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(messages: &[(Vec<u8>, bool)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (message, is_compressed) in messages {
            bytes.push(u8::from(*is_compressed));
            bytes.extend((message.len() as u32).to_be_bytes());
            bytes.extend(message);
        }
        bytes
    }

    proptest! {
        #[test]
        fn messages_are_found_wherever_the_data_is_cut(
            messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..8),
            cuts in prop::collection::vec(1_usize..12, 1..60),
        ) {
            let bytes = framed(&messages);
            let mut scanner = Scanner::default();
            let mut found = Vec::new();
            let mut rest = &bytes[..];
            let mut cuts = cuts.iter().cycle();
            while !rest.is_empty() {
                let cut = rest.len().min(*cuts.next().unwrap_or(&1));
                let (chunk, after) = rest.split_at(cut);
                scanner.scan(chunk, |message| found.push(message));
                rest = after;
            }
            let expected: Vec<_> = messages
                .iter()
                .map(|(message, is_compressed)| Message {
                    size: message.len() as u32,
                    is_compressed: *is_compressed,
                })
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_bytes_are_scanned(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..32), 0..16)) {
            let mut scanner = Scanner::default();
            for chunk in chunks {
                scanner.scan(&chunk, |_| {});
            }
        }
    }
}
