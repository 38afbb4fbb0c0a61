//! B3, the format of Zipkin: <https://github.com/openzipkin/b3-propagation>.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::hex;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
const SPAN_ID: &str = "x-b3-spanid";

static SINGLE_FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [SINGLE.to_owned()]);
static MULTI_FIELDS: LazyLock<[String; 4]> =
    LazyLock::new(|| [TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(str::to_owned));

/// Propagates trace context as B3, in one header or in several.
///
/// Both forms are read whichever is written, and the single header takes precedence
/// (<https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-requirements>). Trace ids of 64 bits are padded
/// with zeros on the left. The debug state counts as sampled and is written again for the same trace. A header without
/// a sampling state counts as not sampled; one without identifiers, which only denies or accepts sampling, has no
/// counterpart in OpenTelemetry and leaves the context as it was. The parent of the remote span is neither kept nor
/// written.
#[derive(Clone, Copy, Debug)]
pub struct B3Propagator {
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Single,
    Multi,
}

/// The trace whose remote parent asked for debugging.
#[derive(Debug)]
struct Debugged(TraceId);

/// The sampling states of B3, as far as a span context can differ by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    NotSampled,
    Sampled,
    Debug,
}

impl B3Propagator {
    /// Writes the header `b3`.
    pub const fn single() -> Self {
        Self { form: Form::Single }
    }

    /// Writes the headers `x-b3-traceid`, `x-b3-spanid` and either `x-b3-sampled` or `x-b3-flags`.
    pub const fn multi() -> Self {
        Self { form: Form::Multi }
    }

    pub(super) fn extract_present(
        &self,
        cx: &Context,
        extractor: &dyn Extractor,
    ) -> Option<Context> {
        let (trace_id, span_id, state) =
            read_single(extractor).or_else(|| read_multi(extractor))?;
        let flags = TraceFlags::default().with_sampled(state != State::NotSampled);
        let span_context = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
        let cx = cx.with_remote_span_context(span_context);
        Some(match state {
            State::Debug => cx.with_value(Debugged(trace_id)),
            State::Sampled | State::NotSampled => cx,
        })
    }
}

impl TextMapPropagator for B3Propagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if !span_context.is_valid() {
            return;
        }
        let (trace_id, span_id) = (span_context.trace_id(), span_context.span_id());
        let debug = cx
            .get::<Debugged>()
            .is_some_and(|debugged| debugged.0 == trace_id);
        let state = match (debug, span_context.is_sampled()) {
            (true, _) => "d",
            (false, true) => "1",
            (false, false) => "0",
        };
        match self.form {
            Form::Single => injector.set(SINGLE, format!("{trace_id:032x}-{span_id:016x}-{state}")),
            Form::Multi => {
                injector.set(TRACE_ID, format!("{trace_id:032x}"));
                injector.set(SPAN_ID, format!("{span_id:016x}"));
                if debug {
                    injector.set(FLAGS, "1".to_owned());
                } else {
                    injector.set(SAMPLED, state.to_owned());
                }
            }
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.extract_present(cx, extractor)
            .unwrap_or_else(|| cx.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(match self.form {
            Form::Single => SINGLE_FIELDS.as_slice(),
            Form::Multi => MULTI_FIELDS.as_slice(),
        })
    }
}

type Read = (TraceId, SpanId, State);

/// Reads `{trace id}-{span id}-{state}-{parent span id}`, of which the last two may be missing.
fn read_single(extractor: &dyn Extractor) -> Option<Read> {
    let mut parts = extractor.get(SINGLE)?.split('-');
    let (trace_id, span_id) = (trace_id(parts.next()?)?, span_id(parts.next()?)?);
    let state = match parts.next() {
        None | Some("0") => State::NotSampled,
        Some("1") => State::Sampled,
        Some("d") => State::Debug,
        Some(_) => return None,
    };
    if let Some(parent) = parts.next() {
        self::span_id(parent)?;
    }
    parts.next().is_none().then_some((trace_id, span_id, state))
}

fn read_multi(extractor: &dyn Extractor) -> Option<Read> {
    let (trace_id, span_id) = (
        trace_id(extractor.get(TRACE_ID)?)?,
        span_id(extractor.get(SPAN_ID)?)?,
    );
    if extractor.get(FLAGS) == Some("1") {
        return Some((trace_id, span_id, State::Debug));
    }
    let state = match extractor.get(SAMPLED) {
        None | Some("0") => State::NotSampled,
        Some("1") => State::Sampled,
        // Tracers before the specification wrote words.
        Some(word) if word.eq_ignore_ascii_case("true") => State::Sampled,
        Some(word) if word.eq_ignore_ascii_case("false") => State::NotSampled,
        Some(_) => return None,
    };
    Some((trace_id, span_id, state))
}

