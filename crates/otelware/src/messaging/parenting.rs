//! Whose child the processing of a message is.

use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{Link, SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};

/// The most links of a span; the SDK's own limit.
const MOST_LINKS: usize = 128;

/// Whose child the processing of a message is. Whatever is chosen, its span is linked to the one
/// that sent the message, and the message's baggage is taken over.
///
/// The processing of a batch is never a child of its messages' senders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parenting {
    /// A child of the span around it; where there is none, of the one that sent the message. As the
    /// conventions have it.
    #[default]
    Auto,
    /// A child of the span around it; where there is none, a trace of its own. For senders and
    /// consumers whose traces are not to grow together.
    Link,
    /// A child of the span that sent the message, and linked to the one around it.
    Parent,
}

impl Parenting {
    /// Where processing begins that `remote`, the message's context over the `current` one, leads
    /// to: the context to begin in, and the spans to link to.
    pub(super) fn apply(self, current: Context, remote: Context) -> (Context, Linked) {
        let is_enclosed = current.span().span_context().is_valid();
        let created = {
            let span = remote.span();
            let created = span.span_context();
            // Extraction leaves the current span in its place where a message has no context.
            let is_the_message_s =
                created.is_valid() && !(is_enclosed && created == current.span().span_context());
            is_the_message_s.then(|| created.clone())
        };
        let Some(created) = created else {
            return (remote, [None, None]);
        };
        let is_child = match self {
            Self::Auto => !is_enclosed,
            Self::Link => false,
            Self::Parent => true,
        };
        if !is_child {
            let baggage = remote.baggage();
            if baggage.is_empty() {
                return (current, [Some(created), None]);
            }
            let baggage: Baggage = baggage
                .iter()
                .map(|(key, entry)| (key.clone(), entry.clone()))
                .collect();
            return (current.with_baggage(baggage), [Some(created), None]);
        }
        let enclosing = is_enclosed.then(|| current.span().span_context().clone());
        (remote, [Some(created), enclosing])
    }
}

/// The spans that the processing of a message is linked to.
pub(super) type Linked = [Option<SpanContext>; 2];

/// The links to the senders of a batch, no more of them than a span can have.
#[derive(Debug, Default)]
pub(super) struct Links {
    links: Vec<Link>,
    left_out: usize,
}

impl Links {
    /// Links a message, with what only it has.
    pub(super) fn push(&mut self, created: SpanContext, attributes: Vec<KeyValue>) {
        if !created.is_valid() {
            return;
        }
        if self.links.len() < MOST_LINKS {
            self.links.push(Link::new(created, attributes, 0));
        } else {
            self.left_out += 1;
        }
    }

    /// The links, and how many messages there was no room for.
    pub(super) fn into_parts(self) -> (Vec<Link>, usize) {
        (self.links, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    fn span(id: u8) -> SpanContext {
        let (trace, span) = (TraceId::from(u128::from(id)), SpanId::from(u64::from(id)));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    fn context(id: u8) -> Context {
        Context::new().with_remote_span_context(span(id))
    }

    /// The parent's id, and those of the links.
    fn applied(parenting: Parenting, current: &Context, remote: &Context) -> (u64, Vec<u64>) {
        let (parent, links) = parenting.apply(current.clone(), remote.clone());
        let id = |span: &SpanContext| u64::from_be_bytes(span.span_id().to_bytes());
        let links = links.iter().flatten().map(id).collect();
        (id(parent.span().span_context()), links)
    }

    #[test]
    fn the_sender_is_linked_always_and_the_parent_by_policy() {
        let (root, current, remote) = (Context::new(), context(1), context(2));
        for (parenting, alone, enclosed) in [
            (Parenting::Auto, 2, (1, vec![2])),
            (Parenting::Link, 0, (1, vec![2])),
            (Parenting::Parent, 2, (2, vec![2, 1])),
        ] {
            assert_eq!(applied(parenting, &root, &remote), (alone, vec![2]));
            assert_eq!(applied(parenting, &current, &remote), enclosed);
            // A message without a context.
            assert_eq!(applied(parenting, &root, &root), (0, vec![]));
            assert_eq!(applied(parenting, &current, &current), (1, vec![]));
        }
    }

    #[test]
    fn the_message_s_baggage_is_taken_over_by_every_policy() {
        let mut baggage = Baggage::new();
        baggage.insert("tenant", "7");
        let remote = context(2).with_baggage(baggage);
        for parenting in [Parenting::Auto, Parenting::Link, Parenting::Parent] {
            for current in [Context::new(), context(1)] {
                let (parent, _) = parenting.apply(current, remote.clone());
                assert_eq!(parent.baggage().to_string(), "tenant=7");
            }
        }
    }

    #[test]
    fn links_beyond_the_limit_are_counted() {
        let mut links = Links::default();
        for id in 0..=255 {
            links.push(span(id), Vec::new());
        }
        let (links, left_out) = links.into_parts();
        // Span 0 is none.
        assert_eq!((links.len(), left_out), (128, 127));
    }
}
