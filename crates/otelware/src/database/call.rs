//! The life of an operation on a database.

use super::client::Client;
use super::options::{Hook, Options, View};
use crate::operation::{
    Describe, End, ErrorType, Family, Instrument, Interned, Label, Operation, Outcome, Series,
    SeriesKey, Signals, Start, bounded, extend_replacing, is_doubled,
};
use crate::semconv::{attribute, value};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// Attributes that the end of an operation sets, which hooks can't set.
const RESERVED: [&str; 5] = [
    attribute::DB_RESPONSE_RETURNED_ROWS,
    attribute::DB_RESPONSE_STATUS_CODE,
    attribute::DB_SYSTEM_NAME,
    attribute::ERROR_TYPE,
    attribute::REDIS_BATCH_ERRORS,
];

/// Stands for the names that are not kept, in the keys of series. No string is at this address.
const NOT_KEPT: u64 = u64::MAX;

/// What all operations of a client of a database share.
pub trait Shared {
    /// How they are shown to hooks.
    type View: View;

    /// The options that the client was made with.
    fn options(&self) -> &Options<Self::View>;

    /// The client.
    fn client(&self) -> &Client;
}

/// What a crate knows of an operation on its database.
pub trait DescribeCall {
    /// What it shares with the client's other operations.
    type Shared: Shared;

    /// What the user's code asks for.
    type Source: ?Sized;

    /// The attribute that says what the operation does.
    const NAME: &'static str;

    /// What it shares with the client's other operations.
    fn shared(&self) -> &Arc<Self::Shared>;

    /// How it is shown to hooks.
    fn view<'a>(&'a self, source: &'a Self::Source) -> ViewOf<'a, Self>;

    /// What it does, of low cardinality: the name of its span.
    fn name(&self) -> Option<&Label>;

    /// Adds the attributes that span and metrics have besides the name and the server's.
    fn push_attributes(&self, _list: &mut Vec<KeyValue>) {}

    /// Tells those attributes apart from those of the client's other operations.
    fn attributes_key(&self) -> u64 {
        0
    }

    /// The last word, after the duration was measured: sets what only the end knows, and measures
    /// more `with` the attributes of the duration.
    fn end(&self, _end: &End<'_>, _with: &Measured<'_>) {}
}

/// What hooks see.
pub type ViewOf<'a, D> = <<<D as DescribeCall>::Shared as Shared>::View as View>::Of<'a>;

/// How an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    class: ErrorType,
    /// Whether the class is the code that the database gave.
    is_code: bool,
}

impl Failure {
    /// The database answered with this code.
    pub fn of_code(code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            class: ErrorType::new(code),
            is_code: true,
        }
    }

    /// The database gave no code.
    pub fn of_class(class: impl Into<ErrorType>) -> Self {
        Self {
            class: class.into(),
            is_code: false,
        }
    }

    /// `error.type`.
    pub fn into_class(self) -> ErrorType {
        self.class
    }
}

/// An operation that is yet to begin, with its first poll.
#[derive(Debug)]
pub struct Planned<D> {
    what: D,
    signals: Signals,
    span_attributes: Vec<KeyValue>,
    metric_attributes: Vec<KeyValue>,
    /// The context in which it was asked for, which it may be polled without.
    asked_in: Context,
}

impl<D: DescribeCall> Planned<D> {
    /// Asks the hooks about an operation that is to do what `source` says.
    #[inline]
    pub fn new(what: D, source: &D::Source) -> Self {
        let options = what.shared().options();
        let signals = options
            .filter
            .as_ref()
            .map_or(Signals::ALL, |filter| filter(what.view(source)));
        let ask = |hook: &Option<Hook<_, Vec<KeyValue>>>, wanted: bool| match hook {
            Some(hook) if wanted => allowed(hook(what.view(source))),
            _ => Vec::new(),
        };
        let span_attributes = ask(&options.span_attributes, signals.traces());
        let metric_attributes = ask(&options.metric_attributes, signals.metrics());
        Self {
            what,
            signals,
            span_attributes,
            metric_attributes,
            asked_in: Context::current(),
        }
    }

    /// What is known of it.
    pub const fn what(&self) -> &D {
        &self.what
    }

    /// The signals that are wanted of it.
    pub const fn signals(&self) -> Signals {
        self.signals
    }

