//! Responses that live long: server-sent events and other streams.

use super::call::{ServerCall, body_error_type};
use super::running::{Running, Server};
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use otelware::http::OperationBody;
use otelware::opentelemetry::baggage::{Baggage, BaggageExt};
use otelware::opentelemetry::trace::{Link, SpanContext, SpanKind};
use otelware::opentelemetry::{Context as OtelContext, KeyValue};
use otelware::operation::{Describe, End, Family, InFlight, Operation, Outcome, Signals, Start};
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How long-lived responses are observed.
///
/// A stream of server-sent events may last for days. Held in one span it is seen when it is over,
/// and every span beneath it waits for its parent. So streams can be observed otherwise; a stream
/// is a response whose content type is `text/event-stream`, or one of those named with
/// [`for_content_types`](Self::for_content_types). Upgraded connections (WebSocket) always end
/// their request's span with the response's head.
#[derive(Clone, Debug)]
pub struct Streaming {
    mode: Mode,
    content_types: Cow<'static, [Cow<'static, str>]>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    WholeBody,
    Head,
    Segments(Duration),
}

const EVENT_STREAM: Cow<'static, [Cow<'static, str>]> =
    Cow::Borrowed(&[Cow::Borrowed("text/event-stream")]);

impl Streaming {
    /// The request lasts as long as its stream. This is the default.
    pub const fn whole_body() -> Self {
        Self {
            mode: Mode::WholeBody,
            content_types: EVENT_STREAM,
        }
    }

    /// The request ends with its response's head; the stream goes unobserved.
    pub const fn head() -> Self {
        Self {
            mode: Mode::Head,
            content_types: EVENT_STREAM,
        }
    }

    /// The request ends with its response's head, and the stream is told in segments: spans of
    /// their own traces, linked to the request's span, each with its number of frames and bytes.
    /// A segment begins with the first frame and ends with the first frame after `every` has
    /// passed, or with the stream. [`with_cancellation`](super::HttpServerLayer::with_cancellation)
    /// holds for segments too. Streams in flight are counted as
    /// `otelware.http.server.active_streams`.
    pub const fn segments(every: Duration) -> Self {
        Self {
            mode: Mode::Segments(every),
            content_types: EVENT_STREAM,
        }
    }

    /// Responses of these content types are streams, besides `text/event-stream`.
    #[must_use]
    pub fn for_content_types<I>(mut self, content_types: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        let more = content_types.into_iter().map(Into::into);
        self.content_types.to_mut().extend(more);
        self
    }

    /// Whether the request ends with the head of a response with these headers, and after which
    /// time its segments end.
    pub(super) fn ends_at_head(&self, headers: &HeaderMap) -> Option<Option<Duration>> {
        let every = match self.mode {
            Mode::WholeBody => return None,
            Mode::Head => None,
            Mode::Segments(every) => Some(every),
        };
        let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = content_type.split(';').next()?.trim();
        self.content_types
            .iter()
            .any(|stream| stream.eq_ignore_ascii_case(essence))
            .then_some(every)
    }

    /// Whether segments are to be observed.
    pub(super) const fn has_segments(&self) -> bool {
        matches!(self.mode, Mode::Segments(_))
    }
}

pin_project! {
    /// The body of an observed response.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        body: OperationBody<B, ServerCall>,
        // Boxed, since few responses are streams.
        segments: Option<Box<Segments>>,
    }
}

impl<B> ResponseBody<B> {
    pub(super) const fn unobserved(body: B) -> Self {
        Self::observed(body, None)
    }

    pub(super) const fn observed(body: B, operation: Option<Operation<ServerCall>>) -> Self {
        Self {
            body: OperationBody::new(body, operation),
            segments: None,
        }
    }

