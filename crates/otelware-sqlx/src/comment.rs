//! Comments in queries that tell the database's own tools where they come from
//! (<https://google.github.io/sqlcommenter/spec/>).

use otelware::opentelemetry::Context;
use otelware::operation::Providers;
use otelware::propagation::{self, Outbound, PairsInjector};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a value may have without being encoded (RFC 3986, "Unreserved Characters").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is added to queries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    tags: Vec<(String, String)>,
    has_trace: bool,
}

impl Comments {
    pub(crate) fn set_tags(&mut self, tags: impl IntoIterator<Item = (String, String)>) {
        self.tags = tags.into_iter().collect();
    }

    pub(crate) const fn add_trace(&mut self) {
        self.has_trace = true;
    }

    /// Whether nothing is added.
    pub(crate) const fn is_empty(&self) -> bool {
        self.tags.is_empty() && !self.has_trace
    }

    /// The query with its comment. `None` where there is none: one that has a comment already may
    /// have meant it for an optimiser or a proxy. Only a query that is not prepared
    /// `is_sent_once`: the text of any other must stay the same.
    pub(crate) fn add_to(
        &self,
        text: &str,
        is_sent_once: bool,
        providers: &Providers,
    ) -> Option<String> {
        if text.contains("--") || text.contains("/*") {
            return None;
        }
        let mut tags = self.tags.clone();
        if self.has_trace && is_sent_once {
            let context = Context::current();
            providers.with_propagator(|propagator| {
                let mut injector = PairsInjector(&mut tags);
                let outbound = Outbound::TraceContextOnly;
                propagation::inject(propagator, &context, &mut injector, &outbound);
            });
        }
        if tags.is_empty() {
            return None;
        }
        tags.sort();
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let tags: Vec<String> = tags
            .iter()
            .map(|(key, value)| format!("{}='{}'", encode(key), encode(value)))
            .collect();
        Some(format!("{text} /*{}*/", tags.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otelware::opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use otelware::propagation::CompositePropagator;

    fn added(text: &str, has_trace: bool, is_sent_once: bool) -> Option<String> {
        let mut comments = Comments::default();
        comments.set_tags([
            ("route".to_owned(), "/a b'*/".to_owned()),
            ("application".to_owned(), "shop".to_owned()),
        ]);
        if has_trace {
            comments.add_trace();
        }
        let mut providers = Providers::default();
        providers.set_propagator(CompositePropagator::default());
        comments.add_to(text, is_sent_once, &providers)
    }

    #[test]
    fn tags_are_sorted_and_encoded() {
        assert_eq!(
            added("SELECT 1", false, false).as_deref(),
            Some("SELECT 1 /*application='shop',route='%2Fa%20b%27%2A%2F'*/")
        );
    }

    #[test]
    fn the_trace_is_told_where_the_text_need_not_stay_the_same() {
        let span = SpanContext::new(
            TraceId::from(1),
            SpanId::from(2),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        let _current = Context::new().with_remote_span_context(span).attach();
        let told = added("SELECT 1", true, true);
        assert_eq!(
            told.as_deref(),
            Some(
                "SELECT 1 /*application='shop',route='%2Fa%20b%27%2A%2F',\
                 traceparent='00-00000000000000000000000000000001-0000000000000002-01'*/"
            )
        );
        assert_eq!(
            added("SELECT 1", true, false),
            added("SELECT 1", false, false)
        );
    }

    #[test]
    fn queries_with_comments_stay_as_they_are() {
        for text in ["SELECT 1 -- x", "/*+ hint */ SELECT 1"] {
            assert_eq!(added(text, true, true), None);
        }
        assert_eq!(
            Comments::default().add_to("SELECT 1", true, &Providers::default()),
            None
        );
    }
}
