"""Processes so many messages of a queue, and sends each on to another queue if that is given."""

import sys

import pika

import telemetry

PATIENCE = 30


def main(url, queue, count, other=None):
    telemetry.install()
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    left = int(count)

    def process(channel, method, properties, body):
        nonlocal left
        telemetry.tell(properties.headers)
        if other is not None:
            channel.basic_publish("", other, body, properties)
        channel.basic_ack(method.delivery_tag)
        left -= 1
        if not left:
            channel.stop_consuming()

    def give_up():
        raise TimeoutError(f"{left} messages did not come within {PATIENCE} s")

    connection.call_later(PATIENCE, give_up)
    channel.basic_consume(queue, process)
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
