//! PostgreSQL.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::poll;
use otelware_sqlx::{Dialect, Driver, Instrument, PgConnection, PgPool};
use sqlx::Postgres;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use support::proxy::Proxy;
use support::{Database, finally, unique};

const PASSWORD: &str = "otelware";

fn server() -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(5_432)
        .username("otelware")
        .password(PASSWORD)
        .database("otelware")
}

fn database() -> Database {
    Database {
        scope: support::scope(),
        system: "postgresql",
        namespace: Some("otelware".to_owned()),
        address: Some("127.0.0.1".to_owned()),
        port: None,
        pool: "127.0.0.1:5432/otelware".to_owned(),
    }
}

const ORDERS: &str =
    "create temporary table orders (id integer primary key, name varchar(40) not null)";
const ROWS: &str = "insert into orders values (1, 'pen'), (2, 'ink'), (3, 'cup')";

async fn on_loopback(pool: PgPoolOptions, options: SqlOptions) -> PgPool {
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

async fn nowhere(pool: PgPoolOptions, options: SqlOptions) -> (PgPool, Database) {
    let port = support::closed_port().await;
    let raw = pool.connect_lazy_with(server().port(port));
    (raw.instrument_with(options), elsewhere(port))
}

support::common::common_tests! {
    driver: Postgres,
    shop: on_loopback,
    lost: nowhere,
    // The pool tries again until it gives up.
    unreachable: Failure::Class("pool_timed_out"),
    database: database,
    values: ("$1", "$2"),
    slow: ("select pg_sleep(0.2)", "select", "select pg_sleep(?)"),
    unique_violation: "23505",
    syntax_error: "42601",
    unknown_table: "42P01",
}

#[tokio::test]
async fn many_rows_in_one_statement() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut query = sqlx::QueryBuilder::<Postgres>::new("insert into orders (id, name) ");
    query.push_values([(4, "mug"), (5, "jug")], |mut values, (id, name)| {
        values.push_bind(id).push_bind(name);
    });
    query.build().execute(&pool).await.unwrap();
    let text = "insert into orders (id, name) VALUES ($1, $2), ($3, $4)";
    all(&telemetry, &pool, taken(1), &[sql("insert orders", text)]).await;
}

/// A pool of several connections.
async fn several(telemetry: &Capture, connections: u32) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(connections);
    let raw = pool.connect_with(server()).await.unwrap();
    raw.instrument_with(options(telemetry))
}

/// Runs a test with a table of two rows, which is not temporary.
async fn with_table<F: Future<Output = ()> + Send + 'static>(
    name: &str,
    test: impl FnOnce(String) -> F,
) {
    let raw = PgPoolOptions::new()
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
        "create table {table} (id integer primary key, name text); \
         insert into {table} values (1, 'pen'), (2, 'ink')"
    ))
    .await;
    finally(test(table.clone()), run(format!("drop table {table}"))).await;
}

/// Changes a row of such a table.
async fn change(
    transaction: &mut Transaction<'_, Postgres>,
    table: &str,
    id: i32,
) -> Result<(), Error> {
    let text = format!("update {table} set name = $1 where id = $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind("sold").bind(id);
    query.execute(&mut **transaction).await.map(|_| ())
}

fn changed(table: &str) -> Call {
    sql(
        format!("update {table}"),
        format!("update {table} set name = $1 where id = $2"),
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
            Err(_) => changed(&table).fails("40P01"),
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
        sqlx::query("set local lock_timeout = 20")
            .execute(second.raw_mut())
            .await
            .unwrap();
        change(&mut second, &table, 1).await.unwrap_err();
        // Nothing but its end is accepted now.
        sqlx::query("select 1")
            .execute(&mut *second)
            .await
            .unwrap_err();
        second.rollback().await.unwrap();
        first.commit().await.unwrap();
        let calls = [
            step("BEGIN"),
            step("BEGIN"),
            changed(&table),
            changed(&table).fails("55P03"),
            sql("select", "select ?").fails("25P02"),
            step("ROLLBACK"),
            step("COMMIT"),
        ];
        all(&telemetry, &pool, taken(2), &calls).await;
    })
    .await;
}

const SLEEP: &str = "select pg_sleep($1)";

fn sleep() -> Call {
    sql("select", SLEEP)
}

#[tokio::test]
async fn a_statement_that_takes_too_long() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("set statement_timeout = 20")
        .execute(connection.raw_mut())
        .await
        .unwrap();
    sqlx::query(SLEEP)
        .bind(60.0)
        .execute(&mut *connection)
        .await
        .unwrap_err();
    drop(connection);
    all(&telemetry, &pool, taken(1), &[sleep().fails("57014")]).await;
}

