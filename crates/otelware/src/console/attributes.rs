//! Which of a span's attributes are worth a place on its line.

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::text::{Paint, escape_and_cut};

/// Shown without their key: the number says it.
const RESPONSE_CODES: [&str; 5] = [
    "http.response.status_code",
    "rpc.status_code",
    "rpc.response.status_code",
    "rpc.grpc.status_code",
    "db.response.status_code",
];

/// Shown unless the span's name says them already.
const KEY_ATTRIBUTES: [&str; 2] = ["db.query.summary", "messaging.destination.name"];

const MAXIMUM_CUSTOM_ATTRIBUTES: usize = 5;

/// Namespaces of the semantic conventions that instrumentation fills. Whatever lies outside was set by the user's own code.
const INSTRUMENTATION_NAMESPACES: [&str; 42] = [
    "aspnetcore",
    "aws",
    "azure",
    "browser",
    "cassandra",
    "client",
    "cloud",
    "cloudevents",
    "code",
    "container",
    "cpu",
    "db",
    "deployment",
    "destination",
    "device",
    "disk",
    "dns",
    "dotnet",
    "elasticsearch",
    "error",
    "exception",
    "faas",
    "gcp",
    "host",
    "http",
    "jvm",
    "k8s",
    "messaging",
    "net",
    "network",
    "os",
    "otel",
    "peer",
    "process",
    "rpc",
    "server",
    "service",
    "source",
    "telemetry",
    "thread",
    "url",
    "user_agent",
];

/// What `tracing-opentelemetry` adds to every span; timings are drawn already.
const NOISE: [&str; 3] = ["busy_ns", "idle_ns", "target"];

/// The text behind the bar: the outcome, then the attributes.
pub(super) fn details(span: &SpanData, color: bool) -> String {
    let mut parts = Vec::new();
    let outcome = outcome(span, color);
    if !outcome.is_empty() {
        parts.push(outcome);
    }
    parts.extend(location(span));
    parts.extend(KEY_ATTRIBUTES.iter().filter_map(|key| {
        let value = find(span, key)?;
        (!span.name.contains(value.as_str())).then(|| pair(key, &value))
    }));
    parts.extend(custom(span));
    parts.join("  ")
}

/// The response code, and what went wrong if something did.
fn outcome(span: &SpanData, color: bool) -> String {
    let mut words: Vec<String> = RESPONSE_CODES
        .iter()
        .find_map(|key| find(span, key))
        .iter()
        .map(|code| escape_and_cut(code))
        .collect();
    let error_type = find(span, "error.type");
    let description = match &span.status {
        Status::Error { description } => Some(description.as_ref()),
        Status::Unset | Status::Ok => None,
    };
    if description.is_none() && error_type.is_none() {
        return words.join(" ");
    }
    words.push("✗".to_owned());
    if let Some(description) = description.filter(|description| !description.is_empty()) {
        words.push(escape_and_cut(description));
    }
    match error_type.as_deref() {
        Some("cancelled") => words.push("cancelled".to_owned()),
        Some(error_type) => words.push(pair("error.type", error_type)),
        None => {}
    }
    let paint = if description.is_some() {
        Paint::Red
    } else {
        Paint::Yellow
    };
    paint.apply(&words.join(" "), color)
}

/// Where the operation happened, as far as the name does not say it.
fn location(span: &SpanData) -> Option<String> {
    let name_has_route = ["http.route", "url.template"]
        .iter()
        .any(|key| find(span, key).is_some_and(|route| span.name.contains(route.as_str())));
    match span.span_kind {
        SpanKind::Server if name_has_route => None,
        SpanKind::Server => {
            let path = find(span, "url.path")?;
            (!span.name.contains(path.as_str())).then(|| pair("url.path", &path))
        }
        SpanKind::Client | SpanKind::Producer | SpanKind::Consumer => {
            match find(span, "url.full") {
                Some(url) if !name_has_route => Some(pair("url.full", &url)),
                _ => server_address(span),
            }
        }
        SpanKind::Internal => None,
    }
}

fn server_address(span: &SpanData) -> Option<String> {
    let address = find(span, "server.address")?;
    Some(match find(span, "server.port") {
        Some(port) => pair("server.address", &format!("{address}:{port}")),
        None => pair("server.address", &address),
    })
}

fn custom(span: &SpanData) -> impl Iterator<Item = String> {
    let is_custom = |attribute: &&KeyValue| is_custom(attribute.key.as_str());
    let more = span
        .attributes
        .iter()
        .filter(is_custom)
        .count()
        .saturating_sub(MAXIMUM_CUSTOM_ATTRIBUTES);
    span.attributes
        .iter()
        .filter(is_custom)
        .take(MAXIMUM_CUSTOM_ATTRIBUTES)
        .map(|attribute| pair(attribute.key.as_str(), &attribute.value.as_str()))
        .chain((more > 0).then(|| format!("… {more} more")))
}

fn is_custom(key: &str) -> bool {
    match key.split_once('.') {
        Some((namespace, _)) => !INSTRUMENTATION_NAMESPACES.contains(&namespace),
        None => !NOISE.contains(&key),
    }
}

/// The last value wins where a key was set twice, as it does in most backends.
fn find(span: &SpanData, key: &str) -> Option<String> {
    span.attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key.as_str() == key)
        .map(|attribute| attribute.value.to_string())
}

/// `key=value`, safe to print.
pub(super) fn pair(key: &str, value: &str) -> String {
    format!("{}={}", escape_and_cut(key), escape_and_cut(value))
}
