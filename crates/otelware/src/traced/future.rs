use super::builder::{ActiveOperation, OperationBuilder, operation};
use crate::operation::ErrorType;
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Makes operations of futures.
pub trait FutureExt: Future + Sized {
    /// Runs the future as an operation of this name; any value that it comes to is a success.
    ///
    /// The operation begins with the first poll, and goes on from the context that is current when
    /// this is called: a task that is spawned with it is part of the caller's trace. A future that
    /// is dropped before it is done is recorded as cancelled.
    fn traced(self, name: impl Into<Cow<'static, str>>) -> Traced<Self> {
        operation(name).run(self)
    }

    /// As [`traced`](Self::traced), and `Err` is an error of the class named by the error's type.
    fn try_traced<T, E>(self, name: impl Into<Cow<'static, str>>) -> TryTraced<Self>
    where
        Self: Future<Output = Result<T, E>>,
    {
        operation(name).try_run(self)
    }
}

impl<F: Future> FutureExt for F {}

/// The life of an operation that is not yet begun, under way or over.
#[derive(Debug)]
pub(super) enum Life {
    Planned(Box<OperationBuilder>),
    Active(ActiveOperation),
    Over,
}

impl Life {
    pub(super) fn planned(builder: OperationBuilder) -> Self {
        Self::Planned(Box::new(builder.here()))
    }

    /// Begins the operation if it is still planned; `None` when it is over.
    pub(super) fn active(&mut self) -> Option<&mut ActiveOperation> {
        if let Self::Planned(_) = self
            && let Self::Planned(builder) = std::mem::replace(self, Self::Over)
        {
            *self = Self::Active(builder.start());
        }
        match self {
            Self::Active(operation) => Some(operation),
            _ => None,
        }
    }

    /// Polls within the operation.
    pub(super) fn poll_in<T>(&mut self, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        match self.active() {
            Some(operation) => operation.in_scope(poll),
            None => poll(),
        }
    }

    pub(super) fn finish(&mut self, error: Option<ErrorType>) {
        if let Self::Active(operation) = std::mem::replace(self, Self::Over) {
            match error {
                Some(class) => operation.fail(class),
                None => operation.finish(),
            }
        }
    }
}

macro_rules! traced_future {
    ($(#[$doc:meta])* $name:ident) => {
        pin_project! {
            $(#[$doc])*
            #[derive(Debug)]
            #[must_use = "futures do nothing unless polled"]
            pub struct $name<F> {
                #[pin]
                future: F,
                life: Life,
            }
        }

        impl<F> $name<F> {
            pub(super) fn new(builder: OperationBuilder, future: F) -> Self {
                Self { future, life: Life::planned(builder) }
            }
        }
    };
}

traced_future! {
    /// A future that runs as an operation; any value that it comes to is a success.
    Traced
}

traced_future! {
    /// A future that runs as an operation; `Err` is an error.
    TryTraced
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let future = this.future;
        let value = ready!(this.life.poll_in(|| future.poll(cx)));
        this.life.finish(None);
        Poll::Ready(value)
    }
}

impl<F, T, E> Future for TryTraced<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let future = this.future;
        let result = ready!(this.life.poll_in(|| future.poll(cx)));
        this.life.finish(result.is_err().then(ErrorType::of::<E>));
        Poll::Ready(result)
    }
}
