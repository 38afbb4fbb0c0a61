//! MySQL's driver, with a server of MariaDB.
#![cfg(feature = "mysql")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::poll;
use otelware_sqlx::{Dialect, Driver, Instrument, MySqlConnection, MySqlPool};
use sqlx::MySql;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use support::proxy::Proxy;
use support::{Database, finally, unique};

fn server() -> MySqlConnectOptions {
    MySqlConnectOptions::new()
        .host("127.0.0.1")
        .username("otelware")
        .password("otelware")
        .database("otelware")
}

fn database() -> Database {
    Database {
        scope: support::scope(),
        system: "mysql",
        namespace: Some("otelware".to_owned()),
        address: Some("127.0.0.1".to_owned()),
        port: None,
        pool: "127.0.0.1:3306/otelware".to_owned(),
    }
}

const ORDERS: &str =
    "create temporary table orders (id integer primary key, name varchar(40) not null)";
const ROWS: &str = "insert into orders values (1, 'pen'), (2, 'ink'), (3, 'cup')";

async fn on_loopback(pool: MySqlPoolOptions, options: SqlOptions) -> MySqlPool {
    let raw = pool.connect_with(server()).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{ORDERS}; {ROWS}")))
        .execute(&raw)
        .await
        .unwrap();
    raw.instrument_with(options)
}

/// A database of a server that is not there.
fn elsewhere(port: u16) -> Database {
    Database {
        port: Some(port),
        pool: format!("127.0.0.1:{port}/otelware"),
        ..database()
    }
}

async fn nowhere(pool: MySqlPoolOptions, options: SqlOptions) -> (MySqlPool, Database) {
    let port = support::closed_port().await;
    let raw = pool.connect_lazy_with(server().port(port));
    (raw.instrument_with(options), elsewhere(port))
}

support::common::common_tests! {
    driver: MySql,
    shop: on_loopback,
    lost: nowhere,
    // The pool tries again until it gives up.
    unreachable: Failure::Class("pool_timed_out"),
    database: database,
    values: ("?", "?"),
    slow: ("select sleep(0.2)", "select", "select sleep(?)"),
    unique_violation: "1062",
    syntax_error: "1064",
    unknown_table: "1146",
}

#[tokio::test]
async fn many_rows_in_one_statement() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut query = sqlx::QueryBuilder::<MySql>::new("insert into orders (id, name) ");
    query.push_values([(4, "mug"), (5, "jug")], |mut values, (id, name)| {
        values.push_bind(id).push_bind(name);
    });
    query.build().execute(&pool).await.unwrap();
    let text = "insert into orders (id, name) VALUES (?, ?), (?, ?)";
    all(&telemetry, &pool, taken(1), &[sql("insert orders", text)]).await;
}

/// A pool of several connections.
async fn several(telemetry: &Capture, connections: u32) -> MySqlPool {
    let pool = MySqlPoolOptions::new().max_connections(connections);
    let raw = pool.connect_with(server()).await.unwrap();
    raw.instrument_with(options(telemetry))
}

/// Runs a test with a table of two rows, which is not temporary.
async fn with_table<F: Future<Output = ()> + Send + 'static>(
    name: &str,
    test: impl FnOnce(String) -> F,
) {
    let raw = MySqlPoolOptions::new()
        .max_connections(1)
        .connect_with(server())
        .await
        .unwrap();
    let table = unique(name);
    let run = async |text: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(text))
            .execute(&raw)
            .await
            .unwrap();
    };
    run(format!(
        "create table {table} (id integer primary key, name varchar(40)); \
         insert into {table} values (1, 'pen'), (2, 'ink')"
    ))
    .await;
    finally(test(table.clone()), run(format!("drop table {table}"))).await;
}

