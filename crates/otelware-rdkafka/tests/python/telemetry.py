"""OpenTelemetry as all scripts have it: confluent-kafka is instrumented, and each span is printed as one line of JSON."""

from opentelemetry import baggage, context, propagate, trace
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor


def install():
    exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    ConfluentKafkaInstrumentor().instrument()


def take_over_baggage(headers):
    """Makes the baggage of a record current, which the instrumentation leaves to the application.

    The current span, of the record's processing, has it as attributes afterwards, and the names of the headers.
    """
    carrier = {name: value.decode() for name, value in headers if value is not None}
    span = trace.get_current_span()
    span.set_attribute("headers", ",".join(sorted(name for name, _ in headers)))
    for key, value in baggage.get_all(propagate.extract(carrier)).items():
        span.set_attribute(f"baggage.{key}", value)
        context.attach(baggage.set_baggage(key, value))
