//! Bodies that know when they end.

use crate::operation::{Describe, Operation, Outcome};
use bytes::Buf;
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// What a crate wants to know of the body that its operation ends with.
pub trait DescribeBody: Describe {
    /// Whether the body ends with trailers, so that no data is its last frame, whatever it says.
    const HAS_TRAILERS: bool = false;

    /// Whether the operation's context is current while the body is polled: wherever code of the
    /// user's may run then.
    fn is_entered(&self) -> bool {
        true
    }

    /// A chunk of data went by, after which the body says whether it is at its end.
    fn data(&mut self, data: &impl Buf, is_end_stream: bool);

    /// Trailers went by.
    fn trailers(&mut self, _trailers: &HeaderMap) {}

    /// How the operation ends when its body failed with this error.
    fn failed<E: Display + 'static>(operation: &mut Operation<Self>, error: &E) -> Outcome
    where
        Self: Sized;

    /// How the operation ends when its body came to its end.
    fn outcome(operation: &mut Operation<Self>) -> Outcome
    where
        Self: Sized;

    /// How the operation ends when its body is dropped before its end, if that is no cancellation:
    /// transports stop polling where all that was announced has gone by, or the body says that it
    /// is at its end.
    fn left_unread(&mut self) -> Option<Outcome>;
}

/// How many bytes a response's body is to have, where it or the head tells.
pub fn announced_length<B: Body>(response: &Response<B>) -> Option<u64> {
    let exact = response.body().size_hint().exact();
    exact.or_else(|| {
        let length = response.headers().get(header::CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    })
}

pin_project! {
    /// A body in whose stead an operation ends: with its last frame, its error, or its drop.
    #[derive(Debug)]
    pub struct OperationBody<B, D: DescribeBody> {
        #[pin]
        body: B,
        operation: Option<Operation<D>>,
    }

    impl<B, D: DescribeBody> PinnedDrop for OperationBody<B, D> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(mut operation) = this.operation.take()
                && let Some(outcome) = operation.describe_mut().left_unread()
            {
                operation.finish(&outcome);
            }
        }
    }
}

impl<B, D: DescribeBody> OperationBody<B, D> {
    /// The body, and the operation that ends with it; without one the body is merely passed on.
    pub const fn new(body: B, operation: Option<Operation<D>>) -> Self {
        Self { body, operation }
    }

    /// The wrapped body.
    pub const fn get_ref(&self) -> &B {
        &self.body
    }
}

impl<B, D> Body for OperationBody<B, D>
where
    B: Body,
    B::Error: Display + 'static,
    D: DescribeBody,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(operation) = this.operation else {
            return this.body.poll_frame(cx);
        };
        let polled = if operation.describe().is_entered() {
            let _entered = operation.enter();
            this.body.as_mut().poll_frame(cx)
        } else {
            this.body.as_mut().poll_frame(cx)
        };
        let frame = ready!(polled);
        let outcome = match &frame {
            Some(Ok(frame)) => {
                let is_end_stream = this.body.is_end_stream();
                let mut is_last = is_end_stream && !D::HAS_TRAILERS;
                if let Some(data) = frame.data_ref() {
                    operation.describe_mut().data(data, is_end_stream);
                } else if let Some(trailers) = frame.trailers_ref() {
                    operation.describe_mut().trailers(trailers);
                    // Nothing may follow them: transports stop polling here.
                    is_last = true;
                }
                is_last.then(|| D::outcome(operation))
            }
            Some(Err(error)) => Some(D::failed(operation, error)),
            None => Some(D::outcome(operation)),
        };
        if let Some(outcome) = outcome
            && let Some(operation) = this.operation.take()
        {
            operation.finish(&outcome);
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

pin_project! {
    /// A body whose bytes are counted as they flow.
    #[derive(Debug)]
    pub struct CountedBody<B> {
        #[pin]
        body: B,
        bytes: Arc<AtomicU64>,
    }
}

impl<B> CountedBody<B> {
    /// Counts the bytes of `body` into `bytes`.
    pub const fn new(body: B, bytes: Arc<AtomicU64>) -> Self {
        Self { body, bytes }
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.bytes
                .fetch_add(data.remaining() as u64, Ordering::Relaxed);
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
