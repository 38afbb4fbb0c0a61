use super::builder::{OperationBuilder, operation};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use std::borrow::Cow;

/// A value on its way through a channel or queue of this process, with the context it was sent in.
///
/// ```
/// use otelware::Message;
/// # async fn example() {
/// let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
/// sender.send(Message::new("order 7")).await.ok();
/// while let Some(message) = receiver.recv().await {
///     let (order, operation) = message.receive("handle order");
///     operation.run(async move { println!("{order}") }).await;
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Message<T> {
    value: T,
    context: Context,
}

impl<T> Message<T> {
    /// A message with the current context.
    pub fn new(value: T) -> Self {
        Self {
            value,
            context: Context::current(),
        }
    }

    /// The value.
    pub const fn get_ref(&self) -> &T {
        &self.value
    }

    /// The context that the message was sent in.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The value without its context.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The value, and the operation that handles it: a child of the sender's span, with the
    /// sender's baggage.
    pub fn receive(self, name: impl Into<Cow<'static, str>>) -> (T, OperationBuilder) {
        let builder = operation(name).parent(self.context);
        (self.value, builder)
    }

    /// The value, and the operation that handles it: in the receiver's own trace, linked to the
    /// sender's span. For handlers of batches and for messages that wait long.
    pub fn receive_linked(self, name: impl Into<Cow<'static, str>>) -> (T, OperationBuilder) {
        let builder = operation(name).link(self.context.span().span_context().clone());
        (self.value, builder)
    }
}

impl<T> From<T> for Message<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