/// Changes a row of such a table.
async fn change(
    transaction: &mut Transaction<'_, MySql>,
    table: &str,
    id: i32,
) -> Result<(), Error> {
    let text = format!("update {table} set name = ? where id = ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind("sold").bind(id);
    query.execute(&mut **transaction).await.map(|_| ())
}

fn changed(table: &str) -> Call {
    sql(
        format!("update {table}"),
        format!("update {table} set name = ? where id = ?"),
    )
}

#[tokio::test]
async fn a_deadlock() {
    with_table("deadlock", |table| async move {
        let telemetry = Capture::new();
        let pool = several(&telemetry, 2).await;
        let mut first = pool.begin().await.unwrap();
        let mut second = pool.begin().await.unwrap();
        change(&mut first, &table, 1).await.unwrap();
        change(&mut second, &table, 2).await.unwrap();
        let results = tokio::join!(
            change(&mut first, &table, 2),
            change(&mut second, &table, 1),
        );
        assert_ne!(results.0.is_ok(), results.1.is_ok());
        first.rollback().await.unwrap();
        second.rollback().await.unwrap();
        let ended = |result: Result<(), Error>| match result {
            Ok(()) => changed(&table),
            Err(_) => changed(&table).fails("1213"),
        };
        let calls = [
            step("BEGIN"),
            step("BEGIN"),
            changed(&table),
            changed(&table),
            ended(results.0),
            ended(results.1),
            step("ROLLBACK"),
            step("ROLLBACK"),
        ];
        all(&telemetry, &pool, taken(2), &calls).await;
    })
    .await;
}

#[tokio::test]
async fn a_lock_that_is_waited_for_too_long() {
    with_table("lock_timeout", |table| async move {
        let telemetry = Capture::new();
        let pool = several(&telemetry, 2).await;
        let mut first = pool.begin().await.unwrap();
        let mut second = pool.begin().await.unwrap();
        change(&mut first, &table, 1).await.unwrap();
        let timeout = "set session innodb_lock_wait_timeout = 1";
        sqlx::query(timeout)
            .execute(second.raw_mut())
            .await
            .unwrap();
        change(&mut second, &table, 1).await.unwrap_err();
        second.rollback().await.unwrap();
        first.commit().await.unwrap();
        let calls = [
            step("BEGIN"),
            step("BEGIN"),
            changed(&table),
            changed(&table).fails("1205"),
            step("ROLLBACK"),
            step("COMMIT"),
        ];
        all(&telemetry, &pool, taken(2), &calls).await;
    })
    .await;
}

const SLEEP: &str = "select sleep(?)";

fn sleep() -> Call {
    sql("select", SLEEP)
}

#[tokio::test]
async fn a_statement_that_takes_too_long() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut connection = pool.acquire().await.unwrap();
    let timeout = "set session max_statement_time = 0.02";
    sqlx::query(timeout)
        .execute(connection.raw_mut())
        .await
        .unwrap();
    sqlx::query(SLEEP)
        .bind(60)
        .execute(&mut *connection)
        .await
        .unwrap_err();
    drop(connection);
    all(&telemetry, &pool, taken(1), &[sleep().fails("1969")]).await;
}

/// The server's number of a connection.
async fn id(connection: &mut MySqlConnection) -> u64 {
    let query = sqlx::query_scalar("select connection_id()");
    query.fetch_one(connection.raw_mut()).await.unwrap()
}

/// Waits until a connection is at the query that sleeps; gives another.
async fn when_asleep(id: u64) -> sqlx::MySqlPool {
    let other = MySqlPoolOptions::new()
        .max_connections(1)
        .connect_with(server())
        .await
        .unwrap();
    let text =
        "select id from information_schema.processlist where id = ? and state = 'User sleep'";
    let ask = || sqlx::query(text).bind(id).fetch_optional(&other);
    while ask().await.unwrap().is_none() {}
    other
}