/// The server's process behind a connection.
async fn process(connection: &mut PgConnection) -> i32 {
    let query = sqlx::query_scalar("select pg_backend_pid()");
    query.fetch_one(connection.raw_mut()).await.unwrap()
}

/// Waits until a process is at the query that sleeps, and then asks for this.
async fn when_asleep(process: i32, what: &str) {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(server())
        .await
        .unwrap();
    let text =
        format!("select {what} from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'");
    let ask = || {
        sqlx::query(sqlx::AssertSqlSafe(text.clone()))
            .bind(process)
            .fetch_optional(&pool)
    };
    while ask().await.unwrap().is_none() {}
}

#[tokio::test]
async fn a_server_that_ends_the_connection() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    let mut connection = pool.acquire().await.unwrap();
    let process = process(&mut connection).await;
    let query = sqlx::query(SLEEP).bind(60.0).execute(&mut *connection);
    let end = when_asleep(process, "pg_terminate_backend(pid)");
    let (result, ()) = tokio::join!(query, end);
    result.unwrap_err();
    sqlx::query("select 1")
        .execute(&mut *connection)
        .await
        .unwrap_err();
    drop(connection);
    // Another takes its place.
    sqlx::query("select 1").execute(&pool).await.unwrap();
    let one = sql("select", "select ?");
    let calls = [
        sleep().fails("57P01"),
        one.clone().fails_here("unexpected_eof"),
        one.rows(1),
    ];
    all(&telemetry, &pool, taken(2), &calls).await;
}

/// A pool of one connection that goes through a proxy, and what is told of it.
async fn through(proxy: &Proxy, telemetry: &Capture) -> (PgPool, Database) {
    let pool = PgPoolOptions::new().max_connections(1);
    let raw = pool.connect_with(server().port(proxy.port)).await.unwrap();
    (
        raw.instrument_with(options(telemetry)),
        elsewhere(proxy.port),
    )
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let telemetry = Capture::new();
    let proxy = Proxy::to(5_432).await;
    let (pool, database) = through(&proxy, &telemetry).await;
    let mut connection = pool.acquire().await.unwrap();
    let process = process(&mut connection).await;
    let query = sqlx::query(SLEEP).bind(0.5).execute(&mut *connection);
    let cut = async {
        when_asleep(process, "pid").await;
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
    let proxy = Proxy::to(5_432).await;
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
    options: PgConnectOptions,
    database: Database,
    expected: impl Fn(Call) -> Call,
) {
    let telemetry = Capture::new();
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(200));
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
    let socket = |port: u16| {
        let path = format!("/nowhere/.s.PGSQL.{port}");
        Database {
            address: Some(path.clone()),
            pool: format!("{path}/otelware"),
            ..database()
        }
    };
    fails_to_connect(server().socket("/nowhere"), socket(5_432), |call| {
        call.fails_here("io_error")
    })
    .await;
    fails_to_connect(
        server().host("/nowhere").port(5_433),
        socket(5_433),
        |call| call.fails_here("io_error"),
    )
    .await;
    let unknown = Database {
        namespace: Some("nowhere".to_owned()),
        pool: "127.0.0.1:5432/nowhere".to_owned(),
        ..database()
    };
    fails_to_connect(server().database("nowhere"), unknown, |call| {
        call.fails("3D000")
    })
    .await;
}

#[tokio::test]
async fn a_connection_without_a_database_has_that_of_its_user() {
    let telemetry = Capture::new();
    let server = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(5_432);
    let raw =
        PgPoolOptions::new().connect_lazy_with(server.username("otelware").password(PASSWORD));
    let pool = raw.instrument_with(options(&telemetry));
    sqlx::query("select 1").execute(&pool).await.unwrap();
    let call = sql("select", "select ?").rows(1);
    all(&telemetry, &pool, taken(1), &[call]).await;
}

#[tokio::test]
async fn an_error_between_rows() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    const TEXT: &str = "select 1 / ($1 - n) from generate_series(1, 5) n";
    let mut rows = sqlx::query(TEXT).bind(3).fetch(&pool);
    rows.try_next().await.unwrap().unwrap();
    rows.try_next().await.unwrap().unwrap();
    rows.try_next().await.unwrap_err();
    assert_eq!(telemetry.open_spans(), 0);
    drop(rows);
    let call = sql("select generate_series", TEXT).rows(2).fails("22012");
    all(&telemetry, &pool, taken(1), &[call]).await;
}

