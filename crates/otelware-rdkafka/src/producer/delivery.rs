//! The life of a sent message: from the call to its delivery report.

use crate::error;
use crate::headers::{HeaderExtractor, HeaderInjector};
use crate::partition;
use crate::telemetry::{self, Telemetry};
use otelware::messaging::{Call, Destination, Envelope, Verb};
use otelware::opentelemetry::propagation::Extractor;
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Operation, Outcome, bounded, enter_user_code};
use otelware::semconv::attribute;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message, OwnedHeaders, ToBytes};
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;

const SEND: Verb = Verb::send("send");

/// What goes with a message to its delivery report: its operation, and the user's opaque.
#[derive(Debug)]
pub struct Sending<U> {
    state: State,
    user: U,
}

#[derive(Debug)]
enum State {
    Observed(Operation<Call>),
    /// Nobody wants to know of it; this is the context that it was sent in.
    Idle(Context),
}

/// What a thread has as long as contexts can be current on it.
struct Living;

impl Drop for Living {
    fn drop(&mut self) {}
}

thread_local! {
    static LIVING: Living = {
        // What a thread has is dropped in reverse, and so this before the current context.
        Context::map_current(|_| ());
        Living
    };
}

/// Has this thread know when contexts can no longer be current on it. Where a producer may come to be
/// kept by the thread, this must come first: what a thread has is dropped in reverse.
pub(super) fn begin_living() {
    let _ends_later = LIVING.try_with(|_| ());
}

/// Whether contexts can be current on this thread. When it ends, they can't; a producer that a
/// thread-local keeps gets its last reports then.
fn can_enter() -> bool {
    LIVING.try_with(|_| ()).is_ok()
}

/// A record as rdkafka gets it.
pub(super) type SendingRecord<'a, K, P, U> = BaseRecord<'a, K, P, Box<Sending<U>>>;

/// The record with another opaque.
fn with_opaque<'a, K, P, D, E>(
    record: BaseRecord<'a, K, P, D>,
    opaque: impl FnOnce(D) -> E,
) -> BaseRecord<'a, K, P, E>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
    E: IntoOpaque,
{
    BaseRecord {
        topic: record.topic,
        partition: record.partition,
        payload: record.payload,
        key: record.key,
        timestamp: record.timestamp,
        headers: record.headers,
        delivery_opaque: opaque(record.delivery_opaque),
    }
}

/// The key of a message as an attribute, where it is text.
pub(crate) fn key_attribute(key: Option<&[u8]>) -> Option<KeyValue> {
    let key = std::str::from_utf8(key?).ok()?;
    Some(KeyValue::new(
        attribute::KAFKA_MESSAGE_KEY,
        bounded(key).to_owned(),
    ))
}

/// Begins to send a record. `user` makes of its opaque what goes with it to its report.
pub(super) fn begin<'a, K, P, D, U>(
    telemetry: &Telemetry,
    mut record: BaseRecord<'a, K, P, D>,
    user: impl FnOnce(D) -> U,
) -> SendingRecord<'a, K, P, U>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
    U: Send + Sync,
{
    // From here on it is known when this thread ends.
    begin_living();
    if telemetry.client().is_idle() {
        return begin_idle(telemetry, record, user);
    }
    let mut headers = record.headers.take();
    let payload = record.payload.map(ToBytes::to_bytes);
    let partition = record.partition.and_then(partition::label);
    let extractor = (headers.as_ref()).map(|headers| HeaderExtractor(headers.as_borrowed()));
    let envelope = Envelope {
        destination: Destination::named(record.topic),
        headers: extractor.as_ref().map(|headers| headers as &dyn Extractor),
        body_size: payload.map_or(0, <[u8]>::len),
    };
    let client = telemetry.client();
    let mut operation = client.send(SEND, &envelope, |list| {
        if let Some(partition) = &partition {
            list.push(KeyValue::new(
                attribute::MESSAGING_DESTINATION_PARTITION_ID,
                partition.value(),
            ));
        }
        if payload.is_none() {
            list.push(KeyValue::new(attribute::KAFKA_MESSAGE_TOMBSTONE, true));
        }
        if telemetry.options().keys {
            list.extend(key_attribute(record.key.map(ToBytes::to_bytes)));
        }
        list.extend(telemetry.cluster());
    });
    if let Some(partition) = partition {
        operation.describe_mut().set_shown_partition(partition);
    }
    client.inject(&operation, &mut HeaderInjector(&mut headers));
    record.headers = headers;
    with_opaque(record, |opaque| {
        let user = user(opaque);
        let state = State::Observed(operation);
        Box::new(Sending { state, user })
    })
}

/// The same where nobody wants to know of it: the current context goes with the record.
fn begin_idle<'a, K, P, D, U>(
    telemetry: &Telemetry,
    mut record: BaseRecord<'a, K, P, D>,
    user: impl FnOnce(D) -> U,
) -> SendingRecord<'a, K, P, U>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
    U: Send + Sync,
{
    let (client, context) = (telemetry.client(), Context::current());
    let keeps = |headers: &OwnedHeaders| {
        let extractor = HeaderExtractor(headers.as_borrowed());
        client.keeps_context(&extractor)
    };
    if !record.headers.as_ref().is_some_and(keeps) {
        client.pass_on(&context, &mut HeaderInjector(&mut record.headers));
    }
    with_opaque(record, |opaque| {
        let user = user(opaque);
        let state = State::Idle(context);
        Box::new(Sending { state, user })
    })
}

/// Ends the operation of a record that was not taken, and gives the record back. It keeps the
/// context that was written into it: when it is sent again, that is linked to this attempt.
pub(super) fn refused<'a, K, P, D, U>(
    error: &KafkaError,
    record: SendingRecord<'a, K, P, U>,
    opaque: impl FnOnce(U) -> D,
) -> BaseRecord<'a, K, P, D>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
    U: Send + Sync,
{
    with_opaque(record, |sending| {
        let Sending { state, user } = *sending;
        if let State::Observed(operation) = state {
            telemetry::fail(operation, error);
        }
        opaque(user)
    })
}

impl<U> Sending<U> {
    /// Ends the operation with its delivery report, and runs what the user has for that within the
    /// operation's context.
    pub(super) fn delivered<T>(
        self,
        telemetry: &Telemetry,
        result: &DeliveryResult<'_>,
        tell: impl FnOnce(U) -> T,
    ) -> T {
        let Self { state, user } = self;
        let context = match state {
            State::Observed(operation) => {
                let context = operation.context().clone();
                report(operation, telemetry, result);
                context
            }
            State::Idle(context) => context,
        };
        let _entered = can_enter().then(|| enter_user_code(context));
        tell(user)
    }
}

/// Ends the operation of a record with its delivery report.
fn report(mut operation: Operation<Call>, telemetry: &Telemetry, result: &DeliveryResult<'_>) {
    let message = match result {
        Ok(message) | Err((_, message)) => message,
    };
    if let Some(partition) = partition::label(message.partition()) {
        operation.describe_mut().set_partition(partition);
    }
    match result {
        Ok(message) => {
            telemetry.touched();
            // Without acknowledgements there is none.
            if message.offset() >= 0 && operation.is_recording() {
                operation.set_attribute(KeyValue::new(attribute::KAFKA_OFFSET, message.offset()));
            }
            operation.finish(&Outcome::Success);
        }
        Err((error, _)) if can_enter() => telemetry::fail(operation, error),
        // What the logger's provider keeps of the error would need a context that can be current.
        Err((error, _)) => operation.finish(&Outcome::Error(error::class(error))),
    }
}
