//! Confirms of what was published.

use crate::error;
use lapin::{Confirmation, Result};
use otelware::messaging::Call;
use otelware::operation::{ErrorType, InFlight, Operation, Outcome};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The broker's confirm of a message that was published, as [`lapin::PublisherConfirm`]. The span of
/// the publishing ends with it.
///
/// When it is dropped, the span ends without an error, and the confirm is left to
/// [`wait_for_confirms`](lapin::Channel::wait_for_confirms).
pub struct PublisherConfirm {
    inner: lapin::PublisherConfirm,
    publishing: Option<Publishing>,
}

/// A message that is not confirmed yet.
struct Publishing {
    operation: Operation<Call>,
    _counted: InFlight,
}

impl PublisherConfirm {
    /// A confirm that ends this operation.
    pub(crate) const fn awaited(
        inner: lapin::PublisherConfirm,
        operation: Operation<Call>,
        counted: InFlight,
    ) -> Self {
        Self {
            inner,
            publishing: Some(Publishing {
                operation,
                _counted: counted,
            }),
        }
    }

    /// One that ends nothing: nobody asked for it, or nobody wants to know of it.
    pub(crate) const fn unobserved(inner: lapin::PublisherConfirm) -> Self {
        Self {
            inner,
            publishing: None,
        }
    }
}

/// Why a message was not taken, if so.
fn failure(confirmation: &Confirmation) -> Option<ErrorType> {
    match confirmation {
        Confirmation::NotRequested | Confirmation::Ack(None) => None,
        Confirmation::Nack(None) => Some(error::NACK.into()),
        Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
            Some(error::returned(returned))
        }
    }
}

impl Future for PublisherConfirm {
    type Output = Result<Confirmation>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.inner).poll(cx);
        if let Poll::Ready(result) = &polled
            && let Some(Publishing { operation, .. }) = self.publishing.take()
        {
            match result {
                Ok(confirmation) => match failure(confirmation) {
                    None => operation.finish(&Outcome::Success),
                    Some(class) => Call::fail(operation, class, &""),
                },
                Err(error) => Call::fail(operation, error::class(error), error),
            }
        }
        polled
    }
}

impl Drop for PublisherConfirm {
    fn drop(&mut self) {
        // Also while a panic unwinds, which is none of the message's.
        if let Some(Publishing { operation, .. }) = self.publishing.take() {
            operation.finish(&Outcome::Success);
        }
    }
}

impl std::fmt::Debug for PublisherConfirm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublisherConfirm").finish_non_exhaustive()
    }
}
