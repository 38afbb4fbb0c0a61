//! SQLite.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::poll;
use otelware_sqlx::{Dialect, Driver, Instrument, SqlitePool};
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::{Path, PathBuf};
use support::Database;

fn memory() -> Database {
    Database {
        scope: support::scope(),
        system: "sqlite",
        namespace: Some(":memory:".to_owned()),
        address: None,
        port: None,
        pool: ":memory:".to_owned(),
    }
}

async fn in_memory(pool: SqlitePoolOptions, options: SqlOptions) -> SqlitePool {
    let raw = pool.connect("sqlite::memory:").await.unwrap();
    let orders = "create table orders (id integer primary key, name varchar(40) not null)";
    sqlx::raw_sql(orders).execute(&raw).await.unwrap();
    let rows = "insert into orders values (1, 'pen'), (2, 'ink'), (3, 'cup')";
    sqlx::raw_sql(rows).execute(&raw).await.unwrap();
    raw.instrument_with(options)
}

/// A file that is not there.
async fn nowhere(pool: SqlitePoolOptions, options: SqlOptions) -> (SqlitePool, Database) {
    let file = File::new("nowhere");
    let raw = pool.connect_lazy_with(file.options());
    (raw.instrument_with(options), file.database())
}

support::common::common_tests! {
    driver: Sqlite,
    shop: in_memory,
    lost: nowhere,
    unreachable: Failure::Code("14"),
    database: memory,
    values: ("?", "?"),
    slow: (
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000) \
         select count(*) from n",
        "select select select",
        "with recursive n (i) as (select ? union all select i + ? from n where i < ?) \
         select count(*) from n"
    ),
    unique_violation: "1555",
    syntax_error: "1",
    unknown_table: "1",
}

#[tokio::test]
async fn many_rows_in_one_statement() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut query = sqlx::QueryBuilder::<Sqlite>::new("insert into orders (id, name) ");
    query.push_values([(4, "mug"), (5, "jug")], |mut values, (id, name)| {
        values.push_bind(id).push_bind(name);
    });
    query.build().execute(&pool).await.unwrap();
    let text = "insert into orders (id, name) VALUES (?, ?), (?, ?)";
    all(&telemetry, &pool, taken(1), &[sql("insert orders", text)]).await;
}

#[tokio::test]
async fn a_savepoint_whose_beginning_is_cancelled() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut connection = pool.acquire().await.unwrap();
    for _ in 0..10 {
        let mut outer = connection.begin().await.unwrap();
        let mut beginning = Box::pin(outer.begin());
        // Now and then it is done at once.
        let _ = poll!(&mut beginning);
        drop(beginning);
        // The driver may have rolled back all, as it does to sqlx's own transactions.
        let _ = outer.commit().await;
        telemetry.reset();
        let next = connection.begin().await.unwrap();
        next.rollback().await.unwrap();
        let calls = [step("BEGIN"), step("ROLLBACK")];
        assert_spans(&telemetry, &memory(), &calls);
    }
}

