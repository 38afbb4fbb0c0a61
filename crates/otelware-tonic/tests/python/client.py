"""Calls the service `interop.Interop` at the address given, under OpenTelemetry's instrumentation.

Prints each span as one line of JSON. Fails if an answer is not as expected.
"""

import sys

import grpc
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

SERVICE = "/interop.Interop/"
# gRPC rounds up what it says of this to the server, to 1.01 s, and gives the call up before that.
DEADLINE_SECONDS = 1.001


def expect(found, expected):
    if found != expected:
        sys.exit(f"expected {expected!r}, found {found!r}")


def code_of(call):
    """The status that the call fails with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def main(address):
    exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    GrpcInstrumentorClient().instrument()
    # For all that follows.
    context.attach(baggage.set_baggage("caller", "python;ü+"))

    # The server is on this machine, whatever the environment says of proxies.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        # Without serializers a message is its bytes.
        expect(channel.unary_unary(SERVICE + "Unary")(b"one"), b"one")
        expect(list(channel.unary_stream(SERVICE + "Stream")(b"two")), [b"two"] * 3)
        missing = channel.unary_unary(SERVICE + "Missing")
        expect(code_of(lambda: missing(b"")), grpc.StatusCode.NOT_FOUND)
        endless = channel.unary_unary(SERVICE + "Endless")
        code = code_of(lambda: endless(b"", timeout=DEADLINE_SECONDS))
        # tonic says CANCELLED once a deadline has passed, and may be faster than the timer here.
        if code != grpc.StatusCode.CANCELLED:
            expect(code, grpc.StatusCode.DEADLINE_EXCEEDED)


if __name__ == "__main__":
    main(*sys.argv[1:])
