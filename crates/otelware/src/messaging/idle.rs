//! Clients whose operations leave nothing behind: they pass context on, and no more.

use super::client::Client;
use super::destination::Destination;
use super::options::ExistingContext;
use super::processing::Processing;
use crate::propagation::{self, Trust};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};

impl Client {
    /// Whether operations leave nothing behind, as there is neither a tracer provider nor a meter
    /// provider nor a logger provider. It shows after the first operation.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.instrumentation().is_idle()
    }

    /// Whether a message with these headers keeps the context that it has.
    pub fn keeps_context(&self, headers: &dyn Extractor) -> bool {
        self.options().existing_context == ExistingContext::Preserve
            && self.created(headers).is_some()
    }

    /// Writes a context into a message, whether or not anybody wants to know of its sending.
    pub fn pass_on(&self, context: &Context, carrier: &mut dyn Injector) {
        let options = self.options();
        options.providers.with_propagator(|propagator| {
            propagation::inject(propagator, context, carrier, &options.outbound);
        });
    }

    /// Begins to process a message, where nobody wants to know of it: in its context.
    pub fn process_idle<'d>(
        &self,
        destination: impl FnOnce() -> Destination<'d>,
        headers: &dyn Extractor,
    ) -> Processing {
        let context = match self.options().trust {
            Trust::Public => Context::current(),
            Trust::Trusted => self.parent(destination, headers).0,
        };
        Processing::idle(context)
    }
}
