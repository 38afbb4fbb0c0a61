//! One extraction or injection, with the SDK's propagators and with otelware's.

use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use crate::Error;
use crate::work::Work;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `traceparent` alone.
    ExtractTraceparent,
    /// `traceparent`, `tracestate` of two entries and `baggage` of two, among three other headers.
    ExtractEverything,
    /// A span context without trace state into new headers.
    Inject,
}

impl Operation {
    pub(crate) const ALL: &[Self] = &[
        Self::ExtractTraceparent,
        Self::ExtractEverything,
        Self::Inject,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ExtractTraceparent => "extract traceparent",
            Self::ExtractEverything => "extract + 2-entry tracestate + baggage",
            Self::Inject => "inject",
        }
    }
}

/// Whose propagators and carriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagators {
    Sdk,
    #[cfg(feature = "ours")]
    Ours,
}

impl Propagators {
    pub(crate) const ALL: &[Self] = &[
        Self::Sdk,
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            #[cfg(feature = "ours")]
            Self::Ours => "ours",
        }
    }
}

pub(crate) fn prepare(
    operation: Operation,
    propagators: Propagators,
) -> Result<Box<dyn Work>, Error> {
    match propagators {
        Propagators::Sdk => {
            use opentelemetry_http::{HeaderExtractor, HeaderInjector};
            use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
            let trace_context = TraceContextPropagator::new();
            let extract: Extract =
                |propagator, headers| propagator.extract(&HeaderExtractor(headers));
            let inject: Inject = |propagator, context, headers| {
                propagator.inject_context(context, &mut HeaderInjector(headers));
            };
            build(
                operation,
                trace_context,
                BaggagePropagator::new(),
                extract,
                inject,
            )
        }
        #[cfg(feature = "ours")]
        Propagators::Ours => {
            use otelware::propagation::{
                BaggagePropagator, HeaderExtractor, HeaderInjector, TraceContextPropagator,
            };
            let trace_context = TraceContextPropagator::new();
            let extract: Extract =
                |propagator, headers| propagator.extract(&HeaderExtractor(headers));
            let inject: Inject = |propagator, context, headers| {
                propagator.inject_context(context, &mut HeaderInjector(headers));
            };
            build(
                operation,
                trace_context,
                BaggagePropagator::new(),
                extract,
                inject,
            )
        }
    }
}

type Extract = fn(&dyn TextMapPropagator, &HeaderMap) -> Context;
type Inject = fn(&dyn TextMapPropagator, &Context, &mut HeaderMap);

fn build(
    operation: Operation,
    trace_context: impl TextMapPropagator + Send + Sync + 'static,
    baggage: impl TextMapPropagator + Send + Sync + 'static,
    extract: Extract,
    inject: Inject,
) -> Result<Box<dyn Work>, Error> {
    let expected = span_context(operation)?;
    Ok(match operation {
        Operation::ExtractTraceparent => Box::new(Extraction {
            propagator: Box::new(trace_context),
            extract,
            headers: headers(&[("traceparent", TRACEPARENT)]),
            expected: (expected, 0),
        }),
        Operation::ExtractEverything => Box::new(Extraction {
            propagator: Box::new(TextMapCompositePropagator::new(vec![
                Box::new(trace_context),
                Box::new(baggage),
            ])),
            extract,
            headers: headers(&[
                ("traceparent", TRACEPARENT),
                ("tracestate", TRACESTATE),
                ("baggage", "tenant=blue,plan=gold"),
            ]),
            expected: (expected, 2),
        }),
        Operation::Inject => Box::new(Injection {
            propagator: Box::new(trace_context),
            inject,
            context: Context::new().with_remote_span_context(expected),
        }),
    })
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACESTATE: &str = "vendor=00f067aa0ba902b7,other=t61rcWkgMzE";

fn span_context(operation: Operation) -> Result<SpanContext, Error> {
    let state = match operation {
        Operation::ExtractEverything => TRACESTATE.parse::<TraceState>()?,
        Operation::ExtractTraceparent | Operation::Inject => TraceState::NONE,
    };
    Ok(SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c")?,
        SpanId::from_hex("b7ad6b7169203331")?,
        TraceFlags::SAMPLED,
        true,
        state,
    ))
}

/// The given headers behind those that every request has.
fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "shop.example:8080"),
        ("user-agent", "curl/8.16.0"),
        ("accept", "*/*"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in entries {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    headers
}

struct Extraction {
    propagator: Box<dyn TextMapPropagator>,
    extract: Extract,
    headers: HeaderMap,
    /// The span context and how many entries of baggage come with it.
    expected: (SpanContext, usize),
}

impl Work for Extraction {
    fn once(&mut self) -> bool {
        let context = (self.extract)(self.propagator.as_ref(), &self.headers);
        context.span().span_context() == &self.expected.0
            && context.baggage().len() == self.expected.1
    }
}

struct Injection {
    propagator: Box<dyn TextMapPropagator>,
    inject: Inject,
    context: Context,
}

impl Work for Injection {
    fn once(&mut self) -> bool {
        let mut headers = HeaderMap::new();
        (self.inject)(self.propagator.as_ref(), &self.context, &mut headers);
        headers
            .get("traceparent")
            .is_some_and(|value| value == TRACEPARENT)
    }
}
