//! No password, literal or bound value reaches what is exported, unless that was asked for.
#![cfg(all(
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "any"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use otelware_sqlx::{Driver, Instrument, Pool, SqlOptions};
use otelware_testing::Capture;
use proptest::prelude::*;
use sqlx::any::Any;
use sqlx::database::HasStatementCache;
use sqlx::mysql::{MySql, MySqlConnectOptions};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions};
use sqlx::{AssertSqlSafe, Executor, IntoArguments, Statement};
use std::time::Duration;
use tokio::runtime::Runtime;

const POSTGRES: &str = "postgres://otelware:otelware@127.0.0.1:5432/otelware";
const MARIADB: &str = "mysql://otelware:otelware@127.0.0.1:3306/otelware";

/// What secrets are made of, as text, number and bytes in hexadecimal.
const MARKER: &str = "m4rk3r";
const NUMBER: i64 = 77_086_753_091;
const DIGITS: &str = "77086753091";
const HEX: &str = "6d34726b3372";

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    }
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// The defaults, with providers to capture from; with `logs`, exceptions are emitted as well.
fn options(telemetry: &Capture, logs: bool) -> SqlOptions {
    let options = SqlOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider());
    match logs {
        true => options.with_logger_provider(telemetry.logger_provider()),
        false => options,
    }
}

/// Whether something was captured, and no secret was.
fn check(telemetry: &Capture) -> Result<(), TestCaseError> {
    prop_assert!(!telemetry.spans().is_empty(), "there are spans");
    prop_assert!(!telemetry.metrics().is_empty(), "there are metrics");
    let dump = telemetry.dump();
    for line in dump.lines() {
        let lower = line.to_lowercase();
        for needle in [MARKER, DIGITS, HEX] {
            prop_assert!(!lower.contains(needle), "{needle} was captured: {line}");
        }
    }
    Ok(())
}

// Secrets.

/// Text with markers between characters that mean something somewhere.
fn secrets() -> impl Strategy<Value = String> {
    let hostile = proptest::sample::select(vec![
        "'", "\"", "`", "\\", "''", "\\'", "$", "$1", "$$", "?", ":a", "@", ";", "--", "-- ", "/*",
        "*/", "#", "[", "]", "(", ")", ",", "%", "%27", "&", "=", "+", "/", "\n", "\t", " ", "é",
        "\u{2019}", "😀", "SELECT", " FROM ", "E'", "x", "0",
    ]);
    let between = || prop::collection::vec(hostile.clone(), 0..4).prop_map(|parts| parts.concat());
    (between(), between(), between(), any::<bool>()).prop_map(|(before, amid, after, any_case)| {
        let second = if any_case { "M4rK3R" } else { MARKER };
        format!("{before}{MARKER}{amid}{second}{after}")
    })
}

// Addresses.

/// Whether and how the password is percent-encoded.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    /// All but letters and digits.
    Thorough,
    /// Only what would end the password or the parameter.
    Sparing,
}

fn encoded(text: &str, encoding: Encoding, breaks: &str) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        let is_kept = match encoding {
            Encoding::Thorough => byte.is_ascii_alphanumeric(),
            Encoding::Sparing => byte.is_ascii_graphic() && !breaks.contains(char::from(byte)),
        };
        if is_kept {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

/// Where a password stands in an address; `{user}` is encoded for there, `{query}` for a parameter.
const POSTGRES_URLS: [&str; 9] = [
    "postgres://name:{user}@127.0.0.1:1/orders",
    "postgresql://name:{user}@[::1]:1",
    "postgres://name:{user}@localhost:1/orders?application_name={query}&sslmode=disable",
    "postgres://name@127.0.0.1:1/orders?password={query}",
    "postgres://127.0.0.1/?port=1&dbname=orders&user=name&password={query}",
    "postgres://name:{user}@%2Fnowhere%2Fat-all/orders",
    "postgres://name:{user}@localhost/orders?host=/nowhere/at-all&password={query}",
    "postgres://name@127.0.0.1:1/orders?options=-c%20app.secret%3D{query}&options[app.key]={query}",
    "postgres://name:{user}@127.0.0.1:1/orders?unknown={query}#{query}",
];

const MYSQL_URLS: [&str; 5] = [
    "mysql://name:{user}@127.0.0.1:1/orders",
    "mariadb://name:{user}@[::1]:1",
    "mysql://name:{user}@localhost:1/orders?password={query}&ssl-mode=disabled",
    "mysql://name:{user}@localhost/orders?socket=/nowhere/at-all.sock",
    "mysql://name:{user}@127.0.0.1:1/orders?unknown={query}#{query}",
];

fn urls(templates: &'static [&'static str]) -> impl Strategy<Value = (String, String)> {
    let encodings = prop_oneof![Just(Encoding::Thorough), Just(Encoding::Sparing)];
    let templates = proptest::sample::select(templates);
    (templates, secrets(), encodings).prop_map(|(template, secret, encoding)| {
        let url = template
            .replace("{user}", &encoded(&secret, encoding, "/?#%[]\\"))
            .replace("{query}", &encoded(&secret, encoding, "&+#%"));
        (url, secret)
    })
}

