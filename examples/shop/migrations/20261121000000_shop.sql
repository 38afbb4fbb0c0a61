-- In the words that SQLite, PostgreSQL, MariaDB and MySQL have in common.
CREATE TABLE orders (
    id       VARCHAR(36) PRIMARY KEY,
    customer VARCHAR(64) NOT NULL,
    total    BIGINT      NOT NULL
);

CREATE TABLE order_lines (
    order_id VARCHAR(36) NOT NULL REFERENCES orders (id),
    number   BIGINT      NOT NULL,
    product  VARCHAR(64) NOT NULL,
    quantity BIGINT      NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Events that Kafka does not have yet, each with the context of its order.
CREATE TABLE outbox (
    order_id VARCHAR(36) PRIMARY KEY,
    event    TEXT        NOT NULL,
    context  TEXT        NOT NULL,
    created  BIGINT      NOT NULL
);
