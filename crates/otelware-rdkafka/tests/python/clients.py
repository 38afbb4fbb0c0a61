"""Clients of confluent-kafka, which is instrumented by the time they are made."""

import time

import confluent_kafka

PATIENCE = 30


def consumer(brokers, topic):
    """Of the topic's first partition, from its beginning."""
    made = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "python", "enable.auto.commit": False})
    made.assign([confluent_kafka.TopicPartition(topic, 0, confluent_kafka.OFFSET_BEGINNING)])
    return made


def receive(made):
    """The next record, in whose processing the caller is from now on."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        record = made.poll(0.5)
        if record is not None:
            if record.error():
                raise confluent_kafka.KafkaException(record.error())
            return record
    raise TimeoutError(f"no record within {PATIENCE} s")


def produce(brokers, topic, value, headers=None):
    """Sends a record to the topic's first partition, and waits until that is done."""
    failures = []
    made = confluent_kafka.Producer({"bootstrap.servers": brokers})
    made.produce(topic, value, partition=0, headers=headers, on_delivery=lambda error, _: failures.append(error))
    left = made.flush(PATIENCE)
    if left or failures != [None]:
        raise RuntimeError(f"{left} left, {failures}")
