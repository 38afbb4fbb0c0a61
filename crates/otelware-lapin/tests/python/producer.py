"""Publishes one message to the queue given, with some baggage."""

import sys

import pika
from opentelemetry import baggage, context

import telemetry


def main(url, queue):
    telemetry.install()
    context.attach(baggage.set_baggage("caller", "python;ü+"))
    connection = pika.BlockingConnection(pika.URLParameters(url))
    properties = pika.BasicProperties(headers={"mine": [1, b"\xff"]}, message_id="teapot-1")
    connection.channel().basic_publish("", queue, b"teapot", properties)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