fn pool<DB: Driver>() -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(5))
}

/// For a server that is not there, which a pool would try again and again.
fn nowhere<DB: Driver>() -> PoolOptions<DB> {
    pool().acquire_timeout(Duration::from_millis(5))
}

/// Asks a pool for something that it will not get.
async fn ask<DB: Driver>(raw: sqlx::Pool<DB>, logs: bool) -> Result<(), TestCaseError> {
    let telemetry = Capture::new();
    let pool = raw.instrument_with(options(&telemetry, logs));
    prop_assert!(pool.execute("SELECT 1").await.is_err());
    prop_assert!(pool.begin().await.is_err());
    check(&telemetry)
}

#[test]
fn passwords_of_addresses_of_postgres() {
    let runtime = runtime();
    proptest!(config(96), |((url, secret) in urls(&POSTGRES_URLS), logs: bool)| {
        runtime.block_on(async {
            ask::<Postgres>(nowhere().connect_lazy(&url).unwrap(), logs).await?;
            let mut server = PgConnectOptions::new_without_pgpass()
                .host("127.0.0.1")
                .port(1)
                .username("name")
                .password(&secret)
                .options([("app.secret", MARKER)]);
            if secret.len() % 2 == 0 {
                server = server.socket("/nowhere/at-all");
            }
            ask::<Postgres>(nowhere().connect_lazy_with(server), logs).await
        })?;
    });
}

#[test]
fn passwords_of_addresses_of_mysql() {
    let runtime = runtime();
    proptest!(config(96), |((url, secret) in urls(&MYSQL_URLS), logs: bool)| {
        runtime.block_on(async {
            ask::<MySql>(nowhere().connect_lazy(&url).unwrap(), logs).await?;
            let mut server = MySqlConnectOptions::new()
                .host("127.0.0.1")
                .port(1)
                .username("name")
                .password(&secret);
            if secret.len() % 2 == 0 {
                server = server.socket("/nowhere/at-all.sock");
            }
            ask::<MySql>(nowhere().connect_lazy_with(server), logs).await
        })?;
    });
}

#[test]
fn passwords_of_addresses_of_any_database() {
    sqlx::any::install_default_drivers();
    let runtime = runtime();
    let all = prop_oneof![urls(&POSTGRES_URLS), urls(&MYSQL_URLS)];
    proptest!(config(96), |((url, _) in all, logs: bool)| {
        runtime.block_on(async { ask::<Any>(nowhere().connect_lazy(&url).unwrap(), logs).await })?;
    });
}

#[test]
fn passwords_that_the_server_refuses() {
    let runtime = runtime();
    proptest!(config(12), |(secret in secrets())| {
        runtime.block_on(async {
            // Some servers let those in that they know, whatever the password.
            let server: PgConnectOptions = POSTGRES.parse().unwrap();
            let server = server.username("no_such_role");
            ask::<Postgres>(pool().connect_lazy_with(server.password(&secret)), false).await?;
            let server: MySqlConnectOptions = MARIADB.parse().unwrap();
            ask::<MySql>(pool().connect_lazy_with(server.password(&secret)), false).await
        })?;
    });
}

