use crate::operation::{
    Cancellation, Describe, End, ErrorType, Family, Instrumentation, Operation, Outcome, Providers,
    Signals, Start, extend_replacing,
};
use crate::semconv::attribute;
use opentelemetry::trace::{Link, SpanContext, SpanKind};
use opentelemetry::{Context, Key, KeyValue};
use std::borrow::Cow;

/// Begins the description of an operation of one's own; `name` has low cardinality.
///
/// ```
/// # async fn charge(_: u32) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example() -> Result<(), std::io::Error> {
/// otelware::operation("charge card")
///     .attribute("shop.amount", 1_999)
///     .try_run(charge(1_999))
///     .await
/// # }
/// ```
pub fn operation(name: impl Into<Cow<'static, str>>) -> OperationBuilder {
    OperationBuilder {
        name: name.into(),
        kind: SpanKind::Internal,
        parent: None,
        links: Vec::new(),
        attributes: Vec::new(),
        providers: Providers::default(),
    }
}

/// An operation that is about to begin; made by [`operation`].
#[derive(Debug)]
#[must_use = "an operation begins with `start`, `run` or `try_run`"]
pub struct OperationBuilder {
    name: Cow<'static, str>,
    kind: SpanKind,
    parent: Option<Context>,
    links: Vec<Link>,
    attributes: Vec<KeyValue>,
    providers: Providers,
}

impl OperationBuilder {
    fn providers_mut(&mut self) -> &mut Providers {
        &mut self.providers
    }

    crate::__with_tracer_provider!();

    /// Sets an attribute of the span, in the place of an earlier one of the same key.
    pub fn attribute(
        mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<opentelemetry::Value>,
    ) -> Self {
        let attribute = KeyValue::new(key, value);
        match self
            .attributes
            .iter_mut()
            .find(|set| set.key == attribute.key)
        {
            Some(set) => *set = attribute,
            None => self.attributes.push(attribute),
        }
        self
    }

    /// Sets the kind of the span; it is internal by default.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Goes on from this context instead of the current one.
    pub fn parent(mut self, parent: Context) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Links the span to another; an invalid span context is left out.
    pub fn link(mut self, span_context: SpanContext) -> Self {
        if span_context.is_valid() {
            self.links.push(Link::with_context(span_context));
        }
        self
    }

    /// Begins the operation now; it ends when the guard is finished or dropped.
    pub fn start(self) -> ActiveOperation {
        let instrumentation = Instrumentation::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &self.providers,
        );
        let start = Start {
            name: self.name,
            kind: self.kind,
            family: Family::Custom,
            parent: self.parent.unwrap_or_else(Context::current),
            links: self.links,
            signals: Signals::TRACES,
            cancellation: Cancellation::Mark,
            in_flight: None,
            minimum_duration: None,
        };
        let attributes = self.attributes;
        let custom = Custom::default();
        ActiveOperation(instrumentation.start(start, custom, |custom, list| {
            custom.begun_with = attributes.iter().map(|set| set.key.clone()).collect();
            list.extend(attributes);
        }))
    }

    /// The operation goes on from the context that is current now, whenever it begins.
    pub(super) fn here(mut self) -> Self {
        self.parent.get_or_insert_with(Context::current);
        self
    }

    /// Runs `future` as this operation; any value that it comes to is a success. The operation
    /// begins with the first poll, and goes on from the context of this call.
    pub fn run<F: Future>(self, future: F) -> super::Traced<F> {
        super::Traced::new(self, future)
    }

    /// Runs `future` as this operation; `Err` is an error of the class named by the error's type.
    pub fn try_run<F, T, E>(self, future: F) -> super::TryTraced<F>
    where
        F: Future<Output = Result<T, E>>,
    {
        super::TryTraced::new(self, future)
    }

    /// Runs `function` as this operation, on this thread.
    pub fn run_blocking<T>(self, function: impl FnOnce() -> T) -> T {
        let mut operation = self.start();
        let value = operation.in_scope(function);
        operation.finish();
        value
    }
}

/// An operation of one's own, under way. Dropped unfinished it counts as cancelled, or as panicked
/// while the thread unwinds.
#[derive(Debug)]
#[must_use = "an operation that is dropped counts as cancelled"]
pub struct ActiveOperation(pub(super) Operation<Custom>);

impl ActiveOperation {
    /// The context of the operation, to hand on.
    pub const fn context(&self) -> &Context {
        self.0.context()
    }

    /// Sets an attribute of the span, in the place of one that was set so before. An attribute that
    /// the operation began with stays as it is.
    pub fn set_attribute(
        &mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<opentelemetry::Value>,
    ) {
        if self.0.is_recording() {
            let attribute = KeyValue::new(key, value);
            let custom = self.0.describe_mut();
            if !custom.begun_with.contains(&attribute.key) {
                extend_replacing(&mut custom.attributes, vec![attribute]);
            }
        }
    }

    /// Runs `function` with the operation's context as the current one.
    pub fn in_scope<T>(&mut self, function: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        function()
    }

    /// Ends the operation as a success.
    pub fn finish(self) {
        self.0.finish(&Outcome::Success);
    }

    /// Ends the operation with an error of this class.
    pub fn fail(self, error_type: impl Into<ErrorType>) {
        self.0.finish(&Outcome::Error(error_type.into()));
    }
}

/// What the user says of an operation while it is under way.
#[derive(Debug, Default)]
pub(super) struct Custom {
    begun_with: Vec<Key>,
    attributes: Vec<KeyValue>,
}

impl Describe for Custom {
    fn end(&mut self, end: &End<'_>) {
        let Some(span) = end.span() else { return };
        let mut attributes = std::mem::take(&mut self.attributes);
        if end.error_type().is_some() {
            attributes.retain(|set| set.key.as_str() != attribute::ERROR_TYPE);
        }
        span.set_attributes(attributes);
    }
}
