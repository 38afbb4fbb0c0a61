//! What leaves this process.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::propagation::{Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

use super::baggage::BAGGAGE;

/// What a destination may learn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outbound {
    /// Trace context and all baggage.
    #[default]
    Everything,
    /// Trace context, and the baggage with these keys.
    Baggage(Vec<Cow<'static, str>>),
    /// Trace context without baggage.
    TraceContextOnly,
    /// Nothing: the message goes out as it is.
    Nothing,
}

impl Outbound {
    /// Trace context, and the baggage with these keys.
    pub fn baggage<K: Into<Cow<'static, str>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self::Baggage(keys.into_iter().map(Into::into).collect())
    }

    /// How much it lets out.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::TraceContextOnly => 1,
            Self::Baggage(_) => 2,
            Self::Everything => 3,
        }
    }

    /// The part of `cx` that may leave.
    fn reduce<'a>(&self, cx: &'a Context) -> Cow<'a, Context> {
        let baggage = cx.baggage();
        match self {
            Self::Everything => Cow::Borrowed(cx),
            _ if baggage.is_empty() => Cow::Borrowed(cx),
            Self::Baggage(keys) => {
                let allowed = baggage
                    .iter()
                    .filter(|(key, _)| keys.iter().any(|allowed| allowed == key.as_str()));
                let allowed: Baggage = allowed
                    .map(|(key, entry)| (key.clone(), entry.clone()))
                    .collect();
                Cow::Owned(cx.with_baggage(allowed))
            }
            Self::TraceContextOnly | Self::Nothing => Cow::Owned(cx.with_cleared_baggage()),
        }
    }
}

/// Writes what `outbound` allows of `cx` into `carrier`.
///
/// What a context written before left behind, in headers a proxy forwards or in an earlier attempt, does not survive beside
/// the new one: fields of the propagator without a new value are removed if a span context is written, and `baggage` is
/// removed if the policy restricts it. Without a span the fields stay as they are, and so does `baggage` the caller put
/// into the message when the policy is [`Outbound::Everything`] and the context has none.
///
/// A field is removed by setting an empty value, which the carriers of this module understand; the `HashMap` of the
/// OpenTelemetry API keeps the empty value, so wrap it in a [`MapInjector`](super::MapInjector).
pub fn inject(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    carrier: &mut dyn Injector,
    outbound: &Outbound,
) {
    if *outbound == Outbound::Nothing {
        return;
    }
    let replaces_trace = cx.span().span_context().is_valid();
    let restricts_baggage = *outbound != Outbound::Everything;
    for field in propagator.fields() {
        let stale = if field == BAGGAGE {
            restricts_baggage
        } else {
            replaces_trace
        };
        if stale {
            carrier.set(field, String::new());
        }
    }
    propagator.inject_context(&outbound.reduce(cx), carrier);
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    use super::*;
    use crate::propagation::{CompositePropagator, PairsInjector};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn baggage() -> Baggage {
        let mut baggage = Baggage::new();
        baggage.insert("tenant", "7");
        baggage.insert_with_metadata("user", "me", "private");
        baggage
    }

    fn traced() -> Context {
        let (trace_id, span_id) = (TraceId::from(1), SpanId::from(1));
        let span_context = SpanContext::new(
            trace_id,
            span_id,
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        Context::new().with_remote_span_context(span_context)
    }

    fn traceparent() -> String {
        format!("00-{}1-{}1-01", "0".repeat(31), "0".repeat(15))
    }

    fn injected(
        cx: &Context,
        before: &[(&str, &str)],
        outbound: &Outbound,
    ) -> Vec<(String, String)> {
        let mut carrier = pairs(before);
        inject(
            &CompositePropagator::default(),
            cx,
            &mut PairsInjector(&mut carrier),
            outbound,
        );
        carrier
    }

    #[test]
    fn each_policy_writes_what_it_allows() {
        let cx = traced().with_baggage(baggage());
        let traceparent = traceparent();
        let traceparent = ("traceparent", traceparent.as_str());
        for (outbound, expected) in [
            (
                Outbound::Everything,
                pairs(&[traceparent, ("baggage", "tenant=7,user=me;private")]),
            ),
            (
                Outbound::baggage(["user", "other"]),
                pairs(&[traceparent, ("baggage", "user=me;private")]),
            ),
            (Outbound::baggage(["other"]), pairs(&[traceparent])),
            (Outbound::TraceContextOnly, pairs(&[traceparent])),
            (Outbound::Nothing, pairs(&[])),
        ] {
            assert_eq!(injected(&cx, &[], &outbound), expected, "{outbound:?}");
        }
    }

    #[test]
    fn an_older_context_does_not_survive_beside_the_new_one() {
        let before = [
            ("Traceparent", "old"),
            ("Tracestate", "old=1"),
            ("baggage", "old=1"),
            ("accept", "*/*"),
        ];
        let traceparent = traceparent();
        let (accept, traceparent) = (("accept", "*/*"), ("traceparent", traceparent.as_str()));
        let cx = traced();
        for (outbound, expected) in [
            (
                Outbound::Everything,
                pairs(&[("baggage", "old=1"), accept, traceparent]),
            ),
            (Outbound::baggage(["old"]), pairs(&[accept, traceparent])),
            (Outbound::TraceContextOnly, pairs(&[accept, traceparent])),
            (Outbound::Nothing, pairs(&before)),
        ] {
            assert_eq!(injected(&cx, &before, &outbound), expected, "{outbound:?}");
        }
        assert_eq!(
            injected(&cx.with_baggage(baggage()), &before, &Outbound::Everything),
            pairs(&[accept, traceparent, ("baggage", "tenant=7,user=me;private")])
        );
    }

    #[test]
    fn without_a_span_the_trace_of_the_message_stays() {
        let before = [
            ("traceparent", "mine"),
            ("tracestate", "mine=1"),
            ("baggage", "mine=1"),
        ];
        assert_eq!(
            injected(&Context::new(), &before, &Outbound::Everything),
            pairs(&before)
        );
        assert_eq!(
            injected(&Context::new(), &before, &Outbound::TraceContextOnly),
            pairs(&before[..2])
        );
        assert_eq!(
            injected(&Context::new(), &before, &Outbound::Nothing),
            pairs(&before)
        );
    }
}
