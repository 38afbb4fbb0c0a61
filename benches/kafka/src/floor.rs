//! The floor: what the conventions want, written by hand on the SDK for this one program. Every attribute is a constant and
//! every measurement is bound beforehand; nothing is an option, and neither errors, cancellation nor panics are told.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::metrics::{BoundCounter, BoundHistogram, MeterProvider};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use otelware::propagation::CompositePropagator;
use otelware_rdkafka::{HeaderExtractor, HeaderInjector};
use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::{BaseRecord, ProducerContext};

use crate::rows::TOPIC;

pub(crate) struct Floor {
    tracer: SdkTracer,
    /// Whether its spans record.
    records: bool,
    propagator: CompositePropagator,
    send_attributes: Vec<KeyValue>,
    process_attributes: Vec<KeyValue>,
    processing: BoundHistogram<f64>,
    consumed: BoundCounter<u64>,
    ends: Ends,
}

/// Ends the spans of messages that were delivered.
#[derive(Clone)]
pub(crate) struct Ends(Arc<(BoundHistogram<f64>, BoundCounter<u64>)>);

/// What goes with a message to its delivery report.
pub(crate) struct Sending {
    context: Context,
    instant: Instant,
    time: SystemTime,
}

fn attributes(operation: &'static str, class: &'static str) -> Vec<KeyValue> {
    let list = [
        ("messaging.system.name", "kafka"),
        ("messaging.operation.name", operation),
        ("messaging.operation.type", class),
        ("messaging.destination.name", TOPIC),
        ("server.address", "127.0.0.1"),
        ("messaging.client.id", "rdkafka"),
        ("messaging.destination.partition.id", "0"),
    ];
    let mut list: Vec<_> = list.map(|(key, value)| KeyValue::new(key, value)).into();
    list.push(KeyValue::new("server.port", 9_092));
    if class == "process" {
        list.push(KeyValue::new("messaging.consumer.group.name", "billing"));
    }
    list
}

impl Floor {
    pub(crate) fn new(
        records: bool,
        tracers: &SdkTracerProvider,
        meters: &SdkMeterProvider,
    ) -> Self {
        let meter = meters.meter("floor");
        let durations = |name| meter.f64_histogram(name).with_unit("s").build();
        let messages = |name| meter.u64_counter(name).build();
        let (sending, processing) = (attributes("send", "send"), attributes("process", "process"));
        let ends = (
            durations("messaging.client.operation.duration").bind(&sending),
            messages("messaging.client.sent.messages").bind(&sending),
        );
        Self {
            tracer: tracers.tracer("floor"),
            records,
            propagator: CompositePropagator::default(),
            processing: durations("messaging.process.duration").bind(&processing),
            consumed: messages("messaging.client.consumed.messages").bind(&processing),
            send_attributes: sending,
            process_attributes: processing,
            ends: Ends(Arc::new(ends)),
        }
    }

    pub(crate) fn ends(&self) -> Ends {
        self.ends.clone()
    }

    fn start(
        &self,
        name: &'static str,
        kind: SpanKind,
        link: Option<SpanContext>,
        parent: &Context,
        list: &[KeyValue],
        offset: Option<i64>,
    ) -> Sending {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let mut builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(time);
        // Where spans are dropped, attributes and links would be made for nothing.
        if self.records {
            let mut attributes = Vec::with_capacity(12);
            attributes.extend_from_slice(list);
            attributes.extend(offset.map(|offset| KeyValue::new("messaging.kafka.offset", offset)));
            builder = builder
                .with_attributes(attributes)
                .with_links(link.into_iter().map(Link::with_context).collect());
        }
        let span = self.tracer.build_with_context(builder, parent);
        let context = parent.with_span(span);
        Sending {
            context,
            instant,
            time,
        }
    }

    pub(crate) fn begin<'a>(
        &self,
        record: BaseRecord<'a, str, [u8]>,
    ) -> BaseRecord<'a, str, [u8], Box<Sending>> {
        let list = &self.send_attributes;
        let parent = Context::current();
        let sending = self.start("send orders", SpanKind::Producer, None, &parent, list, None);
        let mut headers = record.headers;
        let mut carrier = HeaderInjector(&mut headers);
        self.propagator
            .inject_context(&sending.context, &mut carrier);
        BaseRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.payload,
            key: record.key,
            timestamp: record.timestamp,
            headers,
            delivery_opaque: Box::new(sending),
        }
    }

    pub(crate) fn process(&self, message: &BorrowedMessage<'_>, run: impl FnOnce()) {
        self.consumed.add(1);
        let current = Context::current();
        let parent = match message.headers() {
            Some(headers) => {
                let carrier = HeaderExtractor(headers);
                self.propagator.extract_with_context(&current, &carrier)
            }
            None => current,
        };
        let link = (self.records).then(|| parent.span().span_context().clone());
        let (list, offset) = (&self.process_attributes, Some(message.offset()));
        let processing = self.start(
            "process orders",
            SpanKind::Consumer,
            link,
            &parent,
            list,
            offset,
        );
        let attached = processing.context.clone().attach();
        run();
        drop(attached);
        let took = processing.end();
        self.processing.record(took.as_secs_f64());
    }
}

impl Sending {
    fn end(self) -> Duration {
        let took = self.instant.elapsed();
        self.context.span().end_with_timestamp(self.time + took);
        took
    }
}

impl ClientContext for Ends {}

impl ProducerContext for Ends {
    type DeliveryOpaque = Box<Sending>;

    fn delivery(&self, result: &DeliveryResult<'_>, sending: Box<Sending>) {
        if let Ok(message) = result
            && sending.context.span().is_recording()
        {
            let offset = KeyValue::new("messaging.kafka.offset", message.offset());
            sending.context.span().set_attribute(offset);
        }
        let took = sending.end();
        let (durations, sent) = &*self.0;
        durations.record(took.as_secs_f64());
        sent.add(1);
    }
}