/// Asks a pool for something that it has.
async fn have(server: SqliteConnectOptions) -> Result<(), TestCaseError> {
    let telemetry = Capture::new();
    let raw = pool::<Sqlite>().connect_lazy_with(server);
    let pool = raw.instrument_with(options(&telemetry, true));
    let _ = pool.execute("SELECT 1").await;
    check(&telemetry)
}

#[test]
fn keys_of_sqlite() {
    let runtime = runtime();
    proptest!(config(64), |(secret in secrets())| {
        runtime.block_on(async {
            let quoted = format!("'{}'", secret.replace('\'', "''"));
            let server = SqliteConnectOptions::new().in_memory(true).pragma("key", quoted);
            have(server).await
        })?;
    });
}

/// As SQLite's encrypted relatives take them.
#[test]
fn keys_of_sqlite_in_the_file_name() {
    let runtime = runtime();
    for parameter in ["key", "hexkey", "textkey"] {
        let file = format!("file:orders?mode=memory&{parameter}={HEX}{MARKER}");
        let server = SqliteConnectOptions::new().filename(file);
        runtime.block_on(have(server)).unwrap();
    }
}

// Literals.

/// A literal, and the text that it stands for where it is one that the database takes for a text.
#[derive(Clone, Debug)]
struct Literal {
    sql: String,
    text: Option<String>,
}

fn literal(sql: impl Into<String>, text: &str) -> Literal {
    Literal {
        sql: sql.into(),
        text: Some(text.to_owned()),
    }
}

/// In these quotes, which are doubled within them.
fn quoted(before: &str, quote: char, text: &str) -> Literal {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    literal(format!("{before}{quote}{doubled}{quote}"), text)
}

/// With backslashes before quotes and backslashes.
fn escaped(before: &str, quote: char, text: &str) -> Literal {
    let text_of = text.replace('\\', "\\\\");
    let text_of = text_of.replace(quote, &format!("\\{quote}"));
    literal(format!("{before}{quote}{text_of}{quote}"), text)
}

/// Between dollar signs.
fn in_dollars(tag: &str, text: &str) -> Literal {
    let text = text.replace('$', "");
    literal(format!("${tag}${text}${tag}$"), &text)
}

fn numbers() -> impl Strategy<Value = Literal> {
    let forms = [
        "{}", "-{}", "{}.5", "0.{}", ".{}", "{}e3", "{}E-3", "+{}", "{}::int8", "({})",
    ];
    proptest::sample::select(forms.to_vec()).prop_map(|form| Literal {
        sql: form.replace("{}", DIGITS),
        text: None,
    })
}

fn bytes() -> impl Strategy<Value = Literal> {
    let forms = ["X'{}'", "x'{}'", "0x{}", "'\\x{}'"];
    proptest::sample::select(forms.to_vec()).prop_map(|form| Literal {
        sql: form.replace("{}", HEX),
        text: None,
    })
}

/// The literals of a text: by the given functions, of which each knows one way to write them.
fn literals(ways: &[fn(&str) -> Literal]) -> impl Strategy<Value = Literal> + use<> {
    let texts = (secrets(), proptest::sample::select(ways.to_vec()));
    prop_oneof![
        6 => texts.prop_map(|(secret, way)| way(&secret)),
        1 => numbers(),
        1 => bytes(),
    ]
}

const POSTGRES_LITERALS: [fn(&str) -> Literal; 8] = [
    |text| quoted("", '\'', text),
    |text| quoted("", '\'', text),
    |text| escaped("E", '\'', text),
    |text| quoted("e", '\'', &text.replace('\\', "")),
    |text| in_dollars("", text),
    |text| in_dollars("Tag_1", text),
    |text| literal(quoted("U&", '\'', &text.replace('\\', "\\\\")).sql, text),
    // Two that are one.
    |text| {
        let both = quoted("", '\'', text).sql;
        let doubled = format!("{text}{text}");
        literal(format!("{both}\n{both}"), &doubled)
    },
];

