//! The life of an operation on a database.

use crate::core::{Core, Query};
use crate::error;
use crate::options::QueryView;
use otelware::opentelemetry::trace::{SpanKind, TraceContextExt};
use otelware::opentelemetry::{Context, KeyValue, StringValue};
use otelware::operation::{
    Describe, End, ErrorType, Family, Interned, Label, Operation, Outcome, SeriesKey, Signals,
    Start, extend_replacing,
};
use otelware::semconv::{attribute, value};
use sqlx::Error;
use std::borrow::Cow;
use std::sync::Arc;

/// Attributes that the end of an operation sets, which hooks can't set.
const RESERVED: [&str; 4] = [
    attribute::DB_RESPONSE_RETURNED_ROWS,
    attribute::DB_RESPONSE_STATUS_CODE,
    attribute::DB_SYSTEM_NAME,
    attribute::ERROR_TYPE,
];

/// An operation that is yet to begin, with its first poll.
#[derive(Debug)]
pub(crate) struct Planned {
    core: Arc<Core>,
    query: Arc<Query>,
    text: Option<StringValue>,
    signals: Signals,
    span_attributes: Vec<KeyValue>,
    metric_attributes: Vec<KeyValue>,
    /// The context in which it was asked for, which it may be polled without.
    asked_in: Context,
}

/// What is known of an operation under way.
#[derive(Debug)]
pub(crate) struct Call {
    core: Arc<Core>,
    query: Arc<Query>,
    rows: Option<u64>,
    status_code: Option<String>,
    message: Option<String>,
    metric_attributes: Vec<KeyValue>,
}

impl Planned {
    /// A query.
    pub(crate) fn query(core: &Arc<Core>, sql: &str, is_parameterised: bool) -> Self {
        Self::new(core, core.query(sql), sql, is_parameterised)
    }

    /// A step of a transaction, which is its own summary.
    pub(crate) fn step(core: &Arc<Core>, step: &'static str) -> Self {
        Self::new(core, core.step(step), step, false)
    }

    fn new(core: &Arc<Core>, query: Arc<Query>, sql: &str, is_parameterised: bool) -> Self {
        let options = core.options();
        let view = QueryView {
            summary: query.summary.as_ref().map(Label::as_str),
            text: sql,
        };
        let signals = options
            .filter
            .as_ref()
            .map_or(Signals::ALL, |filter| filter(view));
        let ask = |hook: &Option<crate::options::Hook<Vec<KeyValue>>>, wanted: bool| match hook {
            Some(hook) if wanted => allowed(hook(view)),
            _ => Vec::new(),
        };
        let span_attributes = ask(&options.span_attributes, signals.traces());
        let metric_attributes = ask(&options.metric_attributes, signals.metrics());
        let text = (options.query_text && signals.traces()).then(|| {
            let is_shown = is_parameterised && !options.masks_all;
            query.text(sql, core.server().dialect, is_shown)
        });
        Self {
            core: core.clone(),
            query,
            text,
            signals,
            span_attributes,
            metric_attributes,
            asked_in: Context::current(),
        }
    }

    /// Begins it.
    pub(crate) fn begin(self) -> Operation<Call> {
        let Self {
            core,
            query,
            text,
            mut signals,
            span_attributes,
            metric_attributes,
            asked_in,
        } = self;
        let current = Context::current();
        let parent = match current.has_active_span() {
            true => current,
            false => asked_in,
        };
        let options = core.options();
        if options.only_with_parent && signals.traces() && !parent.has_active_span() {
            signals = if signals.metrics() {
                Signals::METRICS
            } else {
                Signals::NONE
            };
        }
        let name = match &query.summary {
            Some(Label::Interned(summary)) => Cow::Borrowed(summary.as_str()),
            Some(summary) => Cow::Owned(summary.as_str().to_owned()),
            None => Cow::Borrowed(core.server().system),
        };
        let start = Start {
            name,
            kind: SpanKind::Client,
            family: Family::Database,
            parent,
            links: Vec::new(),
            signals,
            cancellation: options.cancellation,
            in_flight: None,
            minimum_duration: options.minimum_duration,
        };
        let call = Call {
            core: core.clone(),
            query,
            rows: None,
            status_code: None,
            message: None,
            metric_attributes,
        };
        let running = core.running();
        running.instrumentation.start(start, call, |call, list| {
            list.extend_from_slice(&running.server);
            if let Some(summary) = &call.query.summary {
                list.push(KeyValue::new(attribute::DB_QUERY_SUMMARY, summary.value()));
            }
            if let Some(text) = text {
                list.push(KeyValue::new(attribute::DB_QUERY_TEXT, text));
            }
            extend_replacing(list, span_attributes);
        })
    }
}

