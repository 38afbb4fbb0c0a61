//! The life of one operation.

use super::active::{self, Family};
use super::clock::Moment;
use super::outcome::{Cancellation, ErrorType, Outcome};
use super::providers::StartSpan;
use super::series::InFlight;
use super::signals::Signals;
use crate::semconv::{attribute, value};
use opentelemetry::trace::{SpanBuilder, SpanRef, Status, TraceContextExt};
use opentelemetry::{Context, ContextGuard, KeyValue};
use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// What a crate knows of an operation of its library.
pub trait Describe {
    /// `error.type` of an operation that was cancelled, where that is marked.
    const CANCELLED: &'static str = value::CANCELLED;

    /// The last word on the operation: called exactly once, however it ends, while its span still
    /// records. Adds the attributes that only the end knows and makes the measurements.
    fn end(&mut self, end: &End<'_>);

    /// Called on the operation's thread each time the code that it runs returns or unwinds.
    fn left(&mut self) {}

    /// How an operation ends that was dropped before it was done, `after` it had begun. A protocol
    /// may know more of it than that it was cancelled, such as that its deadline had passed.
    fn dropped(&mut self, _after: Duration) -> Outcome {
        Outcome::Cancelled
    }

    /// The description of the span's status, asked for where that is an error; none by default.
    fn status_description(&mut self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

/// The end of an operation.
#[derive(Debug)]
pub struct End<'a> {
    outcome: &'a Outcome,
    error_type: Option<Cow<'a, ErrorType>>,
    duration: Duration,
    context: &'a Context,
    recording: bool,
    metrics: bool,
}

impl<'a> End<'a> {
    /// How it ended.
    pub const fn outcome(&self) -> &Outcome {
        self.outcome
    }

    /// `error.type` for span and metric alike, where it is to be set.
    pub fn error_type(&self) -> Option<&ErrorType> {
        self.error_type.as_deref()
    }

    /// How long it took; the span lasts exactly as long.
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// The operation's context.
    pub const fn context(&self) -> &'a Context {
        self.context
    }

    /// The span, if it records.
    pub fn span(&self) -> Option<SpanRef<'a>> {
        self.recording.then(|| self.context.span())
    }

    /// Whether measurements are wanted.
    pub const fn metrics(&self) -> bool {
        self.metrics
    }
}

/// An operation under way. It is finished exactly once: by [`finish`](Self::finish), or by being
/// dropped, which counts as cancelled, or as panicked while the thread unwinds.
#[derive(Debug)]
#[must_use = "an operation that is dropped counts as cancelled"]
pub struct Operation<D: Describe> {
    // Boxed, since futures and bodies that hold an operation are moved about.
    live: Box<Live<D>>,
}

/// All that an operation keeps while it is under way.
#[derive(Debug)]
pub(super) struct Live<D> {
    pub(super) context: Context,
    /// The span that is made at the end.
    pub(super) pending: Option<Box<Pending>>,
    pub(super) started: Moment,
    pub(super) family: Family,
    pub(super) cancellation: Cancellation,
    pub(super) recording: bool,
    pub(super) signals: Signals,
    pub(super) finished: bool,
    pub(super) in_flight: Option<InFlight>,
    pub(super) describe: D,
}

/// A span that is made at the end, if the operation was long enough or failed.
pub(super) struct Pending {
    pub(super) minimum: Duration,
    pub(super) spans: Arc<dyn StartSpan>,
    pub(super) builder: SpanBuilder,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

impl<D: Describe> Operation<D> {
    #[inline]
    pub(super) fn new(live: Live<D>) -> Self {
        Self {
            live: Box::new(live),
        }
    }

    /// The context of the operation, with its span and the baggage that came with it.
    pub const fn context(&self) -> &Context {
        &self.live.context
    }

    /// Whether its span records attributes.
    pub const fn is_recording(&self) -> bool {
        self.live.recording
    }

    /// The signals that are wanted of it.
    pub const fn signals(&self) -> Signals {
        self.live.signals
    }

