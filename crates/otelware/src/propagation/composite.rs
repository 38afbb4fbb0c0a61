//! Several propagators in one, chosen by name.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::{
    B3Propagator, BaggageLimits, BaggagePropagator, JaegerPropagator, TraceContextPropagator,
};

/// The names [`CompositePropagator::from_names`] knows.
pub const ALLOWED: &[&str] = &["tracecontext", "baggage", "b3", "b3multi", "jaeger", "none"];

const DEFAULT: &str = "tracecontext,baggage";

/// Runs several propagators in order.
///
/// Extraction hands the context from one to the next, so a later propagator overrides an earlier one, but only if it finds
/// something. The default is trace context and baggage of the W3C.
#[derive(Clone, Debug)]
pub struct CompositePropagator {
    members: Vec<Member>,
    fields: Vec<String>,
}

/// A name that stands for no propagator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPropagator {
    /// The name as it was given, without the white space around it.
    pub name: String,
}

impl fmt::Display for UnknownPropagator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "unknown propagator `{}`, expected one of {}",
            self.name,
            ALLOWED.join(", ")
        )
    }
}

impl std::error::Error for UnknownPropagator {}

#[derive(Clone, Copy, Debug)]
enum Member {
    TraceContext(TraceContextPropagator),
    Baggage(BaggagePropagator),
    B3(B3Propagator),
    Jaeger(JaegerPropagator),
}

impl CompositePropagator {
    /// Chooses propagators as `OTEL_PROPAGATORS` does: names between commas, in any case, each taken once
    /// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>).
    ///
    /// `none` by itself stands for no propagator. Names that are not [`ALLOWED`] are returned beside the propagator, for a
    /// warning. If no name is left, the default applies: `tracecontext,baggage`.
    ///
    /// ```
    /// use otelware::propagation::CompositePropagator;
    ///
    /// let (_propagator, unknown) = CompositePropagator::from_names("tracecontext, b3, xray");
    /// let warnings: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    /// assert_eq!(
    ///     warnings,
    ///     ["unknown propagator `xray`, expected one of tracecontext, baggage, b3, b3multi, jaeger, none"],
    /// );
    /// ```
    pub fn from_names(names: &str) -> (Self, Vec<UnknownPropagator>) {
        Self::from_names_within(names, BaggageLimits::default())
    }

    /// Does the same with other limits of baggage.
    pub fn from_names_within(names: &str, limits: BaggageLimits) -> (Self, Vec<UnknownPropagator>) {
        let mut known: Vec<&'static str> = Vec::new();
        let mut unknown = Vec::new();
        for name in names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match ALLOWED
                .iter()
                .copied()
                .find(|allowed| allowed.eq_ignore_ascii_case(name))
            {
                Some(name) if known.contains(&name) => {}
                Some(name) => known.push(name),
                None => unknown.push(UnknownPropagator {
                    name: name.to_owned(),
                }),
            }
        }
        if known.is_empty() {
            known.extend(DEFAULT.split(','));
        }
        let members = known
            .into_iter()
            .filter_map(|name| Member::named(name, limits))
            .collect();
        (Self::of(members), unknown)
    }

    fn of(members: Vec<Member>) -> Self {
        let mut fields: Vec<String> = Vec::new();
        for field in members
            .iter()
            .flat_map(|member| member.propagator().fields())
        {
            if !fields.iter().any(|known| known == field) {
                fields.push(field.to_owned());
            }
        }
        Self { members, fields }
    }
}

impl Default for CompositePropagator {
    fn default() -> Self {
        Self::from_names(DEFAULT).0
    }
}

