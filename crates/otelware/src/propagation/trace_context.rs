//! W3C Trace Context, level 2: <https://www.w3.org/TR/trace-context-2/>.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};

use super::{hex, trace_state};

pub(super) const TRACEPARENT: &str = "traceparent";
pub(super) const TRACESTATE: &str = "tracestate";

/// The flag of level 2 that says: the seven rightmost bytes of the trace id are random
/// (<https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>).
///
/// [`TraceFlags`] has no name for it yet.
pub const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// The flags level 2 defines; all others are written as zero.
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(0x03);

static FIELDS: LazyLock<[String; 2]> =
    LazyLock::new(|| [TRACEPARENT.to_owned(), TRACESTATE.to_owned()]);

/// Propagates `traceparent` and `tracestate` as W3C Trace Context level 2 demands.
///
/// - `traceparent` is read strictly: fixed widths, lower-case digits, no identifier of zeros. Anything else leaves the
///   context as it was.
/// - The `sampled` and the `random` flag are kept, all others are dropped. The SDK drops `random` from spans its sampler
///   drops, therefore a context extracted with that flag remembers it and every injection for the same trace writes it.
///   A trace started in this process is written without `random`: only the generator of its id knows whether it applies.
/// - All `tracestate` headers form one list, read by the grammar of level 2. A list that breaks the grammar or has more
///   than 32 members is discarded, and `traceparent` stands without it. Members whose key
///   [`TraceState`](opentelemetry::trace::TraceState) refuses, though level 2 allows it, are kept beside it and written
///   after the others.
/// - `tracestate` is written only when it has members, and with at most 512 characters.
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry::trace::TraceContextExt;
/// use otelware::propagation::TraceContextPropagator;
///
/// let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03".to_owned();
/// let headers = HashMap::from([("traceparent".to_owned(), traceparent)]);
/// let context = TraceContextPropagator::new().extract(&headers);
/// assert!(context.span().span_context().is_sampled());
///
/// let mut outgoing = HashMap::new();
/// TraceContextPropagator::new().inject_context(&context, &mut outgoing);
/// assert_eq!(outgoing, headers);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceContextPropagator {
    _private: (),
}

/// What a remote trace context says beyond the reach of [`SpanContext`], kept in the [`Context`] beside it.
#[derive(Debug)]
struct Beyond {
    /// Context values outlive the span they came with; they speak of this trace only.
    trace_id: TraceId,
    random: bool,
    held_members: String,
}

impl TraceContextPropagator {
    /// Returns the propagator.
    pub const fn new() -> Self {
        Self { _private: () }
    }

    /// Reads the remote span context without touching any [`Context`]; `None` unless `traceparent` is present and valid.
    pub fn extract_span_context(&self, extractor: &dyn Extractor) -> Option<SpanContext> {
        read(extractor).map(|(span_context, _)| span_context)
    }

    pub(super) fn extract_present(
        &self,
        cx: &Context,
        extractor: &dyn Extractor,
    ) -> Option<Context> {
        let (span_context, held_members) = read(extractor)?;
        let random = is_random(span_context.trace_flags());
        // A value costs three allocations, so a context gets one only when it has something to say or to overrule.
        if !random && held_members.is_empty() && cx.get::<Beyond>().is_none() {
            return Some(cx.with_remote_span_context(span_context));
        }
        let beyond = Beyond {
            trace_id: span_context.trace_id(),
            random,
            held_members,
        };
        Some(cx.with_value(beyond).with_remote_span_context(span_context))
    }
}

