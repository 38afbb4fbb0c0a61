"""Sends one record to the topic given, with some baggage."""

import sys

from opentelemetry import baggage, context

import clients
import telemetry


def main(brokers, topic):
    telemetry.install()
    context.attach(baggage.set_baggage("caller", "python;ü+"))
    clients.produce(brokers, topic, b"teapot", [("mine", b"1")])


if __name__ == "__main__":
    main(*sys.argv[1:])