/// Ends a connection, or what it does, when it is at the query that sleeps.
async fn kill(what: &str, id: u64) {
    let other = when_asleep(id).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{what} {id}")))
        .execute(&other)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_ends_the_connection_or_the_query() {
    let one = sql("select", "select ?");
    for (what, calls) in [
        (
            "kill query",
            [
                sleep().fails("1317"),
                one.clone().rows(1),
                one.clone().rows(1),
            ],
        ),
        (
            "kill",
            [
                sleep().fails_here("unexpected_eof"),
                one.clone().fails_here("unexpected_eof"),
                one.rows(1),
            ],
        ),
    ] {
        let telemetry = Capture::new();
        let pool = shop(options(&telemetry)).await;
        let mut connection = pool.acquire().await.unwrap();
        let id = id(&mut connection).await;
        let query = sqlx::query(SLEEP).bind(60).execute(&mut *connection);
        let (result, ()) = tokio::join!(query, kill(what, id));
        result.unwrap_err();
        let _ = sqlx::query("select 1").execute(&mut *connection).await;
        drop(connection);
        // Where it is gone, another takes its place.
        sqlx::query("select 1").execute(&pool).await.unwrap();
        all(&telemetry, &pool, taken(2), &calls).await;
    }
}

/// A pool of one connection that goes through a proxy, and what is told of it.
async fn through(proxy: &Proxy, telemetry: &Capture) -> (MySqlPool, Database) {
    let pool = MySqlPoolOptions::new().max_connections(1);
    let raw = pool.connect_with(server().port(proxy.port)).await.unwrap();
    (
        raw.instrument_with(options(telemetry)),
        elsewhere(proxy.port),
    )
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let telemetry = Capture::new();
    let proxy = Proxy::to(3_306).await;
    let (pool, database) = through(&proxy, &telemetry).await;
    let mut connection = pool.acquire().await.unwrap();
    let id = id(&mut connection).await;
    let query = sqlx::query(SLEEP).bind(0.5).execute(&mut *connection);
    let cut = async {
        when_asleep(id).await;
        proxy.cut();
    };
    let (result, ()) = tokio::join!(query, cut);
    result.unwrap_err();
    drop(connection);
    let calls = [sleep().fails_here("unexpected_eof")];
    assert_all(&telemetry, &database, &pool, taken(1), &calls).await;
}

#[tokio::test]
async fn a_savepoint_whose_beginning_is_cancelled() {
    let telemetry = Capture::new();
    let proxy = Proxy::to(3_306).await;
    let (pool, database) = through(&proxy, &telemetry).await;
    let mut connection = pool.acquire().await.unwrap();
    let mut outer = connection.begin().await.unwrap();
    let mut beginning = Box::pin(outer.begin());
    // What goes through the proxy needs the thread that this runs on.
    assert!(poll!(&mut beginning).is_pending());
    drop(beginning);
    // The driver may have rolled back all, as it does to sqlx's own transactions.
    let _ = outer.commit().await;
    telemetry.reset();
    let next = connection.begin().await.unwrap();
    next.rollback().await.unwrap();
    let calls = [step("BEGIN"), step("ROLLBACK")];
    assert_spans(&telemetry, &database, &calls);
}

/// What one query says of a server that is not there.
async fn fails_to_connect(
    options: MySqlConnectOptions,
    database: Database,
    expected: impl Fn(Call) -> Call,
) {
    let telemetry = Capture::new();
    let pool = MySqlPoolOptions::new().acquire_timeout(Duration::from_millis(200));
    let pool = pool
        .connect_lazy_with(options)
        .instrument_with(support::options(&telemetry));
    sqlx::query("select 1").execute(&pool).await.unwrap_err();
    let calls = [expected(sql("select", "select ?"))];
    assert_spans(&telemetry, &database, &calls);
    assert_operations(&telemetry, &database, &calls);
    let limit = telemetry.metric("db.client.connection.limit");
    limit.point([("db.client.connection.pool.name", database.pool)]);
}

#[tokio::test]
async fn servers_that_are_not_there() {
    let port = support::closed_port().await;
    // The pool tries again until it gives up.
    fails_to_connect(server().port(port), elsewhere(port), |call| {
        call.fails_here("pool_timed_out")
    })
    .await;
    let socket = Database {
        address: Some("/nowhere/mysqld.sock".to_owned()),
        pool: "/nowhere/mysqld.sock/otelware".to_owned(),
        ..database()
    };
    let options = server().socket("/nowhere/mysqld.sock");
    fails_to_connect(options, socket, |call| call.fails_here("io_error")).await;
    let without = Database {
        namespace: None,
        pool: "127.0.0.1:3306".to_owned(),
        ..database()
    };
    let options = MySqlConnectOptions::new()
        .host("127.0.0.1")
        .username("nobody")
        .password("secret");
    fails_to_connect(options, without, |call| call.fails("1045")).await;
}

#[tokio::test]
async fn a_server_that_is_named() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry).with_system_name("mariadb")).await;
    sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
    let database = Database {
        system: "mariadb",
        ..database()
    };
    assert_all(&telemetry, &database, &pool, taken(1), &[names().rows(3)]).await;
}