    pub(super) fn segmented(body: B, segments: Segments) -> Self {
        Self {
            body: OperationBody::new(body, None),
            segments: Some(Box::new(segments)),
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        match this.segments {
            None => this.body.poll_frame(cx),
            Some(segments) => {
                let frame = ready!(segments.poll(|| this.body.as_mut().poll_frame(cx)));
                segments.count(&frame);
                // Transports do not ask for the end after trailers, or of a body that knows it.
                let is_trailers = matches!(&frame, Some(Ok(frame)) if frame.is_trailers());
                if is_trailers || this.body.is_end_stream() {
                    segments.end();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The segments of one stream.
#[derive(Debug)]
pub(super) struct Segments {
    server: Arc<Server>,
    every: Duration,
    name: Cow<'static, str>,
    request: SpanContext,
    context: OtelContext,
    signals: Signals,
    next: i64,
    current: Option<Operation<Segment>>,
    _in_flight: Option<InFlight>,
}

impl Segments {
    pub(super) fn new(
        server: Arc<Server>,
        every: Duration,
        name: String,
        request: SpanContext,
        context: &OtelContext,
        signals: Signals,
        in_flight: Option<InFlight>,
    ) -> Self {
        // The baggage goes on, the span does not: each segment begins a trace.
        let baggage = context
            .baggage()
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone()));
        Self {
            server,
            every,
            name: name.into(),
            request,
            context: OtelContext::new().with_baggage(baggage.collect::<Baggage>()),
            signals,
            next: 0,
            current: None,
            _in_flight: in_flight,
        }
    }

    fn poll<T>(&mut self, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        match &mut self.current {
            Some(segment) => {
                let _entered = segment.enter();
                poll()
            }
            None => {
                let _attached = self.context.clone().attach();
                poll()
            }
        }
    }

    fn count<D: bytes::Buf, E: Display + 'static>(&mut self, frame: &Option<Result<Frame<D>, E>>) {
        match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                let segment = match self.current.take() {
                    Some(segment) if segment.elapsed() < self.every => segment,
                    over => {
                        self.current = over;
                        self.end();
                        self.begin()
                    }
                };
                let segment = self.current.insert(segment).describe_mut();
                segment.frames += 1;
                segment.bytes += bytes;
            }
            Some(Err(error)) => {
                let segment = self.current.take().unwrap_or_else(|| self.begin());
                let class = body_error_type(error);
                Running::of(&self.server).exception(segment.context(), &class, error);
                segment.finish(&Outcome::Error(class));
            }
            None => self.end(),
        }
    }

    fn end(&mut self) {
        if let Some(segment) = self.current.take() {
            segment.finish(&Outcome::Success);
        }
    }

    fn begin(&mut self) -> Operation<Segment> {
        let start = Start {
            name: self.name.clone(),
            kind: SpanKind::Internal,
            family: Family::Custom,
            parent: self.context.clone(),
            links: match self.request.is_valid() {
                true => vec![Link::with_context(self.request.clone())],
                false => Vec::new(),
            },
            signals: self.signals,
            cancellation: self.server.options().cancellation,
            in_flight: None,
            minimum_duration: None,
        };
        let number = self.next;
        self.next += 1;
        let instrumentation = &Running::of(&self.server).instrumentation;
        instrumentation.start(start, Segment::default(), |_, list| {
            list.push(KeyValue::new(SEGMENT_NUMBER, number));
        })
    }
}

/// The segment's number in its stream, from 0.
const SEGMENT_NUMBER: &str = "otelware.stream.segment.number";
/// How many frames the segment had.
const SEGMENT_FRAMES: &str = "otelware.stream.segment.frames";
/// How many bytes of data the segment had.
const SEGMENT_BYTES: &str = "otelware.stream.segment.bytes";

#[derive(Debug, Default)]
struct Segment {
    frames: u64,
    bytes: u64,
}

impl Describe for Segment {
    fn end(&mut self, end: &End<'_>) {
        if let Some(span) = end.span() {
            for (key, number) in [(SEGMENT_FRAMES, self.frames), (SEGMENT_BYTES, self.bytes)] {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new(key, number));
            }
        }
    }
}
