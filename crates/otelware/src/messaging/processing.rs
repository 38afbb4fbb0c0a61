//! The processing of messages.

use super::call::Call;
use crate::operation::{ErrorType, Label, Operation, Outcome, Signals, enter_user_code};
use opentelemetry::{Context, KeyValue};
use std::future::poll_fn;
use std::pin::pin;

/// The processing of a message, or of a batch, under way. It ends with what it is told, or as
/// cancelled when it is dropped.
#[derive(Debug)]
#[must_use = "processing that is dropped counts as cancelled"]
pub struct Processing {
    state: State,
}

#[derive(Debug)]
enum State {
    Observed(Operation<Call>),
    /// Nobody wants to know of it; it passes the message's context on.
    Idle(Context),
}

impl Processing {
    pub(super) const fn new(operation: Operation<Call>) -> Self {
        let state = State::Observed(operation);
        Self { state }
    }

    pub(super) const fn idle(context: Context) -> Self {
        let state = State::Idle(context);
        Self { state }
    }

    /// The context of the processing, for tasks that it spawns.
    pub const fn context(&self) -> &Context {
        match &self.state {
            State::Observed(operation) => operation.context(),
            State::Idle(context) => context,
        }
    }

    /// Sets an attribute of its span.
    pub fn set_attribute(&self, attribute: KeyValue) {
        if let State::Observed(operation) = &self.state {
            operation.set_attribute(attribute);
        }
    }

    /// The signals that are wanted of it.
    #[doc(hidden)]
    pub const fn signals(&self) -> Signals {
        match &self.state {
            State::Observed(operation) => operation.signals(),
            State::Idle(_) => Signals::NONE,
        }
    }

    /// The partition that it is about, which its span has had since it started.
    #[doc(hidden)]
    pub fn set_shown_partition(&mut self, partition: Label) {
        if let State::Observed(operation) = &mut self.state {
            operation.describe_mut().set_shown_partition(partition);
        }
    }

    /// Runs the future that processes, and ends with its result: `Err` is an error of the class
    /// named by the error's type.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn run<F, T, E>(mut self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let result = self.within(future).await;
        self.end(result)
    }

    /// Runs the closure that processes, and ends with its result.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn run_sync<T, E>(mut self, process: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let result = self.in_scope(process);
        self.end(result)
    }

    fn end<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        match &result {
            Ok(_) => self.finish(),
            Err(_) => self.fail(ErrorType::of::<E>()),
        }
        result
    }

    /// Runs a future that is a part of the processing within its context.
    pub async fn within<F: Future>(&mut self, part: F) -> F::Output {
        match &mut self.state {
            State::Observed(operation) => operation.within(part).await,
            State::Idle(context) => {
                let mut part = pin!(part);
                poll_fn(|cx| {
                    let _entered = enter_user_code(context.clone());
                    part.as_mut().poll(cx)
                })
                .await
            }
        }
    }

    /// Runs a part of the processing within its context.
    pub fn in_scope<T>(&mut self, part: impl FnOnce() -> T) -> T {
        match &mut self.state {
            State::Observed(operation) => {
                let _entered = operation.enter();
                part()
            }
            State::Idle(context) => {
                let _entered = enter_user_code(context.clone());
                part()
            }
        }
    }

    /// The message was processed.
    pub fn finish(self) {
        if let State::Observed(operation) = self.state {
            operation.finish(&Outcome::Success);
        }
    }

    /// It was not, for a reason of this class, such as `out_of_stock`.
    pub fn fail(self, class: impl Into<ErrorType>) {
        if let State::Observed(operation) = self.state {
            Call::fail(operation, class.into(), &"");
        }
    }
}