#[tokio::test]
async fn messages_with_values() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    const TEXT: &str = "insert into orders values (1, 'secret'), (1, 'secret')";
    sqlx::query(TEXT).execute(&pool).await.unwrap_err();
    let call = sql("insert orders", "insert into orders values (?, ?), (?, ?)").fails("1062");
    all(&telemetry, &pool, taken(1), &[call]).await;
    telemetry.assert_never_contains("secret");
    telemetry.assert_never_contains("Duplicate");
}

/// Addresses and what is to be told of them: address, port, database.
const ADDRESSES: [(&str, &str, Option<u16>, &str); 6] = [
    (
        "mysql://u:secret@db.shop/orders",
        "db.shop",
        Some(3_306),
        "orders",
    ),
    (
        "mysql://u:secret@db.shop:3307/orders",
        "db.shop",
        Some(3_307),
        "orders",
    ),
    (
        "mysql://u:secret@10.0.0.1/my%20orders",
        "10.0.0.1",
        Some(3_306),
        "my orders",
    ),
    (
        "mysql://u:secret@[::1]/orders",
        "::1",
        Some(3_306),
        "orders",
    ),
    ("mysql://u:secret@db.shop", "db.shop", Some(3_306), ""),
    (
        "mysql://u:secret@localhost/orders?socket=/run/mysqld.sock",
        "/run/mysqld.sock",
        None,
        "orders",
    ),
];

#[test]
fn addresses() {
    let wrong = support::wrong_addresses(&ADDRESSES, |url| {
        let server = <MySql as Driver>::server(&url.parse().unwrap());
        assert_eq!((server.system, server.dialect), ("mysql", Dialect::MySql));
        (server.address, server.port, server.namespace)
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[cfg(feature = "any")]
mod any {
    use super::support;
    use otelware_sqlx::{AnyPool, Dialect, Driver, Instrument};
    use sqlx::any::AnyPoolOptions;

    async fn on_loopback(pool: AnyPoolOptions, options: SqlOptions) -> AnyPool {
        sqlx::any::install_default_drivers();
        let url = "mysql://otelware:otelware@127.0.0.1:3306/otelware";
        let raw = pool.connect(url).await.unwrap();
        let mut connection = raw.acquire().await.unwrap();
        for text in [super::ORDERS, super::ROWS] {
            sqlx::raw_sql(text).execute(&mut *connection).await.unwrap();
        }
        drop(connection);
        raw.instrument_with(options)
    }

    async fn nowhere(pool: AnyPoolOptions, options: SqlOptions) -> (AnyPool, support::Database) {
        sqlx::any::install_default_drivers();
        let port = support::closed_port().await;
        let url = format!("mysql://otelware:otelware@127.0.0.1:{port}/otelware");
        let raw = pool.connect_lazy(&url).unwrap();
        (raw.instrument_with(options), super::elsewhere(port))
    }

    support::common::common_tests! {
        driver: sqlx::Any,
        shop: on_loopback,
        lost: nowhere,
        unreachable: Failure::Class("pool_timed_out"),
        database: super::database,
        values: ("?", "?"),
        slow: ("select 1 + sleep(0.2)", "select", "select ? + sleep(?)"),
        unique_violation: "1062",
        syntax_error: "1064",
        unknown_table: "1146",
    }

    #[test]
    fn addresses() {
        let wrong = support::wrong_addresses(&super::ADDRESSES, |url| {
            let server = <sqlx::Any as Driver>::server(&url.parse().unwrap());
            assert_eq!((server.system, server.dialect), ("mysql", Dialect::MySql));
            (server.address, server.port, server.namespace)
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
        let named = "mariadb://u:secret@db.shop/orders".parse().unwrap();
        assert_eq!(<sqlx::Any as Driver>::server(&named).system, "mariadb");
    }
}