const MARIADB_LITERALS: [fn(&str) -> Literal; 6] = [
    |text| escaped("", '\'', text),
    |text| escaped("", '"', text),
    |text| quoted("", '\'', &text.replace('\\', "")),
    |text| quoted("", '"', &text.replace('\\', "")),
    |text| escaped("_utf8mb4", '\'', text),
    |text| {
        let both = escaped("", '\'', text).sql;
        let doubled = format!("{text}{text}");
        literal(format!("{both} {both}"), &doubled)
    },
];

const SQLITE_LITERALS: [fn(&str) -> Literal; 3] = [
    |text| quoted("", '\'', text),
    |text| quoted("", '\'', text),
    |text| quoted("", '"', text),
];

/// The generators of literals write what they mean to.
#[test]
fn literals_are_literals() {
    async fn read<DB>(pool: &sqlx::Pool<DB>, literal: &Literal) -> Result<(), TestCaseError>
    where
        DB: sqlx::Database,
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
        for<'r> String: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
        usize: sqlx::ColumnIndex<DB::Row>,
    {
        if let Some(text) = &literal.text {
            let sql = AssertSqlSafe(format!("SELECT {}", literal.sql));
            let mut connection = pool.acquire().await.unwrap();
            let row = sqlx::raw_sql(sql).fetch_one(&mut *connection).await;
            prop_assert!(row.is_ok(), "{:?}", row.err());
            let found: String = sqlx::Row::get(&row.unwrap(), 0);
            prop_assert_eq!(&found, text);
        }
        Ok(())
    }
    let runtime = runtime();
    let (postgres, mariadb, sqlite) = runtime.block_on(async {
        (
            pool::<Postgres>().connect_lazy(POSTGRES).unwrap(),
            pool::<MySql>().connect_lazy(MARIADB).unwrap(),
            pool::<Sqlite>().connect_lazy("sqlite::memory:").unwrap(),
        )
    });
    proptest!(config(64), |(literal in literals(&POSTGRES_LITERALS))| {
        runtime.block_on(read(&postgres, &literal))?;
    });
    proptest!(config(64), |(literal in literals(&MARIADB_LITERALS))| {
        runtime.block_on(read(&mariadb, &literal))?;
    });
    proptest!(config(64), |(literal in literals(&SQLITE_LITERALS))| {
        runtime.block_on(read(&sqlite, &literal))?;
    });
}

/// Statements with `{}` in the place of each literal. None of them changes an account that there
/// is, or anything else that stays.
const STATEMENTS: [&str; 26] = [
    "SELECT {}",
    "SELECT {} AS a, {} AS b",
    "SELECT {}, a FROM t WHERE a = {} AND b <> {} OR a LIKE {}",
    "SELECT * FROM t WHERE a IN ({}, {},{})ORDER BY b LIMIT 5",
    "SELECT * FROM t WHERE a BETWEEN {} AND {} GROUP BY a HAVING a > {}",
    "SELECT CASE WHEN {} = {} THEN {} ELSE {} END",
    "SELECT upper({}), coalesce(a, {}) FROM t JOIN t AS u ON t.a = {}",
    "INSERT INTO t (a) VALUES ({}), ({})",
    "INSERT INTO t (a, b) SELECT {}, {} UNION ALL SELECT {}, {}",
    "UPDATE t SET a = {}, b = {} WHERE a = {}",
    "DELETE FROM t WHERE a = {}",
    "WITH w AS (SELECT {} AS a) SELECT * FROM w WHERE a = {}",
    "SELECT * FROM (SELECT {} AS a) AS s",
    "SELECT * FROM no_such_table WHERE a = {}",
    "SELECT no_such_column FROM t WHERE a = {}",
    "SELECT no_such_function({})",
    "SELECT 1; SELECT {}; SELECT 2",
    "EXPLAIN SELECT {}",
    "VALUES ({}, {})",
    "SELECT 1 /* m4rk3r */ -- m4rk3r 77086753091",
    "SELEC {}",
    "SELECT FROM WHERE {} AND",
    "{}",
    "({})",
    "{} {}",
    "CREATE TEMPORARY TABLE t (a text DEFAULT {})",
];