/// A database in a file that no other test has.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("{}.sqlite", support::unique(name));
        let file = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.remove();
        file
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.0)
            .busy_timeout(Duration::ZERO)
    }

    fn database(&self) -> Database {
        let path = self.0.to_str().unwrap();
        Database {
            namespace: Some(path.to_owned()),
            pool: path.to_owned(),
            ..memory()
        }
    }

    async fn open(&self, telemetry: &Capture, options: SqliteConnectOptions) -> SqlitePool {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let raw = pool.connect_with(options).await.unwrap();
        raw.instrument_with(support::options(telemetry))
    }

    async fn create(&self, options: SqliteConnectOptions) {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool
            .connect_with(options.create_if_missing(true))
            .await
            .unwrap();
        sqlx::raw_sql("create table orders (id integer primary key, name text)")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

#[tokio::test]
async fn a_file_that_is_busy() {
    let telemetry = Capture::new();
    let file = File::new("busy");
    file.create(file.options()).await;
    let writer = file.open(&Capture::new(), file.options()).await;
    let pool = file.open(&telemetry, file.options()).await;
    let writing = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query(INSERT)
        .bind(1)
        .bind("pen")
        .execute(&pool)
        .await
        .unwrap_err();
    pool.begin_with("BEGIN IMMEDIATE").await.unwrap_err();
    writing.rollback().await.unwrap();
    sqlx::query(INSERT)
        .bind(1)
        .bind("pen")
        .execute(&pool)
        .await
        .unwrap();
    let calls = [
        insert().fails("5"),
        sql("BEGIN", "BEGIN IMMEDIATE").fails("5"),
        insert(),
    ];
    assert_all(&telemetry, &file.database(), &pool, taken(3), &calls).await;
    writer.close().await;
    pool.close().await;
}

#[tokio::test]
async fn a_snapshot_that_is_out_of_date() {
    let telemetry = Capture::new();
    let file = File::new("snapshot");
    let options = file
        .options()
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    file.create(options.clone()).await;
    let writer = file.open(&Capture::new(), options.clone()).await;
    let pool = file.open(&telemetry, options).await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query(NAMES)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    sqlx::query(INSERT)
        .bind(1)
        .bind("pen")
        .execute(&writer)
        .await
        .unwrap();
    sqlx::query(INSERT)
        .bind(2)
        .bind("ink")
        .execute(&mut *transaction)
        .await
        .unwrap_err();
    transaction.rollback().await.unwrap();
    let calls = [
        step("BEGIN"),
        names().rows(0),
        insert().fails("517"),
        step("ROLLBACK"),
    ];
    assert_all(&telemetry, &file.database(), &pool, taken(1), &calls).await;
    writer.close().await;
    pool.close().await;
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let telemetry = Capture::new();
    let file = File::new("missing");
    let raw = SqlitePoolOptions::new().connect_lazy_with(file.options());
    let pool = raw.instrument_with(options(&telemetry));
    sqlx::query(NAMES).fetch_all(&pool).await.unwrap_err();
    let calls = [names().fails("14")];
    assert_spans(&telemetry, &file.database(), &calls);
    assert_operations(&telemetry, &file.database(), &calls);
}

#[tokio::test]
async fn a_file_that_is_read_only() {
    let telemetry = Capture::new();
    let file = File::new("read_only");
    file.create(file.options()).await;
    let pool = file.open(&telemetry, file.options().read_only(true)).await;
    sqlx::query(INSERT)
        .bind(1)
        .bind("pen")
        .execute(&pool)
        .await
        .unwrap_err();
    let calls = [insert().fails("8")];
    assert_all(&telemetry, &file.database(), &pool, taken(1), &calls).await;
    pool.close().await;
}

#[tokio::test]
async fn codes_are_the_extended_ones() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let table = "create table items (id integer primary key, \
                 code text unique not null check (code <> ''), \
                 parent integer references orders (id))";
    sqlx::raw_sql(table).execute(pool.inner()).await.unwrap();
    sqlx::raw_sql("insert into items values (1, 'a', 1)")
        .execute(pool.inner())
        .await
        .unwrap();
    const ITEM: &str = "insert into items values (?, ?, ?)";
    let mut calls = Vec::new();
    for (id, code, parent, expected) in [
        (1, Some("b"), 1, "1555"),
        (2, Some("a"), 1, "2067"),
        (2, None, 1, "1299"),
        (2, Some(""), 1, "275"),
        (2, Some("b"), 9, "787"),
    ] {
        let query = sqlx::query(ITEM).bind(id).bind(code).bind(parent);
        query.execute(&pool).await.unwrap_err();
        calls.push(sql("insert items", ITEM).fails(expected));
    }
    all(&telemetry, &pool, taken(5), &calls).await;
}

#[tokio::test]
async fn an_error_between_rows() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    // Its last row is an overflow.
    const TEXT: &str = "select abs(case id when 3 then ? else id end) from orders order by id";
    let mut rows = sqlx::query(TEXT).bind(i64::MIN).fetch(&pool);
    rows.try_next().await.unwrap().unwrap();
    rows.try_next().await.unwrap().unwrap();
    rows.try_next().await.unwrap_err();
    assert_eq!(telemetry.open_spans(), 0);
    drop(rows);
    let call = sql("select orders", TEXT).rows(2).fails("1");
    all(&telemetry, &pool, taken(1), &[call]).await;
}

/// Addresses, and the files that they name.
const FILES: [(&str, &str); 5] = [
    ("sqlite::memory:", ":memory:"),
    ("sqlite://orders.db", "orders.db"),
    ("sqlite:data/orders.db", "data/orders.db"),
    ("sqlite://data/orders.db?mode=rwc", "data/orders.db"),
    ("sqlite:///srv/my%20orders.db", "/srv/my orders.db"),
];

#[test]
fn files() {
    for (url, file) in FILES {
        let server = <Sqlite as Driver>::server(&url.parse().unwrap());
        assert_eq!((server.system, server.dialect), ("sqlite", Dialect::Sqlite));
        assert_eq!((server.address, server.port), (None, None));
        assert_eq!(server.namespace.as_deref(), Some(file), "{url}");
    }
    // SQLite makes a file of its own, which has no name.
    let nameless = <Sqlite as Driver>::server(&"sqlite://".parse().unwrap());
    assert_ne!(nameless.namespace.as_deref(), Some(""));
}

#[cfg(feature = "any")]
#[test]
fn files_of_any() {
    let namespace = |url: &str| <sqlx::Any as Driver>::server(&url.parse().unwrap()).namespace;
    let wrong: Vec<_> = FILES
        .into_iter()
        .map(|(url, file)| (url, file, namespace(url)))
        .filter(|(_, file, namespace)| namespace.as_deref() != Some(*file))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn literals_beside_bound_values_are_masked_if_asked_for() {
    for (is_masked, text) in [
        (
            false,
            "select name from orders where id = ? and name <> 'pen'",
        ),
        (true, "select name from orders where id = ? and name <> ?"),
    ] {
        let telemetry = Capture::new();
        let mut options = options(&telemetry);
        if is_masked {
            options = options.with_masked_literals();
        }
        let pool = shop(options).await;
        let query = "select name from orders where id = ? and name <> 'pen'";
        sqlx::query(query).bind(2).fetch_one(&pool).await.unwrap();
        let span = telemetry.span("select orders");
        assert_eq!(span.attributes["db.query.text"], text.into());
    }
}