impl TextMapPropagator for CompositePropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        for member in &self.members {
            member.propagator().inject_context(cx, injector);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let mut found = None;
        for member in &self.members {
            if let Some(next) = member.extract_present(found.as_ref().unwrap_or(cx), extractor) {
                found = Some(next);
            }
        }
        found.unwrap_or_else(|| cx.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

impl Member {
    /// The propagator of an allowed name, if the name stands for one.
    fn named(name: &str, limits: BaggageLimits) -> Option<Self> {
        match name {
            "tracecontext" => Some(Self::TraceContext(TraceContextPropagator::new())),
            "baggage" => Some(Self::Baggage(BaggagePropagator::with_limits(limits))),
            "b3" => Some(Self::B3(B3Propagator::single())),
            "b3multi" => Some(Self::B3(B3Propagator::multi())),
            "jaeger" => Some(Self::Jaeger(JaegerPropagator::with_limits(limits))),
            _ => None,
        }
    }

    fn propagator(&self) -> &dyn TextMapPropagator {
        match self {
            Self::TraceContext(propagator) => propagator,
            Self::Baggage(propagator) => propagator,
            Self::B3(propagator) => propagator,
            Self::Jaeger(propagator) => propagator,
        }
    }

    fn extract_present(&self, cx: &Context, extractor: &dyn Extractor) -> Option<Context> {
        match self {
            Self::TraceContext(propagator) => propagator.extract_present(cx, extractor),
            Self::Baggage(propagator) => propagator.extract_present(cx, extractor),
            Self::B3(propagator) => propagator.extract_present(cx, extractor),
            Self::Jaeger(propagator) => propagator.extract_present(cx, extractor),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use opentelemetry::baggage::{Baggage, BaggageExt};
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };

    use super::*;
    use crate::propagation::{PairsExtractor, PairsInjector};

    fn fields(names: &str) -> Vec<String> {
        CompositePropagator::from_names(names)
            .0
            .fields()
            .map(str::to_owned)
            .collect()
    }

    fn unknown(names: &str) -> Vec<String> {
        CompositePropagator::from_names(names)
            .1
            .into_iter()
            .map(|unknown| unknown.name)
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn trace_id(names: &str, headers: &[(&str, &str)], base: &Context) -> TraceId {
        let (propagator, _) = CompositePropagator::from_names(names);
        propagator
            .extract_with_context(base, &PairsExtractor(&pairs(headers)))
            .span()
            .span_context()
            .trace_id()
    }

    #[test]
    fn names_choose_propagators() {
        let w3c = ["traceparent", "tracestate", "baggage"];
        assert_eq!(fields("tracecontext,baggage"), w3c);
        assert_eq!(fields(" TraceContext , baggage,tracecontext,"), w3c);
        assert_eq!(fields("b3"), ["b3"]);
        assert_eq!(
            fields("b3multi"),
            ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"]
        );
        assert_eq!(fields("jaeger"), ["uber-trace-id"]);
        assert_eq!(fields("none"), [""; 0]);
        assert_eq!(fields("none,b3"), ["b3"]);
    }

    #[test]
    fn every_allowed_name_but_none_stands_for_a_propagator() {
        for name in ALLOWED {
            assert_eq!(
                Member::named(name, BaggageLimits::default()).is_some(),
                *name != "none",
                "{name}"
            );
            assert_eq!(unknown(name), [""; 0]);
        }
    }

    #[test]
    fn without_a_known_name_the_default_applies() {
        let default: Vec<String> = CompositePropagator::default()
            .fields()
            .map(str::to_owned)
            .collect();
        assert_eq!(default, ["traceparent", "tracestate", "baggage"]);
        assert_eq!(fields(""), default);
        assert_eq!(fields(" , "), default);
        assert_eq!(fields("xray"), default);
    }

    #[test]
    fn unknown_names_are_returned() {
        assert_eq!(unknown("xray, b3 ,OTTrace"), ["xray", "OTTrace"]);
        assert_eq!(fields("xray,b3"), ["b3"]);
    }

    #[test]
    fn a_later_propagator_overrides_only_with_what_it_finds() {
        let traceparent = format!("00-{}1-{}1-01", "0".repeat(31), "0".repeat(15));
        let b3 = format!("{}2-{}2-1", "0".repeat(31), "0".repeat(15));
        let both = [("traceparent", traceparent.as_str()), ("b3", b3.as_str())];
        let base = Context::new();
        assert_eq!(trace_id("tracecontext,b3", &both, &base), TraceId::from(2));
        assert_eq!(trace_id("b3,tracecontext", &both, &base), TraceId::from(1));
        assert_eq!(
            trace_id("tracecontext,b3", &both[..1], &base),
            TraceId::from(1)
        );
        assert_eq!(
            trace_id("tracecontext,b3", &both[1..], &base),
            TraceId::from(2)
        );

        let local = SpanContext::new(
            TraceId::from(3),
            SpanId::from(3),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        let local = base.with_remote_span_context(local);
        assert_eq!(
            trace_id("tracecontext,b3", &[("b3", "broken")], &local),
            TraceId::from(3)
        );
        assert_eq!(trace_id("none", &both, &local), TraceId::from(3));
    }

    #[test]
    fn every_member_writes() {
        let mut baggage = Baggage::new();
        baggage.insert("k", "v");
        let span_context = SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        let cx = Context::new()
            .with_baggage(baggage)
            .with_remote_span_context(span_context);
        let (trace, span) = (
            format!("{}1", "0".repeat(31)),
            format!("{}1", "0".repeat(15)),
        );
        let mut carrier = Vec::new();
        CompositePropagator::from_names("baggage,tracecontext,b3")
            .0
            .inject_context(&cx, &mut PairsInjector(&mut carrier));
        assert_eq!(
            carrier,
            pairs(&[
                ("baggage", "k=v"),
                ("traceparent", &format!("00-{trace}-{span}-01")),
                ("b3", &format!("{trace}-{span}-1")),
            ])
        );
    }

    #[test]
    fn limits_of_baggage_reach_the_propagator() {
        let limits = BaggageLimits {
            max_members: 1,
            max_bytes: 100,
        };
        let (propagator, _) = CompositePropagator::from_names_within("baggage", limits);
        let carrier = pairs(&[("baggage", "a=1,b=2")]);
        let cx = propagator.extract_with_context(&Context::new(), &PairsExtractor(&carrier));
        assert_eq!(cx.baggage().to_string(), "a=1");
    }
}