#[tokio::test]
async fn rows_that_are_returned_by_a_change() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    const TEXT: &str = "update orders set name = $1 where id > $2 returning id";
    let query = sqlx::query(TEXT).bind("sold").bind(1);
    assert_eq!(query.fetch_all(&pool).await.unwrap().len(), 2);
    let call = sql("update orders", TEXT);
    // Not known to return rows, where it returns none.
    sqlx::query(TEXT)
        .bind("sold")
        .bind(9)
        .fetch_all(&pool)
        .await
        .unwrap();
    all(&telemetry, &pool, taken(2), &[call.clone().rows(2), call]).await;
}

#[tokio::test]
async fn a_transaction_with_a_statement_of_its_own() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    const TEXT: &str = "begin isolation level serializable";
    let mut transaction = pool.begin_with(TEXT).await.unwrap();
    assert!(transaction.is_in_transaction());
    // Savepoints have none.
    let error = transaction.begin_with(TEXT).await.unwrap_err();
    assert!(matches!(error, Error::InvalidSavePointStatement));
    drop(transaction);
    let calls = [sql("begin", TEXT), sql("begin", TEXT).fails_here("_OTHER")];
    all(&telemetry, &pool, taken(1), &calls).await;
}

#[tokio::test]
async fn messages_with_values() {
    let telemetry = Capture::new();
    let pool = shop(options(&telemetry)).await;
    const TEXT: &str = "select $1::text::integer";
    sqlx::query(TEXT)
        .bind("secret")
        .execute(&pool)
        .await
        .unwrap_err();
    all(
        &telemetry,
        &pool,
        taken(1),
        &[sql("select", TEXT).fails("22P02")],
    )
    .await;
    telemetry.assert_never_contains("secret");

    let telemetry = Capture::new();
    let pool = shop(options(&telemetry).with_error_messages()).await;
    let error = sqlx::query(TEXT)
        .bind("secret")
        .execute(&pool)
        .await
        .unwrap_err();
    let call = sql("select", TEXT)
        .fails("22P02")
        .described(error.to_string());
    all(&telemetry, &pool, taken(1), &[call]).await;
}

/// Addresses and what is to be told of them: address, port, database.
const ADDRESSES: [(&str, &str, Option<u16>, &str); 9] = [
    (
        "postgres://u:secret@db.shop/orders",
        "db.shop",
        Some(5_432),
        "orders",
    ),
    (
        "postgresql://u:secret@db.shop:6543/orders",
        "db.shop",
        Some(6_543),
        "orders",
    ),
    (
        "postgres://u:secret@10.0.0.1/my%20orders",
        "10.0.0.1",
        Some(5_432),
        "my orders",
    ),
    (
        "postgres://u:secret@[::1]:6543/orders",
        "::1",
        Some(6_543),
        "orders",
    ),
    ("postgres://u:secret@db.shop", "db.shop", Some(5_432), "u"),
    (
        "postgres://u:secret@db.shop/?dbname=orders",
        "db.shop",
        Some(5_432),
        "orders",
    ),
    (
        "postgres://u:secret@db.shop/orders?port=6543",
        "db.shop",
        Some(6_543),
        "orders",
    ),
    (
        "postgres://u:secret@%2Frun%2Fpg/orders",
        "/run/pg/.s.PGSQL.5432",
        None,
        "orders",
    ),
    (
        "postgres://u:secret@localhost:6543/orders?host=/run/pg",
        "/run/pg/.s.PGSQL.6543",
        None,
        "orders",
    ),
];

#[test]
fn addresses() {
    let wrong = support::wrong_addresses(&ADDRESSES, |url| {
        let server = <Postgres as Driver>::server(&url.parse().unwrap());
        assert_eq!(
            (server.system, server.dialect),
            ("postgresql", Dialect::PostgreSql)
        );
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
        let url = "postgres://otelware:otelware@127.0.0.1:5432/otelware";
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
        let url = format!("postgres://otelware:otelware@127.0.0.1:{port}/otelware");
        let raw = pool.connect_lazy(&url).unwrap();
        (raw.instrument_with(options), super::elsewhere(port))
    }

    support::common::common_tests! {
        driver: sqlx::Any,
        shop: on_loopback,
        lost: nowhere,
        unreachable: Failure::Class("pool_timed_out"),
        database: super::database,
        values: ("$1", "$2"),
        slow: ("select 1 from pg_sleep(0.2)", "select pg_sleep", "select ? from pg_sleep(?)"),
        unique_violation: "23505",
        syntax_error: "42601",
        unknown_table: "42P01",
    }

    #[test]
    fn addresses() {
        let wrong = support::wrong_addresses(&super::ADDRESSES, |url| {
            let server = <sqlx::Any as Driver>::server(&url.parse().unwrap());
            assert_eq!(
                (server.system, server.dialect),
                ("postgresql", Dialect::PostgreSql)
            );
            (server.address, server.port, server.namespace)
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
