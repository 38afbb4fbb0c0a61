//! One trace as a tree with a waterfall.

use std::time::SystemTime;

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;

use super::attributes::details;
use super::forest::{Node, Row, rows};
use super::text::{Paint, duration, elapsed, escape_and_cut};

const BAR_WIDTH: usize = 20;
const KIND_WIDTH: usize = 8;

/// Links, and events, shown per span.
const MAXIMUM_NOTES: usize = 10;

/// How much of its trace a group of spans is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// The local root has ended.
    Complete,
    /// Other spans of the trace have been printed before.
    Continued,
    /// The local root did not end in time.
    RootMissing,
    /// Too much was waiting for its local root.
    BufferFull,
}

impl Completeness {
    fn note(self) -> &'static str {
        match self {
            Self::Complete => "",
            Self::Continued => "  (continued)",
            Self::RootMissing => "  (incomplete: root has not ended)",
            Self::BufferFull => "  (incomplete: too many spans wait for their root)",
        }
    }
}

/// What the text depends on besides the spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeOptions<'a> {
    pub(super) service_name: Option<&'a str>,
    pub(super) color: bool,
    pub(super) completeness: Completeness,
}

/// Draws `spans`, all of one trace, in the order and shape of their parents.
pub(super) fn render(spans: &[SpanData], options: TreeOptions<'_>) -> String {
    let Some(window) = Window::of(spans) else {
        return String::new();
    };
    let rows = rows(spans);
    let labels: Vec<String> = rows.iter().map(label).collect();
    let columns = Columns {
        label: labels
            .iter()
            .map(|label| label.chars().count())
            .max()
            .unwrap_or_default(),
        duration: spans
            .iter()
            .map(|span| span_duration(span).chars().count())
            .max()
            .unwrap_or_default(),
    };

    let mut text = header(spans, &window, options);
    for (row, label) in rows.iter().zip(&labels) {
        match row.node {
            Node::Missing(_) => text.push_str(label),
            Node::Span(span) => {
                text.push_str(span_line(span, label, columns, &window, options.color).trim_end());
                if let Some(parent) = row.remote_parent {
                    text.push_str(&format!("  (remote parent {parent})"));
                }
                push_notes(&mut text, span, &row.margin);
            }
        }
        text.push('\n');
    }
    text
}

fn header(spans: &[SpanData], window: &Window, options: TreeOptions<'_>) -> String {
    let trace_id = spans
        .first()
        .map(|span| span.span_context.trace_id().to_string())
        .unwrap_or_default();
    let service = options
        .service_name
        .map(|name| format!("  {}", escape_and_cut(name)))
        .unwrap_or_default();
    let length = duration(elapsed(window.start, window.end));
    let title = Paint::Bold.apply(&format!("trace {trace_id}{service}"), options.color);
    format!("{title}  {length}{}\n", options.completeness.note())
}

/// The widths that align the lines of one trace.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    duration: usize,
}

fn label(row: &Row<'_>) -> String {
    match row.node {
        Node::Missing(id) => format!("{}… {id}", row.branch),
        Node::Span(span) => format!("{}{}", row.branch, escape_and_cut(&span.name)),
    }
}

fn span_line(
    span: &SpanData,
    label: &str,
    columns: Columns,
    window: &Window,
    color: bool,
) -> String {
    let Columns {
        label: label_width,
        duration: duration_width,
    } = columns;
    let kind = Paint::Dim.apply(&format!("{:KIND_WIDTH$}", kind(&span.span_kind)), color);
    let duration = span_duration(span);
    let bar = window.bar(span);
    let details = details(span, color);
    format!("{label:label_width$}  {kind}  {duration:>duration_width$}  ▕{bar}▏ {details}")
}

fn span_duration(span: &SpanData) -> String {
    duration(elapsed(span.start_time, span.end_time))
}

fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "CLIENT",
        SpanKind::Server => "SERVER",
        SpanKind::Producer => "PRODUCER",
        SpanKind::Consumer => "CONSUMER",
        SpanKind::Internal => "INTERNAL",
    }
}

/// The links and events of `span`, each on a line of its own.
fn push_notes(text: &mut String, span: &SpanData, margin: &str) {
    let links = span.links.iter().map(|link| {
        format!(
            "↪ link {}/{}",
            link.span_context.trace_id(),
            link.span_context.span_id()
        )
    });
    let events = span.events.iter().map(|event| {
        format!(
            "· +{} {}",
            duration(elapsed(span.start_time, event.timestamp)),
            escape_and_cut(&event.name)
        )
    });
    let more_links = more(span.links.len(), "links");
    let more_events = more(span.events.len(), "events");
    let notes = links
        .take(MAXIMUM_NOTES)
        .chain(more_links)
        .chain(events.take(MAXIMUM_NOTES))
        .chain(more_events);
    for note in notes {
        text.push('\n');
        text.push_str(margin);
        text.push_str(&note);
    }
}

fn more(count: usize, what: &str) -> Option<String> {
    let hidden = count.saturating_sub(MAXIMUM_NOTES);
    (hidden > 0).then(|| format!("… {hidden} more {what}"))
}

/// The time that a trace's spans cover here.
struct Window {
    start: SystemTime,
    end: SystemTime,
}

impl Window {
    fn of(spans: &[SpanData]) -> Option<Self> {
        let start = spans.iter().map(|span| span.start_time).min()?;
        let end = spans.iter().map(|span| span.end_time).max()?;
        Some(Self { start, end })
    }

    /// The part of the window in which `span` ran; at least one cell.
    fn bar(&self, span: &SpanData) -> String {
        let first = (self.cells_before(span.start_time).floor() as usize).min(BAR_WIDTH - 1);
        let last = (self.cells_before(span.end_time).ceil() as usize).clamp(first + 1, BAR_WIDTH);
        format!(
            "{}{}{}",
            " ".repeat(first),
            "█".repeat(last - first),
            " ".repeat(BAR_WIDTH - last)
        )
    }

    fn cells_before(&self, time: SystemTime) -> f64 {
        let whole = elapsed(self.start, self.end).as_secs_f64();
        let part = elapsed(self.start, time).as_secs_f64();
        if whole > 0.0 {
            part / whole * BAR_WIDTH as f64
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests;
