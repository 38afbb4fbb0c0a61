"""Publishes messages without spans, whose headers are of all types that pika knows: as the context, and besides it.

The body says whether the context given can be read from the headers.
"""

import datetime
import decimal
import sys

import pika


def values(context):
    readable = [context, context.encode(), [context]]
    other = [
        None,
        True,
        -(2**15),
        2**31,
        -(2**63),
        2**63 - 1,
        decimal.Decimal("12.34"),
        decimal.Decimal("-12.34"),
        datetime.datetime(2038, 1, 19, 3, 14, 8),
        "",
        "é" * 300,
        b"",
        b"\xff\x00",
        [],
        [None, [b"\xff", {"deep": 1}], "text"],
        [context, context],
        {},
        {"traceparent": context, "é": {"list": [1, None]}},
    ]
    return readable, other


def main(url, queue, context):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def publish(body, headers):
        channel.basic_publish("", queue, body, pika.BasicProperties(headers=headers))

    readable, other = values(context)
    for value in readable + other:
        publish(b"read" if value in readable else b"passed over", {"traceparent": value, "mine": value})
        others = ["tracestate", "baggage", "x-death", "x-delivery-count", "é" * 60]
        publish(b"read", {"traceparent": context, **dict.fromkeys(others, value)})
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
