//! What a remote caller may decide about the trace of this process.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};

/// How far the sender of a message is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The sender belongs to the same system: its span becomes the parent and its baggage is taken over.
    #[default]
    Trusted,
    /// Anyone can be the sender: its span becomes a link, so that it decides neither about the trace id nor about sampling,
    /// and its baggage is dropped.
    Public,
}

/// What an incoming message means for the span that handles it.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The context to start the span in.
    pub parent: Context,
    /// The valid remote span to link to, for a sender that is not trusted.
    pub link: Option<SpanContext>,
}

/// Reads the context of an incoming message with a given trust in its sender.
///
/// The base is the current context. Where nothing is found, and for a sender that is not trusted, it stays the parent; a
/// span that is active in it therefore keeps enclosing what follows, and without one a new trace begins.
pub fn extract(
    propagator: &dyn TextMapPropagator,
    carrier: &dyn Extractor,
    trust: Trust,
) -> Inbound {
    match trust {
        Trust::Trusted => Inbound {
            parent: propagator.extract(carrier),
            link: None,
        },
        Trust::Public => {
            let remote = propagator.extract_with_context(&Context::new(), carrier);
            let link = Some(remote.span().span_context())
                .filter(|remote| remote.is_valid())
                .cloned();
            Inbound {
                parent: Context::current(),
                link,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::{Baggage, BaggageExt};
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;
    use crate::propagation::{CompositePropagator, PairsExtractor};

    fn span_context(id: u8, is_remote: bool) -> SpanContext {
        let (trace_id, span_id) = (TraceId::from(u128::from(id)), SpanId::from(u64::from(id)));
        SpanContext::new(
            trace_id,
            span_id,
            TraceFlags::SAMPLED,
            is_remote,
            TraceState::NONE,
        )
    }

    /// A context with span 1 and the baggage `local=1`.
    fn local() -> Context {
        let mut baggage = Baggage::new();
        baggage.insert("local", "1");
        Context::new()
            .with_baggage(baggage)
            .with_remote_span_context(span_context(1, false))
    }

    /// What a message with span 2 and the baggage `remote=2`, or one without either, means: parent, baggage, link.
    fn inbound(
        base: Context,
        present: bool,
        trust: Trust,
    ) -> (SpanContext, String, Option<SpanContext>) {
        let mut headers = Vec::new();
        if present {
            let traceparent = format!("00-{}2-{}2-01", "0".repeat(31), "0".repeat(15));
            headers.push(("traceparent".to_owned(), traceparent));
            headers.push(("baggage".to_owned(), "remote=2".to_owned()));
        }
        let _attached = base.attach();
        let Inbound { parent, link } = extract(
            &CompositePropagator::default(),
            &PairsExtractor(&headers),
            trust,
        );
        let span_context = parent.span().span_context().clone();
        (span_context, parent.baggage().to_string(), link)
    }

    #[test]
    fn a_trusted_sender_is_the_parent() {
        let expected = (span_context(2, true), "remote=2".to_owned(), None);
        assert_eq!(inbound(Context::new(), true, Trust::Trusted), expected);
        assert_eq!(inbound(local(), true, Trust::Trusted), expected);
    }

    #[test]
    fn a_public_sender_is_a_link_and_its_baggage_is_dropped() {
        let link = Some(span_context(2, true));
        assert_eq!(
            inbound(Context::new(), true, Trust::Public),
            (SpanContext::NONE, String::new(), link.clone())
        );
        assert_eq!(
            inbound(local(), true, Trust::Public),
            (span_context(1, false), "local=1".to_owned(), link)
        );
    }

    #[test]
    fn a_message_without_context_keeps_the_current_one() {
        for trust in [Trust::Trusted, Trust::Public] {
            assert_eq!(
                inbound(Context::new(), false, trust),
                (SpanContext::NONE, String::new(), None)
            );
            assert_eq!(
                inbound(local(), false, trust),
                (span_context(1, false), "local=1".to_owned(), None)
            );
        }
    }
}