fn trace_id(digits: &str) -> Option<TraceId> {
    if !matches!(digits.len(), 16 | 32) {
        return None;
    }
    let trace_id = TraceId::from(hex::short_trace_id(digits.as_bytes())?);
    (trace_id != TraceId::INVALID).then_some(trace_id)
}

fn span_id(digits: &str) -> Option<SpanId> {
    if digits.len() != 16 {
        return None;
    }
    let span_id = SpanId::from(hex::number(digits.as_bytes())?);
    (span_id != SpanId::INVALID).then_some(span_id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;
    use crate::propagation::{PairsExtractor, PairsInjector};

    const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";
    const PARENT: &str = "05e3ac9a4f6e3b90";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn extracted(headers: &[(&str, &str)]) -> Context {
        B3Propagator::single()
            .extract_with_context(&Context::new(), &PairsExtractor(&pairs(headers)))
    }

    fn extract(headers: &[(&str, &str)]) -> SpanContext {
        extracted(headers).span().span_context().clone()
    }

    fn remote(trace_id: &str, sampled: bool) -> SpanContext {
        SpanContext::new(
            TraceId::from_hex(trace_id).unwrap(),
            SpanId::from_hex(SPAN).unwrap(),
            TraceFlags::default().with_sampled(sampled),
            true,
            TraceState::NONE,
        )
    }

    fn inject(propagator: B3Propagator, cx: &Context) -> Vec<(String, String)> {
        let mut carrier = Vec::new();
        propagator.inject_context(cx, &mut PairsInjector(&mut carrier));
        carrier
    }

    #[test]
    fn the_single_header_is_read() {
        for (state, sampled) in [("", false), ("-0", false), ("-1", true), ("-d", true)] {
            assert_eq!(
                extract(&[("b3", &format!("{TRACE}-{SPAN}{state}"))]),
                remote(TRACE, sampled),
                "{state}"
            );
        }
        assert_eq!(
            extract(&[("b3", &format!("{TRACE}-{SPAN}-1-{PARENT}"))]),
            remote(TRACE, true)
        );
    }

    #[test]
    fn several_headers_are_read() {
        let ids = [
            ("X-B3-TraceId", TRACE),
            ("X-B3-SpanId", SPAN),
            ("X-B3-ParentSpanId", PARENT),
        ];
        let states = [
            (None, false),
            (Some(("X-B3-Sampled", "1")), true),
            (Some(("X-B3-Sampled", "0")), false),
            (Some(("X-B3-Sampled", "true")), true),
            (Some(("X-B3-Sampled", "False")), false),
            (Some(("X-B3-Flags", "1")), true),
            (Some(("X-B3-Flags", "0")), false),
        ];
        for (state, sampled) in states {
            let headers: Vec<_> = ids.into_iter().chain(state).collect();
            assert_eq!(extract(&headers), remote(TRACE, sampled), "{state:?}");
        }
    }

    #[test]
    fn short_trace_ids_are_padded() {
        let padded = format!("{}{}", "0".repeat(16), &TRACE[16..]);
        assert_eq!(
            extract(&[("b3", &format!("{}-{SPAN}-1", &TRACE[16..]))]),
            remote(&padded, true)
        );
        assert_eq!(
            extract(&[
                ("x-b3-traceid", &TRACE[16..]),
                ("x-b3-spanid", SPAN),
                ("x-b3-sampled", "1")
            ]),
            remote(&padded, true)
        );
    }

    #[test]
    fn the_single_header_takes_precedence_when_it_is_valid() {
        let multi = [
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("x-b3-sampled", "1"),
        ];
        let other = "1".repeat(32);
        let single = format!("{other}-{SPAN}-0");
        let headers: Vec<_> = multi.into_iter().chain([("b3", single.as_str())]).collect();
        assert_eq!(extract(&headers), remote(&other, false));
        let headers: Vec<_> = multi.into_iter().chain([("b3", "broken")]).collect();
        assert_eq!(extract(&headers), remote(TRACE, true));
    }

    #[test]
    fn malformed_headers_leave_the_context_as_it_was() {
        for single in [
            String::new(),
            "0".to_owned(),
            "1".to_owned(),
            "d".to_owned(),
            TRACE.to_owned(),
            format!("{TRACE}-"),
            format!("{TRACE}-{SPAN}-"),
            format!("{TRACE}-{SPAN}-2"),
            format!("{TRACE}-{SPAN}-true"),
            format!("{TRACE}-{SPAN}-1-{PARENT}-"),
            format!("{TRACE}-{SPAN}-1-short"),
            format!("{}-{SPAN}-1", TRACE.to_uppercase()),
            format!("{}-{SPAN}-1", &TRACE[1..]),
            format!("{TRACE}-{}-1", &SPAN[1..]),
            format!("{}-{SPAN}-1", "0".repeat(32)),
            format!("{}-{SPAN}-1", "0".repeat(16)),
            format!("{TRACE}-{}-1", "0".repeat(16)),
        ] {
            assert_eq!(extract(&[("b3", &single)]), SpanContext::NONE, "{single}");
        }
        for multi in [
            [
                ("x-b3-traceid", TRACE),
                ("x-b3-sampled", "1"),
                ("x-other", ""),
            ],
            [
                ("x-b3-spanid", SPAN),
                ("x-b3-sampled", "1"),
                ("x-other", ""),
            ],
            [
                ("x-b3-traceid", TRACE),
                ("x-b3-spanid", SPAN),
                ("x-b3-sampled", "maybe"),
            ],
            [
                ("x-b3-traceid", "xyz"),
                ("x-b3-spanid", SPAN),
                ("x-b3-sampled", "1"),
            ],
        ] {
            assert_eq!(extract(&multi), SpanContext::NONE, "{multi:?}");
        }
    }

    #[test]
    fn each_form_is_written() {
        for (sampled, state) in [(true, "1"), (false, "0")] {
            let cx = Context::new().with_remote_span_context(remote(TRACE, sampled));
            assert_eq!(
                inject(B3Propagator::single(), &cx),
                pairs(&[("b3", &format!("{TRACE}-{SPAN}-{state}"))])
            );
            assert_eq!(
                inject(B3Propagator::multi(), &cx),
                pairs(&[
                    ("x-b3-traceid", TRACE),
                    ("x-b3-spanid", SPAN),
                    ("x-b3-sampled", state)
                ])
            );
        }
        assert_eq!(inject(B3Propagator::single(), &Context::new()), Vec::new());
        assert_eq!(inject(B3Propagator::multi(), &Context::new()), Vec::new());
    }

    #[test]
    fn the_debug_state_passes_through_for_its_trace() {
        let cx = extracted(&[
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("x-b3-flags", "1"),
        ]);
        assert_eq!(
            inject(B3Propagator::single(), &cx),
            pairs(&[("b3", &format!("{TRACE}-{SPAN}-d"))])
        );
        assert_eq!(
            inject(B3Propagator::multi(), &cx),
            pairs(&[
                ("x-b3-traceid", TRACE),
                ("x-b3-spanid", SPAN),
                ("x-b3-flags", "1")
            ])
        );
        let other = "1".repeat(32);
        let cx = cx.with_remote_span_context(remote(&other, true));
        assert_eq!(
            inject(B3Propagator::single(), &cx),
            pairs(&[("b3", &format!("{other}-{SPAN}-1"))])
        );
    }

    #[test]
    fn fields_follow_the_form() {
        let single: Vec<String> = B3Propagator::single().fields().map(str::to_owned).collect();
        assert_eq!(single, ["b3"]);
        let multi: Vec<String> = B3Propagator::multi().fields().map(str::to_owned).collect();
        assert_eq!(
            multi,
            ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(single in ".{0,80}", trace_id in ".{0,40}", span_id in ".{0,20}", state in ".{0,3}") {
            let found = extract(&[
                ("b3", &single), ("x-b3-traceid", &trace_id), ("x-b3-spanid", &span_id), ("x-b3-sampled", &state),
            ]);
            prop_assert!(found == SpanContext::NONE || found.is_valid());
        }

        #[test]
        fn injection_and_extraction_are_inverse(trace_id in 1_u128.., span_id in 1_u64.., sampled in any::<bool>(), multi in any::<bool>()) {
            let flags = TraceFlags::default().with_sampled(sampled);
            let sent = SpanContext::new(TraceId::from(trace_id), SpanId::from(span_id), flags, true, TraceState::NONE);
            let propagator = if multi { B3Propagator::multi() } else { B3Propagator::single() };
            let carrier = inject(propagator, &Context::new().with_remote_span_context(sent.clone()));
            let received = propagator.extract_with_context(&Context::new(), &PairsExtractor(&carrier));
            prop_assert_eq!(received.span().span_context().clone(), sent);
        }
    }
}
