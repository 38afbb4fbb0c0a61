CREATE TABLE items (
    name  TEXT PRIMARY KEY,
    stock INTEGER NOT NULL
);

CREATE TABLE orders (
    id       INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    item     TEXT NOT NULL REFERENCES items (name),
    quantity INTEGER NOT NULL
);

INSERT INTO items VALUES ('teapot', 3), ('samovar', 1);