/// The attributes of a hook without those that are set later or must stay as they are.
fn allowed(mut attributes: Vec<KeyValue>) -> Vec<KeyValue> {
    attributes.retain(|attribute| !RESERVED.contains(&attribute.key.as_str()));
    attributes
}

impl Call {
    /// A row has come.
    #[inline]
    pub(crate) fn row(&mut self) {
        *self.rows.get_or_insert(0) += 1;
    }

    /// The operation is done: one that reads has returned rows, be they none.
    pub(crate) fn done(&mut self) {
        if self.query.reads {
            self.rows.get_or_insert(0);
        }
    }

    /// How the operation ends with this error.
    pub(crate) fn fail(operation: Operation<Self>, error: &Error) {
        let mut operation = operation;
        let call = operation.describe_mut();
        // Nothing failed: nothing was found.
        if matches!(error, Error::RowNotFound) {
            return operation.finish(&Outcome::Success);
        }
        call.status_code = error::status_code(error);
        if call.core.options().error_messages {
            call.message = Some(otelware::operation::bounded(&error.to_string()).to_owned());
        }
        let class = error::error_type(error, call.status_code.clone());
        let context = operation.context();
        let call = operation.describe();
        // Without a message that has been allowed: it may have values in it.
        let message = call.message.as_deref().unwrap_or_default();
        call.core.exception(context, &class, &message);
        operation.finish(&Outcome::Error(class));
    }

    fn series_key(&self, error: Option<&ErrorType>) -> Option<SeriesKey> {
        if !self.metric_attributes.is_empty() {
            return None;
        }
        let summary = match &self.query.summary {
            Some(summary) => summary.id()?,
            None => 0,
        };
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        Some([summary, error, u64::from(self.status_code.is_some()), 0])
    }

    fn series_attributes(&self, error: Option<&ErrorType>) -> Vec<KeyValue> {
        let mut list = self.core.running().server.clone();
        if let Some(summary) = &self.query.summary {
            list.push(KeyValue::new(attribute::DB_QUERY_SUMMARY, summary.value()));
        }
        if let Some(code) = &self.status_code {
            list.push(KeyValue::new(
                attribute::DB_RESPONSE_STATUS_CODE,
                code.clone(),
            ));
        }
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        extend_replacing(&mut list, self.metric_attributes.clone());
        list
    }
}

impl Describe for Call {
    fn end(&mut self, end: &End<'_>) {
        let running = self.core.running();
        if let Some(span) = end.span() {
            if let Some(code) = &self.status_code {
                span.set_attribute(KeyValue::new(
                    attribute::DB_RESPONSE_STATUS_CODE,
                    code.clone(),
                ));
            }
            if let Some(rows) = self.rows
                && self.core.options().returned_rows
            {
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new(attribute::DB_RESPONSE_RETURNED_ROWS, rows));
            }
        }
        if end.metrics() {
            let key = self.series_key(end.error_type());
            let attributes = || self.series_attributes(end.error_type());
            let seconds = end.duration().as_secs_f64();
            running.duration.measure(seconds, key, attributes);
            if let Some(rows) = self.rows {
                running.rows.measure(rows, key, attributes);
            }
        }
        if *end.outcome() == Outcome::Panicked {
            let class = value::PANIC.into();
            self.core
                .exception(end.context(), &class, &"the driver panicked");
        }
    }

    fn status_description(&mut self) -> Cow<'static, str> {
        self.message.take().unwrap_or_default().into()
    }
}