const POSTGRES_STATEMENTS: [&str; 18] = [
    "SELECT {}::int8",
    "SELECT {}::text::int8[]",
    "SELECT CAST({} AS uuid)",
    "SELECT INTERVAL {}",
    "SELECT DATE {}",
    "SET app.secret = {}",
    "SET app.secret TO m4rk3r",
    "SET SESSION app.secret TO {}, {}",
    "SELECT set_config('app.secret', {}, false)",
    "NOTIFY no_such_channel, {}",
    "COMMENT ON COLUMN t.a IS {}",
    "ALTER ROLE no_such_role WITH LOGIN PASSWORD {}",
    "CREATE ROLE no_such_role PASSWORD {} VALID UNTIL {}",
    "CREATE USER MAPPING FOR CURRENT_USER SERVER no_such_server OPTIONS (user {}, password {})",
    "DO {}",
    "DO $$ BEGIN RAISE EXCEPTION 'm4rk3r %', 77086753091; END $$",
    "INSERT INTO t (a, c) VALUES ({}, 'm4rk3r')",
    "INSERT INTO t (b) VALUES ({}) ON CONFLICT (b) DO UPDATE SET a = {} RETURNING a || {}",
];

const MARIADB_STATEMENTS: [&str; 17] = [
    "SET @v = {}",
    "SELECT {} INTO @v",
    "CALL no_such_procedure({}, {})",
    "EXECUTE IMMEDIATE {}",
    "PREPARE p FROM {}",
    "CREATE USER no_such_user IDENTIFIED BY {}",
    "ALTER USER no_such_user IDENTIFIED BY {}",
    "SET PASSWORD FOR no_such_user = PASSWORD({})",
    "GRANT SELECT ON otelware.* TO no_such_user IDENTIFIED BY {}",
    "CHANGE MASTER TO MASTER_HOST = {}, MASTER_PASSWORD = {}",
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST {}, PASSWORD {})",
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {}",
    "SELECT * FROM t WHERE a REGEXP {}",
    "SELECT extractvalue(1, concat('~', {}))",
    "SELECT /*! {}, */ 1",
    "INSERT INTO t (b, n) VALUES ({}, 'm4rk3r') ON DUPLICATE KEY UPDATE a = {}",
    "INSERT INTO t SET a = {}, n = {} # m4rk3r",
];

const SQLITE_STATEMENTS: [&str; 9] = [
    "PRAGMA key = {}",
    "PRAGMA rekey = m4rk3r",
    "PRAGMA user_version = {}",
    "ATTACH ':memory:' AS other KEY {}",
    "SELECT * FROM t WHERE a GLOB {}",
    "SELECT json({})",
    "SELECT load_extension({})",
    "INSERT OR FAIL INTO t (b) VALUES ({}), ({})",
    "INSERT INTO t (b) VALUES ({}) ON CONFLICT (b) DO UPDATE SET a = {} RETURNING a || {}",
];

/// How a statement is handed over.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// As it is, to a pool.
    Raw,
    /// Prepared, in a connection.
    Prepared,
    /// Prepared, and not kept.
    Once,
    /// Prepared by hand.
    Statement,
    /// As it is, in a transaction that is dropped.
    Transaction,
}

fn ways() -> impl Strategy<Value = Way> {
    proptest::sample::select(vec![
        Way::Raw,
        Way::Prepared,
        Way::Once,
        Way::Statement,
        Way::Transaction,
    ])
}

