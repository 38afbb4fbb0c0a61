//! The post's operations, observed with nothing but the SDK: what contexts messages carry.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Link, SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue, global};
use otelware_testing::suites::messaging::{Outbound, Parenting};

use crate::faults::*;
use crate::headers::Headers;
use crate::instrumentation::{Instrumentation, OFFSET};
use crate::running::Running;

/// The most links of a span.
const MOST_LINKS: usize = 128;

impl Instrumentation {
    fn with_propagator<T>(&self, use_it: impl Fn(&dyn TextMapPropagator) -> T) -> T {
        match &self.propagator {
            Some(propagator) => use_it(propagator),
            None => global::get_text_map_propagator(|propagator| use_it(propagator)),
        }
    }

    /// What headers say, over `context`.
    fn extracted(&self, context: &Context, headers: &Headers) -> Context {
        self.with_propagator(|propagator| propagator.extract_with_context(context, headers))
    }

    /// The span that sent a message.
    pub fn sender(&self, headers: &Headers) -> Option<SpanContext> {
        let sender = self.extracted(&Context::new(), headers);
        let sender = sender.span().span_context().clone();
        sender.is_valid().then_some(sender)
    }

    /// Writes a context into the headers of a message.
    pub fn inject(&self, running: &Running, headers: &mut Headers) {
        let outbound = match self.fault {
            OUTBOUND_IGNORED => Outbound::Everything,
            _ => self.options.outbound.unwrap_or(Outbound::Everything),
        };
        let context = match self.fault {
            OTHER_CONTEXT => &Context::current(),
            FILTER_STOPS_CONTEXT if !running.has_span() => return,
            _ => &running.context,
        };
        let context = match outbound {
            Outbound::Everything => context.clone(),
            Outbound::TraceContextOnly => context.with_cleared_baggage(),
            Outbound::Nothing => return,
        };
        let adds = self.has(CONTEXT_APPENDED);
        if !adds && context.span().span_context().is_valid() {
            headers.remove("tracestate");
        }
        let written = self.with_propagator(|propagator| {
            let mut written = Headers::default();
            propagator.inject_context(&context, &mut written);
            written
        });
        for (name, value) in written.texts() {
            if !adds {
                headers.remove(&name);
            }
            headers.add(&name, &value);
        }
    }

    /// The parent of processing, and its links.
    pub fn parents(&self, headers: &Headers) -> (Context, Vec<Link>) {
        let current = Context::current();
        let Some(sender) = self.sender(headers) else {
            return (current, Vec::new());
        };
        let mut links = vec![Link::with_context(sender)];
        if self.options.public && !self.has(STRANGERS_TRUSTED) {
            return (current, links);
        }
        let remote = self.extracted(&current, headers);
        let around = current.span().span_context().clone();
        let parenting = match self.fault {
            ALWAYS_PARENT => Parenting::Parent,
            _ => self.options.parenting.unwrap_or(Parenting::Auto),
        };
        let is_child = match parenting {
            Parenting::Auto => !around.is_valid(),
            Parenting::Link => false,
            Parenting::Parent => true,
        };
        if is_child && around.is_valid() {
            links.push(Link::with_context(around));
        }
        if self.has(NO_LINK) {
            links.clear();
        }
        if is_child {
            return (remote, links);
        }
        if self.has(BAGGAGE_LOST) {
            return (current, links);
        }
        let baggage = remote.baggage().iter();
        let baggage: Vec<_> = baggage
            .map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone()))
            .collect();
        (current.with_baggage(baggage), links)
    }

    /// The links of a batch, and how many there was no room for.
    pub fn links<'a>(&self, batch: impl Iterator<Item = (&'a Headers, i64)>) -> (Vec<Link>, i64) {
        let (mut links, mut left_out) = (Vec::new(), 0);
        for (headers, offset) in batch {
            let Some(sender) = self.sender(headers) else {
                continue;
            };
            if links.len() == MOST_LINKS && !self.has(MORE_LINKS) {
                left_out += 1;
                continue;
            }
            links.push(Link::new(sender, vec![KeyValue::new(OFFSET, offset)], 0));
        }
        (links, left_out)
    }
}
