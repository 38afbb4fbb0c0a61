//! `tracing` events as lines for people.

use std::error::Error;
use std::fmt;
use std::io::Stderr;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::log_line::{LogLine, field, string_field};
use super::output::wants_color;

/// Formats each `tracing` event as one line that carries the trace id and span id.
///
/// ```text
/// 2026-11-21T03:14:10.123Z  INFO trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 orders: charged amount=12
/// ```
///
/// The ids are those of the active span of the current [`Context`]: a span made with the OpenTelemetry API, or a
/// `tracing` span if `tracing-opentelemetry` (0.32 or later, with context activation, which is its default) is
/// installed. Control characters, line breaks included, are escaped.
///
/// [`ConsoleLogFormat::layer`] is a ready layer; to write elsewhere, pass the format to
/// [`tracing_subscriber::fmt::Layer::event_format`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ConsoleLogFormat;

impl ConsoleLogFormat {
    /// The format, for [`tracing_subscriber::fmt::Layer::event_format`].
    pub fn new() -> Self {
        Self
    }

    /// A layer that writes to the standard error; in colour if it is a terminal and `NO_COLOR` is unset or empty.
    pub fn layer<S>() -> Layer<S, DefaultFields, Self, fn() -> Stderr>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_subscriber::fmt::layer()
            .event_format(Self)
            .with_ansi(wants_color(&std::io::stderr()))
            .with_writer(std::io::stderr as fn() -> Stderr)
    }
}

impl<S, N> FormatEvent<S, N> for ConsoleLogFormat
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut visitor = FieldVisitor::default();
        event.record(&mut visitor);
        let line = LogLine {
            time: SystemTime::now(),
            level: metadata.level().as_str(),
            span: active_span(metadata.target()),
            target: metadata.target().to_owned(),
            message: visitor.message,
            fields: visitor.fields,
        };
        writeln!(writer, "{}", line.render(writer.has_ansi_escapes()))
    }
}

/// The ids of the active span, if there is one.
fn active_span(target: &str) -> Option<(TraceId, SpanId)> {
    // The API reports misuse of its context while that is mutably borrowed; reading it then would panic.
    if target == "opentelemetry" {
        return None;
    }
    Context::map_current(|context| {
        let span = context.span();
        let span_context = span.span_context();
        span_context
            .is_valid()
            .then(|| (span_context.trace_id(), span_context.span_id()))
    })
}

#[derive(Default)]
struct FieldVisitor {
    message: String,
    fields: Vec<String>,
}

impl Visit for FieldVisitor {
    fn record_str(&mut self, name: &Field, value: &str) {
        if name.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.fields.push(string_field(name.name(), value));
        }
    }

    fn record_error(&mut self, name: &Field, value: &(dyn Error + 'static)) {
        self.fields
            .push(string_field(name.name(), &error_chain(value)));
    }

    fn record_debug(&mut self, name: &Field, value: &dyn fmt::Debug) {
        if name.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.fields
                .push(field(name.name(), &format_args!("{value:?}")));
        }
    }
}

/// Longest chain of sources followed; an error may name itself as its source.
const MAXIMUM_SOURCES: usize = 8;

fn error_chain(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    let messages: Vec<String> = chain
        .take(MAXIMUM_SOURCES)
        .map(ToString::to_string)
        .collect();
    messages.join(": ")
}

#[cfg(test)]
mod tests;
