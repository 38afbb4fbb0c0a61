"""Processes one record of the topic given."""

import sys

import clients
import telemetry


def main(brokers, topic):
    telemetry.install()
    consumer = clients.consumer(brokers, topic)
    telemetry.take_over_baggage(clients.receive(consumer).headers())
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
