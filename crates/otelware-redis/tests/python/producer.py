"""Adds one entry to the stream given, with the context of its span and some baggage."""

import sys

import redis
from opentelemetry import baggage, context, propagate, trace

import telemetry


def main(url, stream):
    tracer = telemetry.tracer()
    context.attach(baggage.set_baggage("caller", "python;ü+"))
    with tracer.start_as_current_span("add order", kind=trace.SpanKind.PRODUCER):
        fields = {"item": "teapot"}
        propagate.inject(fields)
        redis.Redis.from_url(url).xadd(stream, fields)


if __name__ == "__main__":
    main(*sys.argv[1:])
