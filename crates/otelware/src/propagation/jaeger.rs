//! The format of the Jaeger clients: <https://www.jaegertracing.io/sdk-migration/#propagation-format>.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use percent_encoding::percent_decode_str;

use super::baggage::{BaggageLimits, Entry, Intake, decode, encode, is_token, sorted};
use super::hex;

const UBER_TRACE_ID: &str = "uber-trace-id";
const UBERCTX: &str = "uberctx-";

/// The bits that let a trace be kept: sampled, and debug, which implies it.
const SAMPLED_OR_DEBUG: u64 = 0x01 | 0x02;

static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [UBER_TRACE_ID.to_owned()]);

/// Propagates trace context as `uber-trace-id` and baggage as `uberctx-{key}`.
///
/// Identifiers may be written short, and the colons between the fields percent-encoded. The debug flag counts as sampled
/// and is not written again. Baggage is read and written within [`BaggageLimits`] and joins the baggage the context has;
/// properties have no place in this format. What is missing or malformed leaves the context as it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct JaegerPropagator {
    limits: BaggageLimits,
}

impl JaegerPropagator {
    /// Returns the propagator with the limits of W3C Baggage.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the propagator with other limits of baggage.
    pub const fn with_limits(limits: BaggageLimits) -> Self {
        Self { limits }
    }

    pub(super) fn extract_present(
        &self,
        cx: &Context,
        extractor: &dyn Extractor,
    ) -> Option<Context> {
        let span_context = extractor.get(UBER_TRACE_ID).and_then(parse);
        let baggage = self.read_baggage(cx, extractor);
        if span_context.is_none() && baggage.is_none() {
            return None;
        }
        let cx = match span_context {
            Some(span_context) => cx.with_remote_span_context(span_context),
            None => cx.clone(),
        };
        Some(match baggage {
            Some(baggage) => cx.with_baggage(baggage),
            None => cx,
        })
    }

    fn read_baggage(&self, cx: &Context, extractor: &dyn Extractor) -> Option<Baggage> {
        let mut names = extractor
            .keys()
            .into_iter()
            .filter(|name| baggage_key(name).is_some())
            .peekable();
        names.peek()?;
        let known = cx
            .baggage()
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone()));
        let mut intake = Intake::new(known.collect(), self.limits);
        for name in names {
            if !intake.wants_more() {
                break;
            }
            if let Some(value) = extractor.get(name) {
                intake.offer(name.len() + value.len(), || read_entry(name, value));
            }
        }
        intake.accepted()
    }
}

impl TextMapPropagator for JaegerPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if span_context.is_valid() {
            let (trace_id, span_id) = (span_context.trace_id(), span_context.span_id());
            let sampled = u8::from(span_context.is_sampled());
            // The parent is deprecated, and zero stands for none.
            injector.set(
                UBER_TRACE_ID,
                format!("{trace_id:032x}:{span_id:016x}:0:{sampled}"),
            );
        }
        let mut bytes = 0;
        let mut members = 0;
        for (key, (value, _)) in sorted(cx.baggage()) {
            if members == self.limits.max_members {
                break;
            }
            let name = format!("{UBERCTX}{key}");
            let value: String = encode(value.as_str()).collect();
            // Carriers never hold empty values.
            if value.is_empty() || bytes + name.len() + value.len() > self.limits.max_bytes {
                continue;
            }
            bytes += name.len() + value.len();
            members += 1;
            injector.set(&name, value);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.extract_present(cx, extractor)
            .unwrap_or_else(|| cx.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(FIELDS.as_slice())
    }
}

