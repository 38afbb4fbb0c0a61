//! What carries contexts in messages: that of the SDK, so that no instrumentation is tested by its
//! own.

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// W3C propagation, by fields with a prefix.
#[derive(Debug)]
pub struct Propagator {
    prefix: &'static str,
    fields: Vec<String>,
    inner: TextMapCompositePropagator,
}

impl Propagator {
    /// One whose fields have this prefix.
    pub fn new(prefix: &'static str) -> Self {
        let inner = TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ]);
        Self {
            fields: inner
                .fields()
                .map(|field| format!("{prefix}{field}"))
                .collect(),
            prefix,
            inner,
        }
    }
}

impl Clone for Propagator {
    fn clone(&self) -> Self {
        Self::new(self.prefix)
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let prefix = self.prefix;
        self.inner
            .inject_context(context, &mut Prefixed(prefix, injector));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let prefix = self.prefix;
        self.inner
            .extract_with_context(context, &Prefixed(prefix, extractor))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

/// A carrier whose fields have a prefix.
struct Prefixed<C>(&'static str, C);

impl Injector for Prefixed<&mut dyn Injector> {
    fn set(&mut self, key: &str, value: String) {
        self.1.set(&format!("{}{key}", self.0), value);
    }
}

impl Extractor for Prefixed<&dyn Extractor> {
    fn get(&self, key: &str) -> Option<&str> {
        self.1.get(&format!("{}{key}", self.0))
    }

    fn keys(&self) -> Vec<&str> {
        let keys = self.1.keys().into_iter();
        keys.filter_map(|key| key.strip_prefix(self.0)).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.1.get_all(&format!("{}{key}", self.0))
    }
}
