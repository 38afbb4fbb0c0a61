"""Processes the entries of the stream given, each in a span that is linked to what added it.

A span has the entry's baggage, and the names of its fields, as attributes.
"""

import sys

import redis
from opentelemetry import baggage, propagate, trace

import telemetry


def main(url, stream):
    tracer = telemetry.tracer()
    client = redis.Redis.from_url(url, decode_responses=True)
    for _, fields in client.xrange(stream):
        remote = propagate.extract(fields)
        link = trace.Link(trace.get_current_span(remote).get_span_context())
        with tracer.start_as_current_span(
            "process order", context=remote, kind=trace.SpanKind.CONSUMER, links=[link]
        ) as span:
            span.set_attribute("fields", ",".join(sorted(fields)))
            for key, value in baggage.get_all(remote).items():
                span.set_attribute(f"baggage.{key}", value)


if __name__ == "__main__":
    main(*sys.argv[1:])
