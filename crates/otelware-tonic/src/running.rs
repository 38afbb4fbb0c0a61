//! What a layer needs at work.

use crate::method::Methods;
use crate::options::Options;
use crate::role::Role;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::metrics::{Histogram, UpDownCounter};
use otelware::operation::{ErrorType, Instrumentation, Lazily, Series};
use otelware::semconv::{boundaries, unit};
use std::fmt::Display;

/// What all services of one layer share.
pub(crate) type Shared = Lazily<Options, Running>;

/// What a layer needs at work.
#[derive(Debug)]
pub(crate) struct Running {
    role: Role,
    pub(crate) instrumentation: Instrumentation,
    pub(crate) methods: Methods,
    pub(crate) duration: Series<Histogram<f64>>,
    pub(crate) active: Option<Series<UpDownCounter<i64>>>,
    /// Messages of request and response, and their bytes.
    pub(crate) counts: Option<[Series<Histogram<u64>>; 4]>,
}

impl Running {
    /// What a layer needs at work, made at its first call.
    #[inline]
    pub(crate) fn of(shared: &Shared) -> &Self {
        shared.get_or_make(Self::new)
    }

    fn new(options: &Options) -> Self {
        let role = options.role;
        let instrumentation = Instrumentation::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &options.providers,
        );
        let (name, description) = role.duration();
        let [
            request_messages,
            response_messages,
            request_size,
            response_size,
        ] = role.counts();
        Self {
            role,
            methods: options.methods(),
            duration: instrumentation.durations(name, description, &boundaries::REQUEST_SECONDS),
            active: options.active_calls.then(|| {
                let description = "Number of calls in flight.";
                instrumentation.in_flight(role.active_calls(), description, unit::CALLS)
            }),
            counts: options.message_counts.then(|| {
                let messages = |name, description| {
                    instrumentation.amounts(
                        name,
                        description,
                        unit::MESSAGES,
                        &boundaries::MESSAGES,
                    )
                };
                let sizes = |name, description| {
                    instrumentation.sizes(name, description, &boundaries::BODY_BYTES)
                };
                [
                    messages(request_messages, "Number of messages of requests."),
                    messages(response_messages, "Number of messages of responses."),
                    sizes(request_size, "Size of all messages of a request."),
                    sizes(response_size, "Size of all messages of a response."),
                ]
            }),
            instrumentation,
        }
    }

    /// Emits the error that ended a call as an event, where events are wanted.
    pub(crate) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        let kind = self.role.exception();
        self.instrumentation.exception(kind, context, class, error);
    }
}
