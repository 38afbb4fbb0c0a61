use super::builder::operation;
use super::future::Life;
use futures_core::Stream;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Makes operations of streams.
pub trait StreamExt: Stream + Sized {
    /// Runs the stream as one operation of this name, from the first poll to its end, in the context
    /// that is current when this is called. A stream
    /// that is dropped before its end is recorded as cancelled.
    fn traced(self, name: impl Into<Cow<'static, str>>) -> TracedStream<Self> {
        TracedStream {
            stream: self,
            life: Life::planned(operation(name)),
        }
    }
}

impl<S: Stream> StreamExt for S {}

pin_project! {
    /// A stream that runs as an operation; made by [`StreamExt::traced`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TracedStream<S> {
        #[pin]
        stream: S,
        life: Life,
    }
}

impl<S: Stream> Stream for TracedStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let stream = this.stream;
        let item = this.life.poll_in(|| stream.poll_next(cx));
        if let Poll::Ready(None) = item {
            this.life.finish(None);
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