    /// How long it has been under way.
    pub fn elapsed(&self) -> Duration {
        self.live.started.elapsed()
    }

    /// What is known of it.
    pub const fn describe(&self) -> &D {
        &self.live.describe
    }

    /// What is known of it, to add to.
    pub const fn describe_mut(&mut self) -> &mut D {
        &mut self.live.describe
    }

    /// Sets an attribute of the span, if it records.
    pub fn set_attribute(&self, attribute: KeyValue) {
        if self.live.recording {
            self.live.context.span().set_attribute(attribute);
        }
    }

    /// Makes the operation's context the current one of the thread until the guard is dropped.
    /// A panic meanwhile finishes the operation as panicked.
    #[inline]
    pub fn enter(&mut self) -> Entered<'_, D> {
        Entered {
            attached: Some(self.live.context.clone().attach()),
            outer: active::replace(self.live.family),
            unwinding: std::thread::panicking(),
            operation: self,
        }
    }

    /// Runs a future within the operation: its context is the current one whenever that is polled.
    #[doc(hidden)]
    pub async fn within<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _entered = self.enter();
            future.as_mut().poll(cx)
        })
        .await
    }

    /// Finishes the operation.
    pub fn finish(mut self, outcome: &Outcome) {
        self.live.end(outcome);
    }
}

impl<D: Describe> Live<D> {
    fn end(&mut self, outcome: &Outcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let duration = self.started.elapsed();
        let marked = |name: &'static str| Some(Cow::Owned(ErrorType::from(name)));
        let (error_type, failed) = match (outcome, self.cancellation) {
            (Outcome::Success, _) | (Outcome::Cancelled, Cancellation::Ignore) => (None, false),
            (Outcome::Error(class), _) => (Some(Cow::Borrowed(class)), true),
            (Outcome::Cancelled, Cancellation::Mark) => (marked(D::CANCELLED), false),
            (Outcome::Cancelled, Cancellation::Error) => (marked(D::CANCELLED), true),
            (Outcome::Panicked, _) => (marked(value::PANIC), true),
        };
        if let Some(pending) = self.pending.take()
            && (duration >= pending.minimum || failed)
        {
            self.context = pending.spans.start(pending.builder, &self.context);
            self.recording = self.context.span().is_recording();
        }
        let end = End {
            outcome,
            error_type,
            duration,
            context: &self.context,
            recording: self.recording,
            metrics: self.signals.metrics(),
        };
        self.describe.end(&end);
        if let Some(span) = end.span() {
            if let Some(class) = end.error_type() {
                span.set_attribute(KeyValue::new(attribute::ERROR_TYPE, class.value()));
            }
            if failed {
                span.set_status(Status::error(self.describe.status_description()));
            }
            span.end_with_timestamp(self.started.wall() + duration);
        }
        self.in_flight = None;
    }
}

impl<D: Describe> Drop for Operation<D> {
    fn drop(&mut self) {
        if !self.live.finished {
            let outcome = if std::thread::panicking() {
                Outcome::Panicked
            } else {
                let after = self.live.started.elapsed();
                self.live.describe.dropped(after)
            };
            self.live.end(&outcome);
        }
    }
}

/// Keeps an operation's context current; see [`Operation::enter`].
#[derive(Debug)]
#[must_use = "the context is current only while this lives"]
pub struct Entered<'a, D: Describe> {
    attached: Option<ContextGuard>,
    outer: Family,
    /// Whether the thread unwound already when the operation was entered, from a destructor.
    unwinding: bool,
    operation: &'a mut Operation<D>,
}

impl<D: Describe> Drop for Entered<'_, D> {
    #[inline]
    fn drop(&mut self) {
        active::replace(self.outer);
        self.attached = None;
        let live = &mut *self.operation.live;
        live.describe.left();
        if std::thread::panicking() && !self.unwinding {
            live.end(&Outcome::Panicked);
        }
    }
}
