//! Traces as trees: the core's console draws them, from spans of all services.

use crate::launcher::collector::ServiceSpan;
use crate::launcher::collector::traces::trace_id;
use opentelemetry_proto::tonic::common::v1::{self, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind as Kind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use otelware::console::ConsoleSpanExporter;
use otelware::opentelemetry::trace::{
    self, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState,
};
use otelware::opentelemetry::{InstrumentationScope, KeyValue, Value};
use otelware::opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is left out: on which port of loopback something listens this time, and numbers within brokers.
const NOISE: [&str; 4] = ["server.", "url.full", "kafka.", "rabbitmq."];

/// Draws the spans of one trace on the standard output.
pub(super) async fn draw(spans: Vec<ServiceSpan>) {
    let exporter = ConsoleSpanExporter::new();
    let spans = spans.into_iter().map(span_data).collect();
    // Whoever closes the output does not want to know.
    let _ = exporter.export(spans).await;
    let _ = exporter.force_flush();
}

/// The span as the SDK has it, its service before its name. Its parent is not remote: all services are one drawing.
fn span_data(ServiceSpan { service, span }: ServiceSpan) -> SpanData {
    let kind = match Kind::try_from(span.kind) {
        Ok(Kind::Server) => SpanKind::Server,
        Ok(Kind::Client) => SpanKind::Client,
        Ok(Kind::Producer) => SpanKind::Producer,
        Ok(Kind::Consumer) => SpanKind::Consumer,
        Ok(Kind::Internal | Kind::Unspecified) | Err(_) => SpanKind::Internal,
    };
    let status = match span.status {
        Some(status) if status.code() == StatusCode::Error => Status::error(status.message),
        _ => Status::Unset,
    };
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(event).collect();
    let mut links = SpanLinks::default();
    links.links = span.links.iter().map(link).collect();
    SpanData {
        span_context: context(&span.trace_id, &span.span_id),
        parent_span_id: span_id(&span.parent_span_id),
        parent_span_is_remote: false,
        span_kind: kind,
        name: format!("{service}  {}", span.name).into(),
        start_time: time(span.start_time_unix_nano),
        end_time: time(span.end_time_unix_nano),
        attributes: attributes(span.attributes)
            .into_iter()
            .filter(|attribute| !is_noise(attribute.key.as_str()))
            .collect(),
        dropped_attributes_count: span.dropped_attributes_count,
        events,
        links,
        status,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn is_noise(key: &str) -> bool {
    NOISE.iter().any(|noise| key.starts_with(noise))
}

fn event(event: Event) -> trace::Event {
    let attributes = attributes(event.attributes);
    trace::Event::new(event.name, time(event.time_unix_nano), attributes, 0)
}

fn link(link: &Link) -> trace::Link {
    trace::Link::with_context(context(&link.trace_id, &link.span_id))
}

fn context(trace: &[u8], span: &[u8]) -> SpanContext {
    let (trace, span) = (trace_id(trace), span_id(span));
    SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

/// Of what is no id nothing is known.
fn span_id(bytes: &[u8]) -> SpanId {
    <[u8; 8]>::try_from(bytes).map_or(SpanId::INVALID, SpanId::from_bytes)
}

fn time(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

fn attributes(attributes: Vec<v1::KeyValue>) -> Vec<KeyValue> {
    let attributes = attributes.into_iter();
    attributes
        .filter_map(|attribute| {
            let value = value(attribute.value?.value?);
            Some(KeyValue::new(attribute.key, value))
        })
        .collect()
}

fn value(value: any_value::Value) -> Value {
    match value {
        any_value::Value::StringValue(text) => text.into(),
        any_value::Value::BoolValue(value) => value.into(),
        any_value::Value::IntValue(number) => number.into(),
        any_value::Value::DoubleValue(number) => number.into(),
        // Lists and bytes, of which none is drawn.
        _ => "…".into(),
    }
}
