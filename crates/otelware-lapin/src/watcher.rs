//! What is observed of all connections and channels whenever metrics are collected: no task is
//! needed for it that might outlive them.

use crate::core::Core;
use crate::state::ChannelState;
use lapin::ConnectionStatus;
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::metrics::AsyncInstrument;
use otelware::opentelemetry::trace::{SpanContext, TraceContextExt};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Exception, Label};
use otelware::semconv::{attribute, event, metric, unit};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// No more deliveries of a channel are reported at once, though all are counted.
const MOST_EVENTS: usize = 32;

/// `exception.type` of a delivery that is overdue.
const OVERDUE: &str = "ack_timeout";

/// No more servers, and no more queues, are remembered once there is nothing to tell of them.
const MOST_REMEMBERED: usize = 1_024;

/// Observes connections and channels, and keeps none of them alive. The meter provider keeps it, to
/// tell that there are none any more.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    watched: Mutex<Watched>,
    observed: OnceLock<()>,
}

/// The connections in each of the [`STATES`].
type States = [i64; 3];
const STATES: [&str; 3] = ["connected", "blocked", "reconnecting"];

/// Attributes in the order they were told in, as text.
type Key = Vec<String>;

#[derive(Debug, Default)]
struct Watched {
    connections: Vec<(Weak<Core>, ConnectionStatus)>,
    channels: Vec<Weak<ChannelState>>,
    /// What was observed before. The SDK goes on to tell it unless it is observed to be none.
    servers: HashMap<Key, Vec<KeyValue>>,
    queues: HashMap<Key, Vec<KeyValue>>,
}

impl Watched {
    /// Leaves out what is no more.
    fn prune(&mut self) {
        self.connections.retain(|(core, _)| core.strong_count() > 0);
        self.channels.retain(|channel| channel.strong_count() > 0);
    }
}

/// What is observed now by these attributes, and nothing by those that were there before.
fn with_remembered<T: Copy>(
    remembered: &mut HashMap<Key, Vec<KeyValue>>,
    now: Vec<(Vec<KeyValue>, T)>,
    combine: impl Fn(T, T) -> T,
    none: T,
) -> Vec<(Vec<KeyValue>, T)> {
    let mut all: HashMap<Key, (Vec<KeyValue>, T)> = (remembered.iter())
        .map(|(key, attributes)| (key.clone(), (attributes.clone(), none)))
        .collect();
    for (attributes, value) in now {
        let key: Key = (attributes.iter())
            .map(|attribute| attribute.value.to_string())
            .collect();
        if remembered.len() < MOST_REMEMBERED && !remembered.contains_key(&key) {
            remembered.insert(key.clone(), attributes.clone());
        }
        let (_, known) = all.entry(key).or_insert((attributes, none));
        *known = combine(*known, value);
    }
    all.into_values().collect()
}

