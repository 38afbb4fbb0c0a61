//! The life of an operation: what every span and every measurement of the family is made by.
//!
//! A crate that instruments a library makes one [`Instrumentation`], begins an [`Operation`] with
//! [`Instrumentation::start`], [enters](Operation::enter) it while the library's or the user's
//! code runs, and [finishes](Operation::finish) it with an [`Outcome`]. What the library knows of
//! the operation is behind [`Describe`], which is asked exactly once at the end, however that
//! comes about: success, error, the drop of a future, a panic.
//!
//! What applications name in options is here too: [`Signals`], [`Cancellation`], [`ErrorType`].
//! Everything else is for crates that instrument a library, those of the family above all, and
//! may change with any release; what is left out of this page even more so.
//!
//! Applications rarely need the rest of this module: [`operation()`](crate::operation()) and
//! [`traced`](crate::FutureExt::traced) cover their own code.

mod active;
mod clock;
mod event;
mod guard;
mod instrumentation;
mod intern;
mod io;
mod lazily;
mod outcome;
mod providers;
mod series;
mod signals;
mod table;

pub use active::{Family, InUserCode, enter_user_code, innermost, is_doubled};
#[doc(hidden)]
pub use active::{claim, take_claim};
pub use clock::Moment;
pub use event::Exception;
pub use guard::{Describe, End, Entered, Operation};
pub use instrumentation::{Instrumentation, Start};
pub use outcome::{Cancellation, ErrorType, Outcome};
pub use providers::Providers;
#[cfg(feature = "telemetry")]
pub(crate) use providers::set_global_late_attributes;
pub use series::{InFlight, Instrument, Series, SeriesKey};
pub use signals::Signals;
#[doc(hidden)]
pub use {
    instrumentation::extend_replacing,
    intern::{Interned, Label, Recent, bounded, cut, recent_value},
    io::io_error_type,
    lazily::Lazily,
    table::{Table, hash_bytes},
};

/// Adds the method by which an operation's builder, a layer or a wrapper is handed its tracer
/// provider. The type is `#[must_use]` and has a method `providers_mut(&mut self) -> &mut Providers`.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_tracer_provider {
    () => {
        /// Sends spans to this provider instead of the global one.
        pub fn with_tracer_provider<P, T, S>(mut self, provider: P) -> Self
        where
            P: $crate::opentelemetry::trace::TracerProvider<Tracer = T> + Send + Sync + 'static,
            T: $crate::opentelemetry::trace::Tracer<Span = S> + Send + Sync + 'static,
            S: $crate::opentelemetry::trace::Span + Send + Sync + 'static,
        {
            self.providers_mut().set_tracer_provider(provider);
            self
        }
    };
}

/// Adds to a layer or wrapper the methods by which every crate of the family is handed its
/// providers; see [`__with_tracer_provider`].
#[doc(hidden)]
#[macro_export]
macro_rules! __with_providers {
    () => {
        $crate::__with_tracer_provider!();

        /// Sets a span's attributes only once the span is known to record, instead of before it
        /// starts. That is cheaper where few spans are sampled, and samplers then see no
        /// attributes. (With `otelware::init` it happens by itself where the
        /// sampler looks at none.)
        pub fn with_late_attributes(mut self) -> Self {
            self.providers_mut().set_late_attributes();
            self
        }

        /// Sends measurements to this provider instead of the global one.
        pub fn with_meter_provider(
            mut self,
            provider: impl $crate::opentelemetry::metrics::MeterProvider + Send + Sync + 'static,
        ) -> Self {
            self.providers_mut().set_meter_provider(provider);
            self
        }

        /// Emits errors and panics as exception events to this provider. Without one there are no
        /// such events: the span's and the metric's `error.type` say what failed.
        pub fn with_logger_provider<P, L>(mut self, provider: P) -> Self
        where
            P: $crate::opentelemetry::logs::LoggerProvider<Logger = L> + Send + Sync + 'static,
            L: $crate::opentelemetry::logs::Logger + Send + Sync + 'static,
        {
            self.providers_mut().set_logger_provider(provider);
            self
        }

        /// Propagates context with this propagator instead of the global one.
        pub fn with_propagator(
            mut self,
            propagator: impl $crate::opentelemetry::propagation::TextMapPropagator
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.providers_mut().set_propagator(propagator);
            self
        }
    };
}