/// Reads `{trace id}:{span id}:{parent span id}:{flags}`.
fn parse(value: &str) -> Option<SpanContext> {
    let value = percent_decode_str(value).decode_utf8().ok()?;
    let mut parts = value.split(':').map(str::as_bytes);
    let (trace_id, span_id, _parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !matches!(flags.len(), 1 | 2) {
        return None;
    }
    let sampled = hex::number(flags)? & SAMPLED_OR_DEBUG != 0;
    let span_context = SpanContext::new(
        TraceId::from(hex::short_trace_id(trace_id)?),
        SpanId::from(hex::number(span_id)?),
        TraceFlags::default().with_sampled(sampled),
        true,
        TraceState::NONE,
    );
    span_context.is_valid().then_some(span_context)
}

/// The key a header of baggage is about.
fn baggage_key(name: &str) -> Option<&str> {
    let (prefix, key) = name.split_at_checked(UBERCTX.len())?;
    prefix.eq_ignore_ascii_case(UBERCTX).then_some(key)
}

fn read_entry(name: &str, value: &str) -> Option<Entry> {
    let key = baggage_key(name).filter(|key| is_token(key))?;
    Some((key.to_owned(), decode(value)?, BaggageMetadata::default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;
    use crate::propagation::{PairsExtractor, PairsInjector};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn extracted(headers: &[(&str, &str)]) -> Context {
        JaegerPropagator::new()
            .extract_with_context(&Context::new(), &PairsExtractor(&pairs(headers)))
    }

    fn extract(value: &str) -> SpanContext {
        extracted(&[("Uber-Trace-Id", value)])
            .span()
            .span_context()
            .clone()
    }

    fn remote(trace_id: u128, span_id: u64, sampled: bool) -> SpanContext {
        let flags = TraceFlags::default().with_sampled(sampled);
        SpanContext::new(
            TraceId::from(trace_id),
            SpanId::from(span_id),
            flags,
            true,
            TraceState::NONE,
        )
    }

    fn inject(propagator: JaegerPropagator, cx: &Context) -> Vec<(String, String)> {
        let mut carrier = Vec::new();
        propagator.inject_context(cx, &mut PairsInjector(&mut carrier));
        carrier
    }

    fn entries(cx: &Context) -> Vec<(String, String)> {
        sorted(cx.baggage())
            .into_iter()
            .map(|(key, (value, _))| (key.to_string(), value.to_string()))
            .collect()
    }

    #[test]
    fn the_header_is_read() {
        let (trace_id, span_id) = (
            0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            0x00f0_67aa_0ba9_02b7,
        );
        for (flags, sampled) in [
            ("0", false),
            ("00", false),
            ("1", true),
            ("01", true),
            ("3", true),
            ("2", true),
            ("4", false),
            ("fd", true),
        ] {
            let value = format!("{TRACE}:{SPAN}:0:{flags}");
            assert_eq!(
                extract(&value),
                remote(trace_id, span_id, sampled),
                "{flags}"
            );
        }
        assert_eq!(
            extract(&format!("{TRACE}:{SPAN}:{SPAN}:1")),
            remote(trace_id, span_id, true)
        );
    }

    #[test]
    fn short_identifiers_are_padded() {
        assert_eq!(extract("5:7:0:1"), remote(5, 7, true));
        assert_eq!(
            extract(&format!("{SPAN}:f067aa0ba902b7:0:1")),
            remote(0x00f0_67aa_0ba9_02b7, 0x00f0_67aa_0ba9_02b7, true)
        );
    }

    #[test]
    fn colons_may_be_percent_encoded() {
        assert_eq!(extract("5%3A7%3a0%3A1"), remote(5, 7, true));
    }

    #[test]
    fn malformed_headers_leave_the_context_as_it_was() {
        for value in [
            "",
            "5",
            "5:7",
            "5:7:0",
            "5:7:0:",
            "5:7:0:1:",
            "5:7:0:001",
            "5:7:0:x",
            "0:7:0:1",
            "5:0:0:1",
            ":7:0:1",
            "5::0:1",
            "x:7:0:1",
            "-5:7:0:1",
            "4bf92f3577b34da6a3ce929d0e0e47361:7:0:1",
            "5:00f067aa0ba902b71:0:1",
            "%ff:7:0:1",
        ] {
            assert_eq!(extract(value), SpanContext::NONE, "{value}");
        }
    }

    #[test]
    fn baggage_is_read_from_prefixed_headers() {
        let cx = extracted(&[
            ("UberCtx-a", "1"),
            ("uberctx-b", "x%20y"),
            ("uberctx-", "none"),
            ("uberctx-c", "%ff"),
            ("other", "1"),
        ]);
        assert_eq!(entries(&cx), pairs(&[("a", "1"), ("b", "x y")]));
        assert_eq!(cx.span().span_context(), &SpanContext::NONE);
    }

    #[test]
    fn baggage_joins_what_the_context_has() {
        let mut known = Baggage::new();
        known.insert("a", "0");
        known.insert("b", "0");
        let cx = Context::new().with_baggage(known);
        let carrier = pairs(&[("uberctx-a", "1")]);
        let cx = JaegerPropagator::new().extract_with_context(&cx, &PairsExtractor(&carrier));
        assert_eq!(entries(&cx), pairs(&[("a", "1"), ("b", "0")]));
    }

    #[test]
    fn baggage_is_limited() {
        let headers: Vec<_> = (0..10_000)
            .map(|n| (format!("uberctx-k{n:05}"), "v".to_owned()))
            .collect();
        let cx = JaegerPropagator::new()
            .extract_with_context(&Context::new(), &PairsExtractor(&headers));
        let kept: Vec<_> = (0..64)
            .map(|n| (format!("k{n:05}"), "v".to_owned()))
            .collect();
        assert_eq!(entries(&cx), kept);

        let limits = BaggageLimits {
            max_members: 2,
            max_bytes: 25,
        };
        let mut baggage = Baggage::new();
        for (key, value) in [
            ("a", "far too long"),
            ("b", "2"),
            ("c", "3"),
            ("d", "4"),
            ("e", ""),
        ] {
            baggage.insert(key, value);
        }
        let carrier = inject(
            JaegerPropagator::with_limits(limits),
            &Context::new().with_baggage(baggage),
        );
        assert_eq!(carrier, pairs(&[("uberctx-a", "far%20too%20long")]));
    }

    #[test]
    fn context_and_baggage_are_written() {
        let mut baggage = Baggage::new();
        baggage.insert_with_metadata("b", "x y", "property");
        baggage.insert("a", "1");
        baggage.insert("empty", "");
        let cx = Context::new()
            .with_baggage(baggage)
            .with_remote_span_context(remote(5, 7, true));
        assert_eq!(
            inject(JaegerPropagator::new(), &cx),
            pairs(&[
                (
                    "uber-trace-id",
                    "00000000000000000000000000000005:0000000000000007:0:1"
                ),
                ("uberctx-a", "1"),
                ("uberctx-b", "x%20y"),
            ])
        );
        assert_eq!(inject(JaegerPropagator::new(), &Context::new()), Vec::new());
    }

    #[test]
    fn fields_are_named() {
        let fields: Vec<String> = JaegerPropagator::new()
            .fields()
            .map(str::to_owned)
            .collect();
        assert_eq!(fields, ["uber-trace-id"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(value in ".{0,90}", name in ".{0,12}", text in ".{0,12}") {
            let found = extracted(&[("uber-trace-id", &value), (&format!("uberctx-{name}"), &text), (&name, &text)]);
            let found = found.span().span_context().clone();
            prop_assert!(found == SpanContext::NONE || found.is_valid());
        }

        #[test]
        fn injection_and_extraction_are_inverse(trace_id in 1_u128.., span_id in 1_u64.., sampled in any::<bool>(), value in ".{1,20}") {
            let mut baggage = Baggage::new();
            baggage.insert("key", value.clone());
            let cx = Context::new().with_baggage(baggage).with_remote_span_context(remote(trace_id, span_id, sampled));
            let carrier = inject(JaegerPropagator::new(), &cx);
            let received = JaegerPropagator::new().extract_with_context(&Context::new(), &PairsExtractor(&carrier));
            prop_assert_eq!(received.span().span_context().clone(), remote(trace_id, span_id, sampled));
            prop_assert_eq!(entries(&received), pairs(&[("key", &value)]));
        }
    }
}
