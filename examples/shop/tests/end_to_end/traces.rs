//! Spans of all services, put together again to the traces that they are.

use std::collections::{BTreeMap, BTreeSet};

use otelware_testing::otlp::Received;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use otelware_testing::otlp::opentelemetry_proto::tonic::resource::v1::Resource;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;

/// A span, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceSpan {
    pub(crate) service: String,
    pub(crate) span: Span,
}

/// The spans of one trace, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(pub(crate) Vec<ServiceSpan>);

/// Everything that was received, by trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces {
    traces: BTreeMap<Vec<u8>, Trace>,
    /// What came more than once.
    pub(crate) repeated: Vec<String>,
}

impl ServiceSpan {
    /// `orders SERVER POST /orders`
    pub(crate) fn described(&self) -> String {
        let kind = self.span.kind().as_str_name();
        let kind = kind.trim_start_matches("SPAN_KIND_");
        format!("{} {kind} {}", self.service, self.span.name)
    }

    pub(crate) fn is(&self, described: &str) -> bool {
        self.described() == described
    }

    /// The value of an attribute, as text whatever it is.
    pub(crate) fn attribute(&self, key: &str) -> Option<String> {
        text(&self.span.attributes, key)
    }

    pub(crate) fn error(&self) -> Option<String> {
        self.attribute("error.type")
    }

    /// Whether its status is an error.
    pub(crate) fn failed(&self) -> bool {
        (self.span.status.as_ref()).is_some_and(|status| status.code == 2)
    }

    fn is_root(&self) -> bool {
        self.span.parent_span_id.is_empty()
    }

    fn is_parent_of(&self, other: &Self) -> bool {
        (&self.span.trace_id, &self.span.span_id)
            == (&other.span.trace_id, &other.span.parent_span_id)
    }

    /// What its links lead to: traces and spans.
    pub(crate) fn links(&self) -> BTreeSet<(&[u8], &[u8])> {
        let links = self.span.links.iter();
        let ids: Vec<_> = links
            .map(|link| (&*link.trace_id, &*link.span_id))
            .collect();
        let distinct: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(
            distinct.len(),
            ids.len(),
            "links to one span twice: {self:?}"
        );
        distinct
    }

    pub(crate) fn ids(&self) -> (&[u8], &[u8]) {
        (&self.span.trace_id, &self.span.span_id)
    }
}

impl Traces {
    /// Puts together what was received. lapin's own spans, of threads that live as long as a connection, are left out.
    pub(crate) fn of(received: &Received) -> Self {
        let mut traces = BTreeMap::<_, Trace>::new();
        let mut repeated = Vec::new();
        let mut ids = BTreeSet::new();
        for resource in (received.traces.iter()).flat_map(|export| &export.resource_spans) {
            let service = service(resource.resource.as_ref());
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                if !ids.insert(&span.span_id) {
                    repeated.push(format!("{service} {}", span.name));
                    continue;
                }
                if span.name == "io_loop" {
                    continue;
                }
                let service = service.clone();
                let trace = traces.entry(span.trace_id.clone()).or_default();
                trace.0.push(ServiceSpan {
                    service,
                    span: span.clone(),
                });
            }
        }
        for trace in traces.values_mut() {
            (trace.0).sort_by_key(|seen| seen.span.start_time_unix_nano);
        }
        Self { traces, repeated }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Trace> {
        self.traces.values()
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = &ServiceSpan> {
        self.all().flat_map(|trace| &trace.0)
    }

    /// The traces that the customer began, in the order in which the orders were placed.
    pub(crate) fn orders(&self) -> Vec<&Trace> {
        let is_order = |trace: &&Trace| {
            let is_first = |seen: &ServiceSpan| seen.is_root() && seen.service == "customer";
            trace.0.iter().any(is_first)
        };
        let mut orders: Vec<&Trace> = self.all().filter(is_order).collect();
        orders.sort_by_key(|trace| trace.0[0].span.start_time_unix_nano);
        orders
    }

    /// The span with these ids.
    pub(crate) fn find(&self, (trace, span): (&[u8], &[u8])) -> Option<&ServiceSpan> {
        let trace = self.traces.get(trace)?;
        trace.0.iter().find(|seen| seen.span.span_id == span)
    }
}

impl Trace {
    /// The spans that are described so, in the order of their starts.
    pub(crate) fn named(&self, described: &str) -> Vec<&ServiceSpan> {
        let spans = self.0.iter();
        spans.filter(|seen| seen.is(described)).collect()
    }

    /// The only span that is described so.
    #[track_caller]
    pub(crate) fn only(&self, described: &str) -> &ServiceSpan {
        match *self.named(described) {
            [seen] => seen,
            ref other => panic!("{} of {described} in\n{}", other.len(), self.tree()),
        }
    }

    pub(crate) fn parent(&self, child: &ServiceSpan) -> Option<&ServiceSpan> {
        self.0.iter().find(|seen| seen.is_parent_of(child))
    }

    /// What the customer was answered; `None` for nothing, or nothing yet.
    pub(crate) fn answer(&self) -> Option<u16> {
        let mut spans = self.0.iter();
        let call = spans.find(|seen| seen.is("customer CLIENT POST"))?;
        call.attribute("http.response.status_code")?.parse().ok()
    }

    /// The names of the services.
    pub(crate) fn services(&self) -> BTreeSet<&str> {
        self.0.iter().map(|seen| &*seen.service).collect()
    }

    /// All spans, each beneath its parent, with what their errors are.
    ///
    /// # Panics
    ///
    /// If there is more than one root, or a span whose parent is missing.
    #[track_caller]
    pub(crate) fn tree(&self) -> String {
        let mut text = String::new();
        for root in self.0.iter().filter(|seen| self.parent(seen).is_none()) {
            self.draw(root, 0, &mut text);
        }
        text
    }

    fn draw(&self, seen: &ServiceSpan, depth: usize, text: &mut String) {
        let described = seen.described();
        let orphan = if depth == 0 && !seen.is_root() {
            "ORPHAN "
        } else {
            ""
        };
        let error = match (seen.failed(), seen.error()) {
            (false, None) => String::new(),
            (true, Some(error)) => format!(" ! {error}"),
            (failed, error) => format!(" ? {failed} {error:?}"),
        };
        let resends = seen.attribute("http.request.resend_count");
        let resends = resends.map_or(String::new(), |count| format!(" #{count}"));
        let indent = depth * 2;
        *text += &format!("{:indent$}{orphan}{described}{resends}{error}\n", "");
        for child in self.0.iter().filter(|other| seen.is_parent_of(other)) {
            self.draw(child, depth + 1, text);
        }
    }

    /// Where the trace goes from one service to another: the span before, and that after.
    pub(crate) fn edges(&self) -> BTreeSet<String> {
        let edge = |child: &ServiceSpan| {
            let parent = self.parent(child)?;
            let crosses = parent.service != child.service;
            crosses.then(|| format!("{} > {}", parent.described(), child.described()))
        };
        self.0.iter().filter_map(edge).collect()
    }
}

/// The `service.name` of a resource.
pub(crate) fn service(resource: Option<&Resource>) -> String {
    text(&resource.unwrap().attributes, "service.name").unwrap()
}

/// The value of an attribute as text; a key that occurs twice is a failure.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found: Vec<_> = attributes.iter().filter(|pair| pair.key == key).collect();
    assert!(found.len() < 2, "{key} twice: {attributes:?}");
    Some(value_text(found.first()?.value.as_ref()))
}

pub(crate) fn value_text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}
