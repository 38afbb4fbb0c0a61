"""OpenTelemetry as all scripts have it: pika is instrumented, and each span is printed as one line of JSON."""

from opentelemetry import baggage, trace
from opentelemetry.instrumentation.pika import PikaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor


def install():
    exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    PikaInstrumentor().instrument()


def tell(headers):
    """Gives the current span the headers' names and types, and the current baggage, as attributes."""
    span = trace.get_current_span()
    types = (f"{name}:{type(value).__name__}" for name, value in sorted(headers.items()))
    span.set_attribute("headers", ",".join(types))
    for key, value in baggage.get_all().items():
        span.set_attribute(f"baggage.{key}", value)