impl Watcher {
    /// The one of all connections that are measured by the global provider.
    pub(crate) fn global() -> Arc<Self> {
        static GLOBAL: OnceLock<Arc<Watcher>> = OnceLock::new();
        GLOBAL.get_or_init(Arc::default).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Observes a connection from now on.
    pub(crate) fn add_connection(self: &Arc<Self>, core: &Arc<Core>, status: ConnectionStatus) {
        let mut watched = self.lock();
        watched.prune();
        watched.connections.push((Arc::downgrade(core), status));
        drop(watched);
        self.observe(core);
    }

    /// Observes a channel from now on.
    pub(crate) fn add_channel(self: &Arc<Self>, channel: &Arc<ChannelState>) {
        let mut watched = self.lock();
        watched.prune();
        watched.channels.push(Arc::downgrade(channel));
        drop(watched);
        self.observe(&channel.core);
    }

    /// Observes, if that is for anybody yet.
    pub(crate) fn observe(self: &Arc<Self>, core: &Core) {
        if self.observed.get().is_some() {
            return;
        }
        let instrumentation = core.watching();
        if !instrumentation.is_measured() {
            return;
        }
        self.observed.get_or_init(|| {
            let meter = instrumentation.meter();
            let watcher = self.clone();
            meter
                .i64_observable_gauge(metric::RABBITMQ_CONNECTIONS)
                .with_unit(unit::CONNECTIONS)
                .with_description("Connections by their state.")
                .with_callback(move |instrument| watcher.observe_connections(instrument))
                .build();
            let watcher = self.clone();
            meter
                .f64_observable_gauge(metric::RABBITMQ_UNACKNOWLEDGED_AGE)
                .with_unit(unit::SECONDS)
                .with_description("Age of the oldest delivery that is not settled.")
                .with_callback(move |instrument| watcher.observe_deliveries(instrument))
                .build();
        });
    }

    fn observe_connections(&self, instrument: &dyn AsyncInstrument<i64>) {
        let mut watched = self.lock();
        watched.prune();
        let now: Vec<_> = (watched.connections.iter())
            .filter_map(|(core, status)| Some((core.upgrade()?.server.clone(), states(status))))
            .collect();
        let sum = |some: States, more: States| [0, 1, 2].map(|state| some[state] + more[state]);
        let all = with_remembered(&mut watched.servers, now, sum, [0; 3]);
        drop(watched);
        for (mut attributes, states) in all {
            for (state, count) in STATES.into_iter().zip(states) {
                attributes.push(KeyValue::new(attribute::RABBITMQ_CONNECTION_STATE, state));
                instrument.observe(count, &attributes);
                attributes.pop();
            }
        }
    }

    fn observe_deliveries(&self, instrument: &dyn AsyncInstrument<f64>) {
        let channels: Vec<_> = (self.lock().channels.iter())
            .filter_map(Weak::upgrade)
            .collect();
        let now: Vec<_> = channels
            .iter()
            .flat_map(|channel| {
                let ages = look_at(channel).into_iter();
                ages.map(|(queue, age)| (channel.core.queue_attributes(queue.as_ref()), age))
            })
            .collect();
        let all = with_remembered(&mut self.lock().queues, now, Duration::max, Duration::ZERO);
        for (attributes, age) in all {
            instrument.observe(age.as_secs_f64(), &attributes);
        }
    }
}

/// The state of a connection, if it is one of those that are told.
fn states(status: &ConnectionStatus) -> States {
    match (status.connected(), status.blocked()) {
        (true, false) => [1, 0, 0],
        (true, true) => [0, 1, 0],
        // It was connected before: what connects now does so again.
        (false, _) if status.reconnecting() || status.connecting() => [0, 0, 1],
        (false, _) => [0, 0, 0],
    }
}

/// The age of the oldest delivery of each queue. Reports those that are overdue.
fn look_at(channel: &ChannelState) -> Vec<(Option<Label>, Duration)> {
    let timeout = channel.core.settings.ack_timeout;
    let mut ages: Vec<(Option<Label>, Duration)> = Vec::new();
    let mut overdue: Vec<(Option<Label>, Option<SpanContext>)> = Vec::new();
    channel.unacknowledged.for_each(|_, entry| {
        let age = entry.since.elapsed();
        match ages.iter_mut().find(|(queue, _)| *queue == entry.queue) {
            Some((_, oldest)) => *oldest = age.max(*oldest),
            None => ages.push((entry.queue.clone(), age)),
        }
        if timeout.is_some_and(|timeout| age > timeout) && !entry.is_reported {
            entry.is_reported = true;
            overdue.push((entry.queue.clone(), entry.span.clone()));
        }
    });
    for (at, (queue, span)) in overdue.into_iter().enumerate() {
        channel.core.overdue(queue.as_ref(), 1);
        if at < MOST_EVENTS {
            report(&channel.core, span);
        }
    }
    ages
}

/// Tells of a delivery that is overdue, in the trace of its processing where it has one.
fn report(core: &Core, span: Option<SpanContext>) {
    let context = match span {
        Some(span) => Context::new().with_remote_span_context(span),
        None => Context::new(),
    };
    let exception = Exception {
        name: event::RABBITMQ_DELIVERY_OVERDUE,
        severity: Severity::Warn,
    };
    // The SDK suppresses telemetry while it collects, lest that observes itself. This does not.
    let _attached = context.clone().attach();
    let instrumentation = core.instrumentation();
    instrumentation.exception(exception, &context, &OVERDUE.into(), &"");
}