    /// Begins it. `attributes` adds those that the span alone has.
    #[inline]
    pub fn begin(self, attributes: impl FnOnce(&mut D, &mut Vec<KeyValue>)) -> Operation<Call<D>> {
        let Self {
            what,
            signals,
            span_attributes,
            metric_attributes,
            asked_in,
        } = self;
        let shared = what.shared().clone();
        let (options, client) = (shared.options(), shared.client());
        // A connection that is wrapped twice.
        let signals = match is_doubled(Family::Database) {
            true => Signals::NONE,
            false => signals,
        };
        let current = Context::current();
        let parent = match current.has_active_span() {
            true => current,
            false => asked_in,
        };
        let start = Start {
            name: match what.name() {
                Some(Label::Interned(name)) => Cow::Borrowed(name.as_str()),
                Some(name) => Cow::Owned(name.as_str().to_owned()),
                None => Cow::Borrowed(client.system),
            },
            kind: SpanKind::Client,
            family: Family::Database,
            signals: options.signals(signals, &parent),
            parent,
            links: Vec::new(),
            cancellation: options.cancellation,
            in_flight: None,
            minimum_duration: options.minimum_duration,
        };
        let call = Call {
            what,
            is_code: false,
            message: None,
            metric_attributes,
        };
        client.instrumentation.start(start, call, |call, list| {
            list.extend_from_slice(&client.server);
            call.what.push_attributes(list);
            if let Some(name) = call.what.name() {
                list.push(KeyValue::new(D::NAME, name.value()));
            }
            attributes(&mut call.what, list);
            extend_replacing(list, span_attributes);
        })
    }
}

/// The attributes of a hook without those that are set later or must stay as they are.
fn allowed(mut attributes: Vec<KeyValue>) -> Vec<KeyValue> {
    attributes.retain(|attribute| !RESERVED.contains(&attribute.key.as_str()));
    attributes
}

/// An operation under way.
#[derive(Debug)]
pub struct Call<D> {
    what: D,
    /// Whether the class of the error is the code that the database gave.
    is_code: bool,
    message: Option<String>,
    metric_attributes: Vec<KeyValue>,
}

impl<D: DescribeCall> Call<D> {
    /// What the crate knows of it.
    pub const fn what_mut(&mut self) -> &mut D {
        &mut self.what
    }

    /// Ends an operation with this error.
    pub fn fail(mut operation: Operation<Self>, failure: Failure, error: &dyn Display) {
        let Failure { class, is_code } = failure;
        let call = operation.describe_mut();
        call.is_code = is_code;
        let shared = call.what.shared().clone();
        // Without a message that has been allowed: it may have values in it.
        if shared.options().error_messages {
            call.message = Some(bounded(&error.to_string()).to_owned());
        }
        let message = operation.describe().message.as_deref().unwrap_or_default();
        shared
            .client()
            .exception(operation.context(), &class, &message);
        operation.finish(&Outcome::Error(class));
    }

    fn status_code(&self, error: Option<&ErrorType>) -> Option<KeyValue> {
        let code = error.filter(|_| self.is_code)?;
        Some(KeyValue::new(
            attribute::DB_RESPONSE_STATUS_CODE,
            code.value(),
        ))
    }

    fn series_key(&self, error: Option<&ErrorType>) -> Option<SeriesKey> {
        if !self.metric_attributes.is_empty() {
            return None;
        }
        let name = match self.what.name() {
            Some(name) => name.id().unwrap_or(NOT_KEPT),
            None => 0,
        };
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        let more = self.what.attributes_key();
        Some([name, error, u64::from(self.is_code), more])
    }

    fn series_attributes(&self, client: &Client, error: Option<&ErrorType>) -> Vec<KeyValue> {
        let mut list = Vec::with_capacity(8);
        list.extend_from_slice(&client.server);
        self.what.push_attributes(&mut list);
        if let Some(name) = self.what.name() {
            // There may be as many as anyone likes of what is not kept.
            let name = match name {
                Label::Interned(name) => name.as_str(),
                Label::Owned(_) => value::OTHER,
            };
            list.push(KeyValue::new(D::NAME, name));
        }
        list.extend(self.status_code(error));
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        extend_replacing(&mut list, self.metric_attributes.clone());
        list
    }
}

/// The attributes of an operation's metrics, where those are wanted.
pub struct Measured<'a> {
    #[allow(clippy::type_complexity, reason = "it is named nowhere else")]
    attributes: Option<(Option<SeriesKey>, &'a dyn Fn() -> Vec<KeyValue>)>,
}

impl Measured<'_> {
    /// Measures a value with them.
    pub fn measure<I: Instrument>(&self, series: &Series<I>, value: I::Value) {
        if let Some((key, attributes)) = self.attributes {
            series.measure(value, key, attributes);
        }
    }
}

impl std::fmt::Debug for Measured<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

impl<D: DescribeCall> Describe for Call<D> {
    fn end(&mut self, end: &End<'_>) {
        let shared = self.what.shared().clone();
        let client = shared.client();
        if let Some(span) = end.span()
            && let Some(code) = self.status_code(end.error_type())
        {
            span.set_attribute(code);
        }
        if end.metrics() {
            let error = end.error_type();
            let key = self.series_key(error);
            let attributes = || self.series_attributes(client, error);
            let seconds = end.duration().as_secs_f64();
            client.duration.measure(seconds, key, attributes);
            let with = Measured {
                attributes: Some((key, &attributes)),
            };
            self.what.end(end, &with);
        } else {
            self.what.end(end, &Measured { attributes: None });
        }
        if *end.outcome() == Outcome::Panicked {
            let class = value::PANIC.into();
            client.exception(end.context(), &class, &"the driver panicked");
        }
    }

    fn status_description(&mut self) -> Cow<'static, str> {
        self.message.take().unwrap_or_default().into()
    }
}
