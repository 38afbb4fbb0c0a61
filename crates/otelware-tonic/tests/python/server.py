"""Serves `interop.Interop` on loopback, under OpenTelemetry's instrumentation, until its input ends.

Prints its port as the first line, then each span as one line of JSON. A span has the baggage of its call as attributes.
"""

import sys
import threading
from concurrent import futures

import grpc
from opentelemetry import baggage, trace
from opentelemetry.instrumentation.grpc import GrpcInstrumentorServer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor


def show_baggage():
    for key, value in baggage.get_all().items():
        trace.get_current_span().set_attribute(f"baggage.{key}", value)


def unary(request, call):
    show_baggage()
    return request


def stream(request, call):
    show_baggage()
    yield from [request] * 3


def missing(request, call):
    show_baggage()
    call.abort(grpc.StatusCode.NOT_FOUND, "there is nothing here")


def endless(request, call):
    """Lasts until the call is over, by its deadline or because the caller gave it up."""
    show_baggage()
    over = threading.Event()
    if call.add_callback(over.set):
        over.wait()
    return request


def main():
    exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    GrpcInstrumentorServer().instrument()

    # Without serializers a message is its bytes.
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
        "Missing": grpc.unary_unary_rpc_method_handler(missing),
        "Endless": grpc.unary_unary_rpc_method_handler(endless),
    }
    server = grpc.server(futures.ThreadPoolExecutor())
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("interop.Interop", methods)])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    # Lets the calls that are still under way come to their end.
    server.stop(grace=None).wait()


if __name__ == "__main__":
    main()