impl TextMapPropagator for TraceContextPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if !span_context.is_valid() {
            return;
        }
        let beyond = cx
            .get::<Beyond>()
            .filter(|beyond| beyond.trace_id == span_context.trace_id());
        let mut flags = span_context.trace_flags() & KNOWN_FLAGS;
        if beyond.is_some_and(|beyond| beyond.random) {
            flags = flags | RANDOM;
        }
        let Some(traceparent) = write(span_context, flags) else {
            return;
        };
        injector.set(TRACEPARENT, traceparent);
        let held = beyond.map_or("", |beyond| beyond.held_members.as_str());
        let state = span_context.trace_state();
        if held.is_empty() && state.into_iter().len() == 0 {
            return;
        }
        if let Some(tracestate) = trace_state::header(state, held) {
            injector.set(TRACESTATE, tracestate);
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

fn is_random(flags: TraceFlags) -> bool {
    flags & RANDOM == RANDOM
}

/// The remote span context, and the members of `tracestate` it cannot hold.
fn read(extractor: &dyn Extractor) -> Option<(SpanContext, String)> {
    let (trace_id, span_id, flags) = parse(extractor.get(TRACEPARENT)?)?;
    let parsed = match extractor.get_all(TRACESTATE) {
        Some(headers) => trace_state::parse(headers),
        None => trace_state::Parsed::default(),
    };
    Some((
        SpanContext::new(trace_id, span_id, flags, true, parsed.state),
        parsed.held,
    ))
}

/// Reads `{version}-{trace id}-{parent id}-{flags}`; versions above 00 may continue after a further `-`.
fn parse(traceparent: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (fields, rest) = traceparent.as_bytes().split_first_chunk::<55>()?;
    let [version @ .., b'-'] = fields.first_chunk::<3>()? else {
        return None;
    };
    let (trace_id, fields) = fields.get(3..)?.split_first_chunk::<32>()?;
    let (b'-', fields) = fields.split_first()? else {
        return None;
    };
    let (span_id, fields) = fields.split_first_chunk::<16>()?;
    let [b'-', flags @ ..] = fields.first_chunk::<3>()? else {
        return None;
    };
    match (hex::byte(*version)?, rest.first()) {
        (0xff, _) | (0x00, Some(_)) => return None,
        (_, Some(next)) if *next != b'-' => return None,
        _ => {}
    }
    let trace_id = TraceId::from(hex::trace_id(trace_id)?);
    let span_id = SpanId::from(hex::span_id(span_id)?);
    let flags = TraceFlags::new(hex::byte(*flags)?) & KNOWN_FLAGS;
    (trace_id != TraceId::INVALID && span_id != SpanId::INVALID)
        .then_some((trace_id, span_id, flags))
}

/// Writes version 00 with a single allocation.
fn write(span_context: &SpanContext, flags: TraceFlags) -> Option<String> {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    hex::write(&mut text[3..35], &span_context.trace_id().to_bytes());
    hex::write(&mut text[36..52], &span_context.span_id().to_bytes());
    hex::write(&mut text[53..55], &[flags.to_u8()]);
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::HashMap;

    use opentelemetry::trace::{Span, SpanBuilder, TraceState, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use proptest::prelude::*;

    use super::*;
    use crate::propagation::{PairsExtractor, PairsInjector};

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn extract(headers: &[(&str, &str)]) -> Option<SpanContext> {
        TraceContextPropagator::new().extract_span_context(&PairsExtractor(&pairs(headers)))
    }

    fn remote(flags: u8, state: &[(&str, &str)]) -> SpanContext {
        SpanContext::new(
            TraceId::from_hex(TRACE).unwrap(),
            SpanId::from_hex(SPAN).unwrap(),
            TraceFlags::new(flags),
            true,
            TraceState::from_key_value(state.iter().copied()).unwrap(),
        )
    }

    fn injected(cx: &Context) -> Vec<(String, String)> {
        let mut carrier = Vec::new();
        TraceContextPropagator::new().inject_context(cx, &mut PairsInjector(&mut carrier));
        carrier
    }

    /// Sends `headers` in and out again without a span in between.
    fn through(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let headers = pairs(headers);
        injected(
            &TraceContextPropagator::new()
                .extract_with_context(&Context::new(), &PairsExtractor(&headers)),
        )
    }

    #[test]
    fn both_known_flags_are_read_and_others_are_not() {
        for (text, flags) in [
            ("00", 0),
            ("01", 1),
            ("02", 2),
            ("03", 3),
            ("ff", 3),
            ("fc", 0),
            ("0a", 2),
        ] {
            let traceparent = format!("00-{TRACE}-{SPAN}-{text}");
            assert_eq!(
                extract(&[("traceparent", &traceparent)]),
                Some(remote(flags, &[])),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_traceparents_are_refused() {
        let refused = [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
            format!("00-{TRACE}-{SPAN}-01."),
            format!("00-{TRACE}-{SPAN}-.0"),
            format!("00-{TRACE}-{SPAN}-0."),
            format!("00-{TRACE}-{SPAN}-+1"),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}_01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("0.-{TRACE}-{SPAN}-01"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("FE-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-.{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{}.-{SPAN}-01", &TRACE[1..]),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-.{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{SPAN}0-01"),
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01".to_owned(),
            format!("00-{TRACE}-{SPAN}-0é"),
        ];
        for traceparent in refused {
            assert_eq!(
                extract(&[("traceparent", &traceparent)]),
                None,
                "{traceparent}"
            );
        }
    }

    #[test]
    fn later_versions_are_read_by_the_fields_they_share_with_version_00() {
        for traceparent in [
            format!("cc-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01-"),
            format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
            format!("01-{TRACE}-{SPAN}-01"),
            format!("fe-{TRACE}-{SPAN}-01-é"),
        ] {
            assert_eq!(
                extract(&[("traceparent", &traceparent)]),
                Some(remote(1, &[])),
                "{traceparent}"
            );
        }
        for traceparent in [
            format!("cc-{TRACE}-{SPAN}-01.what"),
            format!("cc-{TRACE}-{SPAN}-010"),
        ] {
            assert_eq!(
                extract(&[("traceparent", &traceparent)]),
                None,
                "{traceparent}"
            );
        }
    }

    #[test]
    fn a_later_version_goes_out_as_version_00() {
        let incoming = format!("cc-{TRACE}-{SPAN}-ff-more");
        assert_eq!(
            through(&[("traceparent", &incoming)]),
            pairs(&[("traceparent", &format!("00-{TRACE}-{SPAN}-03"))])
        );
    }

    #[test]
    fn two_traceparents_are_none() {
        let first = format!("00-{TRACE}-{SPAN}-01");
        let second = format!("00-{}-{SPAN}-01", "1".repeat(32));
        assert_eq!(
            extract(&[("traceparent", &first), ("traceparent", &second)]),
            None
        );
    }

    #[test]
    fn names_are_read_in_any_case() {
        let traceparent = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(
            extract(&[("TraceParent", &traceparent), ("TraceState", "foo=1")]),
            Some(remote(1, &[("foo", "1")]))
        );
    }

    #[test]
    fn several_tracestates_are_one() {
        let traceparent = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(
            extract(&[
                ("traceparent", &traceparent),
                ("tracestate", "foo=1,\tbar=2"),
                ("tracestate", ""),
                ("tracestate", " baz=3"),
            ]),
            Some(remote(1, &[("foo", "1"), ("bar", "2"), ("baz", "3")]))
        );
    }

    #[test]
    fn a_broken_tracestate_leaves_traceparent_valid() {
        let traceparent = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(
            extract(&[("traceparent", &traceparent), ("tracestate", "FOO=1")]),
            Some(remote(1, &[]))
        );
    }

    #[test]
    fn tracestate_without_traceparent_is_discarded() {
        assert_eq!(through(&[("tracestate", "foo=1")]), Vec::new());
        assert_eq!(
            through(&[("traceparent", "00-bad"), ("tracestate", "foo=1")]),
            Vec::new()
        );
    }

    #[test]
    fn an_empty_tracestate_is_not_written() {
        let traceparent = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(
            through(&[("traceparent", &traceparent), ("tracestate", "")]),
            pairs(&[("traceparent", &traceparent)])
        );
        let emptied = TraceState::NONE
            .insert("a", "b")
            .unwrap()
            .delete("a")
            .unwrap();
        let span_context = remote(1, &[]);
        let span_context = SpanContext::new(
            span_context.trace_id(),
            span_context.span_id(),
            TraceFlags::SAMPLED,
            true,
            emptied,
        );
        assert_eq!(
            injected(&Context::new().with_remote_span_context(span_context)),
            pairs(&[("traceparent", &traceparent)])
        );
    }

    #[test]
    fn keys_of_level_two_pass_through() {
        let headers = pairs(&[
            ("traceparent", &format!("00-{TRACE}-{SPAN}-01")),
            ("tracestate", "foo=1,foo@bar@baz=2"),
        ]);
        let borrowed: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(through(&borrowed), headers);
    }

    #[test]
    fn a_context_without_a_span_writes_nothing() {
        assert_eq!(injected(&Context::new()), Vec::new());
    }

    #[test]
    fn nothing_found_leaves_the_context_as_it_was() {
        let local = Context::new()
            .with_remote_span_context(remote(1, &[("foo", "1")]))
            .with_value(7_u8);
        let extracted = TraceContextPropagator::new().extract_with_context(&local, &HashMap::new());
        assert_eq!(extracted.span().span_context(), &remote(1, &[("foo", "1")]));
        assert_eq!(extracted.get::<u8>(), Some(&7));
    }

    #[test]
    fn a_found_context_replaces_the_span_and_keeps_other_values() {
        let traceparent = format!("00-{TRACE}-{SPAN}-03");
        let local = Context::new().with_value(7_u8);
        let headers = pairs(&[("traceparent", &traceparent)]);
        let extracted =
            TraceContextPropagator::new().extract_with_context(&local, &PairsExtractor(&headers));
        assert_eq!(extracted.span().span_context(), &remote(3, &[]));
        assert_eq!(extracted.get::<u8>(), Some(&7));
    }

    #[test]
    fn fields_are_named() {
        let fields: Vec<String> = TraceContextPropagator::new()
            .fields()
            .map(str::to_owned)
            .collect();
        assert_eq!(fields, ["traceparent", "tracestate"]);
    }

    /// The flags that leave a child span of the SDK whose remote parent has the flags `incoming`.
    fn flags_of_child(incoming: &str, sampler: Sampler) -> String {
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        let tracer = provider.tracer("test");
        let headers = pairs(&[("traceparent", &format!("00-{TRACE}-{SPAN}-{incoming}"))]);
        let parent = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &PairsExtractor(&headers));
        let child = tracer.build_with_context(SpanBuilder::from_name("child"), &parent);
        let child_id = child.span_context().span_id();
        let cx = parent.with_span(child);
        let grandchild = tracer.build_with_context(SpanBuilder::from_name("grandchild"), &cx);
        let grandchild_id = grandchild.span_context().span_id();

        let [(name, outer)] = <[_; 1]>::try_from(injected(&cx)).unwrap();
        let [(_, inner)] = <[_; 1]>::try_from(injected(&cx.with_span(grandchild))).unwrap();
        let flags = outer[53..].to_owned();
        assert_eq!(
            (name.as_str(), outer),
            ("traceparent", format!("00-{TRACE}-{child_id:016x}-{flags}"))
        );
        assert_eq!(inner, format!("00-{TRACE}-{grandchild_id:016x}-{flags}"));
        flags
    }

    #[test]
    fn the_random_flag_passes_through_spans_of_the_sdk() {
        let parent_based = || Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        assert_eq!(flags_of_child("03", parent_based()), "03");
        assert_eq!(flags_of_child("01", parent_based()), "01");
        assert_eq!(flags_of_child("02", parent_based()), "02");
        assert_eq!(flags_of_child("00", parent_based()), "00");
        assert_eq!(flags_of_child("03", Sampler::AlwaysOff), "02");
        assert_eq!(flags_of_child("02", Sampler::AlwaysOff), "02");
        assert_eq!(flags_of_child("01", Sampler::AlwaysOff), "00");
        assert_eq!(flags_of_child("02", Sampler::AlwaysOn), "03");
        assert_eq!(flags_of_child("00", Sampler::AlwaysOn), "01");
    }

    #[test]
    fn the_random_flag_does_not_pass_to_another_trace() {
        let headers = pairs(&[
            ("traceparent", &format!("00-{TRACE}-{SPAN}-03")),
            ("tracestate", "a@b@c=1"),
        ]);
        let cx = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &PairsExtractor(&headers));
        let other = SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        assert_eq!(
            injected(&cx.with_remote_span_context(other)),
            pairs(&[(
                "traceparent",
                "00-00000000000000000000000000000001-0000000000000001-01"
            )])
        );
    }

    #[test]
    fn a_later_extraction_overrules_what_an_earlier_one_remembered() {
        let random = pairs(&[("traceparent", &format!("00-{TRACE}-{SPAN}-03"))]);
        let plain = pairs(&[("traceparent", &format!("00-{TRACE}-{SPAN}-01"))]);
        let propagator = TraceContextPropagator::new();
        let cx = propagator.extract_with_context(&Context::new(), &PairsExtractor(&random));
        let cx = propagator.extract_with_context(&cx, &PairsExtractor(&plain));
        assert_eq!(injected(&cx), plain);
    }

    #[test]
    fn a_trace_started_here_goes_out_without_the_random_flag() {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .build();
        let span = provider
            .tracer("test")
            .start_with_context("root", &Context::new());
        let sc = span.span_context().clone();
        assert_eq!(
            injected(&Context::new().with_span(span)),
            pairs(&[(
                "traceparent",
                &format!("00-{:032x}-{:016x}-01", sc.trace_id(), sc.span_id())
            )])
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(traceparent in ".{0,80}", tracestate in ".{0,80}") {
            let span_context = extract(&[("traceparent", &traceparent), ("tracestate", &tracestate)]);
            prop_assert!(span_context.is_none_or(|found| found.is_valid() && found.is_remote()));
        }

        #[test]
        fn nearly_right_text_is_read_without_panic(position in 0_usize..55, character in any::<char>()) {
            let mut text: Vec<char> = format!("00-{TRACE}-{SPAN}-01").chars().collect();
            text[position] = character;
            let text: String = text.into_iter().collect();
            let valid = text.bytes().enumerate().all(|(index, byte)| match index {
                2 | 35 | 52 => byte == b'-',
                _ => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            });
            prop_assert_eq!(extract(&[("traceparent", &text)]).is_some(), valid && text.len() == 55);
        }

        #[test]
        fn injection_and_extraction_are_inverse(
            trace_id in 1_u128.., span_id in 1_u64.., flags in 0_u8..4,
            state in prop::collection::btree_map("[a-z][a-z0-9_*/-]{0,5}", "[!-+\\--<>-~]{1,5}", 0..32),
        ) {
            let state = TraceState::from_key_value(state).unwrap();
            let sent = SpanContext::new(TraceId::from(trace_id), SpanId::from(span_id), TraceFlags::new(flags), true, state);
            let carrier = injected(&Context::new().with_remote_span_context(sent.clone()));
            prop_assert_eq!(TraceContextPropagator::new().extract_span_context(&PairsExtractor(&carrier)), Some(sent));
        }
    }
}
