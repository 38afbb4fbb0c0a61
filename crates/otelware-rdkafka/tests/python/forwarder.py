"""Processes one record of a topic, and sends it on to another with the headers that it has."""

import sys

import clients
import telemetry


def main(brokers, topic, other):
    telemetry.install()
    consumer = clients.consumer(brokers, topic)
    record = clients.receive(consumer)
    telemetry.take_over_baggage(record.headers())
    clients.produce(brokers, other, record.value(), record.headers())
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