/// Whole statements, and statements that are cut off in a literal or elsewhere.
fn statements(
    own: &'static [&'static str],
    literals: impl Strategy<Value = Literal> + 'static,
) -> impl Strategy<Value = String> {
    let templates: Vec<_> = STATEMENTS.into_iter().chain(own.iter().copied()).collect();
    let templates = proptest::sample::select(templates);
    let literals = prop::collection::vec(literals, 4);
    let cuts = prop_oneof![3 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (templates, literals, cuts).prop_map(|(template, literals, cut)| {
        let mut literals = literals.iter().cycle();
        let mut text = String::new();
        for (at, part) in template.split("{}").enumerate() {
            if at > 0 {
                text.push_str(&literals.next().unwrap().sql);
            }
            text.push_str(part);
        }
        if let Some(cut) = cut {
            let end = cut.index(text.len() + 1);
            text.truncate(text.floor_char_boundary(end));
        }
        text
    })
}

/// Executes a statement, whatever comes of it.
async fn execute<DB>(raw: &sqlx::Pool<DB>, sql: &str, way: Way) -> Result<(), TestCaseError>
where
    DB: Driver + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
{
    let telemetry = Capture::new();
    let pool = raw.clone().instrument_with(options(&telemetry, false));
    let text = || AssertSqlSafe(sql.to_owned());
    match way {
        Way::Raw => drop(sqlx::raw_sql(text()).execute(&pool).await),
        Way::Prepared => {
            let mut connection = pool.acquire().await.unwrap();
            drop(sqlx::query(text()).fetch_all(&mut *connection).await);
        }
        Way::Once => drop(
            sqlx::query(text())
                .persistent(false)
                .fetch_optional(&pool)
                .await,
        ),
        Way::Statement => prepared_by_hand(&pool, sql).await,
        Way::Transaction => {
            let mut transaction = pool.begin().await.unwrap();
            drop(sqlx::raw_sql(text()).execute(&mut *transaction).await);
            drop(transaction);
        }
    }
    // So that there is a span, be it that nothing was executed.
    drop(pool.execute("SELECT 1").await);
    check(&telemetry)
}

async fn prepared_by_hand<DB>(pool: &Pool<DB>, sql: &str)
where
    DB: Driver,
    DB::Arguments: IntoArguments<DB>,
{
    use sqlx::SqlSafeStr;
    let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let mut connection = pool.acquire().await.unwrap();
    if let Ok(statement) = connection.as_mut().prepare(text).await {
        drop(statement.query().execute(connection.as_mut()).await);
    }
}

/// A pool of one connection that has the table of the statements.
fn pool_with_table<DB: Driver>(table: &'static str) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pool().after_connect(move |connection: &mut DB::Connection, _| {
        Box::pin(async move { connection.execute(table).await.map(drop) })
    })
}

const POSTGRES_TABLE: &str = "CREATE TEMPORARY TABLE t \
     (a text CHECK (a <> 'refused'), b text UNIQUE, c varchar(4), n int8)";
const MARIADB_TABLE: &str = "CREATE TEMPORARY TABLE t \
     (a text, b varchar(500) UNIQUE, c varchar(4), n bigint)";
const SQLITE_TABLE: &str = "CREATE TEMPORARY TABLE t (a text, b text UNIQUE, c text CHECK (length(c) < 5), \
     n integer CHECK (typeof(n) <> 'text')) STRICT";

#[test]
fn literals_of_postgres() {
    let runtime = runtime();
    let pool = pool_with_table::<Postgres>(POSTGRES_TABLE);
    let pool = runtime.block_on(async { pool.connect_lazy(POSTGRES).unwrap() });
    let statements = statements(&POSTGRES_STATEMENTS, literals(&POSTGRES_LITERALS));
    proptest!(config(256), |(sql in statements, way in ways())| {
        runtime.block_on(execute(&pool, &sql, way))?;
    });
}

#[test]
fn literals_of_mariadb() {
    let runtime = runtime();
    let pool = pool_with_table::<MySql>(MARIADB_TABLE);
    let pool = runtime.block_on(async { pool.connect_lazy(MARIADB).unwrap() });
    let statements = statements(&MARIADB_STATEMENTS, literals(&MARIADB_LITERALS));
    proptest!(config(96), |(sql in statements, way in ways())| {
        runtime.block_on(execute(&pool, &sql, way))?;
    });
}

#[test]
fn literals_of_sqlite() {
    let runtime = runtime();
    let pool = pool_with_table::<Sqlite>(SQLITE_TABLE);
    let pool = runtime.block_on(async { pool.connect_lazy("sqlite::memory:").unwrap() });
    let statements = statements(&SQLITE_STATEMENTS, literals(&SQLITE_LITERALS));
    proptest!(config(768), |(sql in statements, way in ways())| {
        runtime.block_on(execute(&pool, &sql, way))?;
    });
}

