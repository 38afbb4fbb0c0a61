//! The processing of messages.

use super::call::Call;
use crate::operation::{ErrorType, Operation, Outcome, Signals};
use opentelemetry::{Context, KeyValue};

/// The processing of a message, or of a batch, under way. It ends with what it is told, or as
/// cancelled when it is dropped.
#[derive(Debug)]
#[must_use = "processing that is dropped counts as cancelled"]
pub struct Processing {
    operation: Operation<Call>,
}

impl Processing {
    pub(super) const fn new(operation: Operation<Call>) -> Self {
        Self { operation }
    }

    /// The context of the processing, for tasks that it spawns.
    pub const fn context(&self) -> &Context {
        self.operation.context()
    }

    /// Sets an attribute of its span.
    pub fn set_attribute(&self, attribute: KeyValue) {
        self.operation.set_attribute(attribute);
    }

    /// The signals that are wanted of it.
    #[doc(hidden)]
    pub const fn signals(&self) -> Signals {
        self.operation.signals()
    }

    /// What is known of it.
    #[doc(hidden)]
    pub const fn call_mut(&mut self) -> &mut Call {
        self.operation.describe_mut()
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
        let result = self.operation.within(future).await;
        self.end(result)
    }

    /// Runs the closure that processes, and ends with its result.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn run_sync<T, E>(mut self, process: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let result = {
            let _entered = self.operation.enter();
            process()
        };
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
        self.operation.within(part).await
    }

    /// Runs a part of the processing within its context.
    pub fn in_scope<T>(&mut self, part: impl FnOnce() -> T) -> T {
        let _entered = self.operation.enter();
        part()
    }

    /// The message was processed.
    pub fn finish(self) {
        self.operation.finish(&Outcome::Success);
    }

    /// It was not, for a reason of this class, such as `out_of_stock`.
    pub fn fail(self, class: impl Into<ErrorType>) {
        Call::fail(self.operation, class.into(), &"");
    }
}