#[test]
fn literals_of_beginnings() {
    let runtime = runtime();
    runtime.block_on(async {
        let telemetry = Capture::new();
        let raw = pool::<Postgres>().connect_lazy(POSTGRES).unwrap();
        let pool = raw.instrument_with(options(&telemetry, true));
        let text = "BEGIN /* m4rk3r */; SET LOCAL app.secret = 'm4rk3r'";
        drop(pool.begin_with(text).await.unwrap());
        assert!(pool.begin_with("SELECT 'm4rk3r'").await.is_err());
        check(&telemetry).unwrap();

        let telemetry = Capture::new();
        let raw = self::pool::<Sqlite>()
            .connect_lazy("sqlite::memory:")
            .unwrap();
        let pool = raw.instrument_with(options(&telemetry, true));
        drop(
            pool.begin_with("BEGIN IMMEDIATE /* m4rk3r */")
                .await
                .unwrap(),
        );
        check(&telemetry).unwrap();
    });
}

// Bound values and what errors say of them.

/// Statements of which each takes a text, some of which fail, and say why.
const POSTGRES_BOUND: [&str; 11] = [
    "SELECT $1::text",
    "SELECT $1::text::int8",
    "SELECT $1::text::uuid",
    "SELECT $1::text::json",
    "SELECT * FROM t WHERE a = $1",
    "INSERT INTO t (b) VALUES ($1), ($1)",
    "INSERT INTO t (c) VALUES ($1)",
    "INSERT INTO t (a, b) VALUES ('refused', $1)",
    "SELECT pg_temp.complain($1::text)",
    "SELECT to_date($1, 'YYYY-MM-DD')",
    "SELECT has_table_privilege($1, 'select')",
];

const MARIADB_BOUND: [&str; 7] = [
    "SELECT ?",
    "SELECT * FROM t WHERE a = ?",
    "INSERT INTO t (b, a) VALUES (?, 1), ('m', 2), ('m', 3)",
    "INSERT INTO t (c) VALUES (?)",
    "INSERT INTO t (n) VALUES (?)",
    "SELECT extractvalue(1, concat('~', ?))",
    "SELECT json_value(?, 'm')",
];

const SQLITE_BOUND: [&str; 7] = [
    "SELECT ?1",
    "SELECT * FROM t WHERE a = ?1",
    "INSERT INTO t (b) VALUES (?1), (?1)",
    "INSERT INTO t (c) VALUES (?1)",
    "INSERT INTO t (n) VALUES (?1)",
    "SELECT json_extract('{}', ?1)",
    "SELECT load_extension(?1)",
];

/// A function whose errors repeat what they were given.
const COMPLAIN: &str = "CREATE FUNCTION pg_temp.complain(what text) RETURNS int AS $$ \
     BEGIN RAISE EXCEPTION 'no %', what USING DETAIL = what, HINT = what; END $$ LANGUAGE plpgsql";

/// Runs a statement with this value, in a transaction that is dropped.
macro_rules! bind {
    ($raw:expr, $sql:expr, $value:expr, $logs:expr) => {{
        let telemetry = Capture::new();
        let pool = $raw.clone().instrument_with(options(&telemetry, $logs));
        let mut transaction = pool.begin().await.unwrap();
        drop(
            sqlx::query($sql)
                .bind($value)
                .fetch_all(&mut *transaction)
                .await,
        );
        drop(transaction);
        drop(sqlx::query($sql).bind($value).fetch_optional(&pool).await);
        check(&telemetry)?;
    }};
}

#[test]
fn bound_values_of_postgres() {
    let runtime = runtime();
    let pool = runtime.block_on(async {
        let pool = pool_with_table::<Postgres>(POSTGRES_TABLE);
        let pool = pool.connect_lazy(POSTGRES).unwrap();
        pool.execute(COMPLAIN).await.unwrap();
        pool
    });
    let statements = proptest::sample::select(POSTGRES_BOUND.to_vec());
    proptest!(config(64), |(sql in statements, secret in secrets())| {
        runtime.block_on(async {
            bind!(pool, sql, &secret, false);
            bind!(pool, "SELECT $1", NUMBER, false);
            bind!(pool, "SELECT $1 / 0", NUMBER, false);
            bind!(pool, "SELECT $1::int4", NUMBER, false);
            bind!(pool, "SELECT $1 / 0.0", NUMBER as f64, false);
            bind!(pool, "SELECT $1", secret.as_bytes(), false);
            bind!(pool, "SELECT * FROM unnest($1)", vec![secret.clone(); 3], false);
            Ok::<_, TestCaseError>(())
        })?;
    });
}

#[test]
fn bound_values_of_mariadb() {
    let runtime = runtime();
    let pool = pool_with_table::<MySql>(MARIADB_TABLE);
    let pool = runtime.block_on(async { pool.connect_lazy(MARIADB).unwrap() });
    let statements = proptest::sample::select(MARIADB_BOUND.to_vec());
    proptest!(config(48), |(sql in statements, secret in secrets())| {
        runtime.block_on(async {
            bind!(pool, sql, &secret, false);
            bind!(pool, "SELECT ?", NUMBER, false);
            bind!(pool, "SELECT ? * 9223372036854775807", NUMBER, false);
            bind!(pool, "SELECT ?", secret.as_bytes(), false);
            Ok::<_, TestCaseError>(())
        })?;
    });
}

#[test]
fn bound_values_of_sqlite() {
    let runtime = runtime();
    let pool = pool_with_table::<Sqlite>(SQLITE_TABLE);
    let pool = runtime.block_on(async { pool.connect_lazy("sqlite::memory:").unwrap() });
    let statements = proptest::sample::select(SQLITE_BOUND.to_vec());
    proptest!(config(256), |(sql in statements, secret in secrets())| {
        runtime.block_on(async {
            bind!(pool, sql, &secret, false);
            bind!(pool, sql, NUMBER, false);
            bind!(pool, sql, NUMBER as f64, false);
            bind!(pool, sql, secret.as_bytes(), false);
            Ok::<_, TestCaseError>(())
        })?;
    });
}

/// What was asked for is found, so that what is not found above is not there.
#[test]
fn messages_that_were_asked_for() {
    runtime().block_on(async {
        let telemetry = Capture::new();
        let raw = pool::<Postgres>().connect_lazy(POSTGRES).unwrap();
        let pool = raw.instrument_with(options(&telemetry, false).with_error_messages());
        let query = sqlx::query("SELECT $1::text::int8").bind(MARKER);
        assert!(query.execute(&pool).await.is_err());
        let found = check(&telemetry).unwrap_err().to_string();
        assert!(found.contains(&format!("{MARKER} was captured")), "{found}");
    });
}

/// Exceptions that are emitted as log events do not repeat the values either.
#[test]
fn errors_in_logs() {
    let runtime = runtime();
    let (postgres, mariadb, sqlite) = runtime.block_on(async {
        let postgres = pool_with_table::<Postgres>(POSTGRES_TABLE);
        let postgres = postgres.connect_lazy(POSTGRES).unwrap();
        postgres.execute(COMPLAIN).await.unwrap();
        let mariadb = pool_with_table::<MySql>(MARIADB_TABLE);
        let sqlite = pool_with_table::<Sqlite>(SQLITE_TABLE);
        (
            postgres,
            mariadb.connect_lazy(MARIADB).unwrap(),
            sqlite.connect_lazy("sqlite::memory:").unwrap(),
        )
    });
    proptest!(config(8), |(secret in secrets())| {
        runtime.block_on(async {
            for sql in POSTGRES_BOUND {
                bind!(postgres, sql, &secret, true);
            }
            for sql in MARIADB_BOUND {
                bind!(mariadb, sql, &secret, true);
            }
            for sql in SQLITE_BOUND {
                bind!(sqlite, sql, &secret, true);
            }
            Ok::<_, TestCaseError>(())
        })?;
    });
}
