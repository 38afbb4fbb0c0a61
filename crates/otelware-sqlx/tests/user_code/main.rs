//! The same code on sqlx's types and on otelware's, of which only the imports differ: with the same
//! results, and with spans of all that it does.
//!
//! Its `query!` macros are compiled with what `.sqlx` says of their queries. When one was changed:
//! `cargo sqlx prepare -- --all-targets` in this crate's directory, with the `DATABASE_URL` of a
//! database on which its migrations were run.
#![cfg(all(feature = "postgres", feature = "macros", feature = "migrate"))]
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::duplicate_mod,
    reason = "to be compiled twice is what it is for"
)]

mod generic;
mod schema;
mod with_otelware;
mod with_sqlx;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::MatchedPath;
use axum::http::{Request, header};
use axum::middleware::{Next, from_fn};
use futures_util::future::BoxFuture;
use otelware::opentelemetry::trace::{
    FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider,
};
use otelware::opentelemetry::{Context, global};
use otelware_sqlx::{Instrument, SqlOptions};
use otelware_testing::Capture;
use schema::Schema;
use tower::ServiceExt;

/// The router with a span for each request, named by method and route.
fn in_spans(router: Router, telemetry: &Capture) -> Router {
    let tracer = telemetry.tracer_provider().tracer("web site");
    router.layer(from_fn(move |request: Request<Body>, next: Next| {
        let route = request.extensions().get::<MatchedPath>().unwrap();
        let name = format!("{} {}", request.method(), route.as_str());
        let span = tracer.span_builder(name).with_kind(SpanKind::Server);
        let context = Context::new().with_span(tracer.build_with_context(span, &Context::new()));
        let ended = context.clone();
        async move {
            let response = next.run(request).await;
            ended.span().end();
            response
        }
        .with_context(context)
    }))
}

type Step<P> = (
    &'static str,
    fn(P) -> BoxFuture<'static, sqlx::Result<String>>,
);

/// Goes through the steps, each within a context, and says what came of them.
async fn results<P: Clone>(
    steps: &[Step<P>],
    pool: &P,
    context: impl Fn(&'static str) -> Context,
) -> Vec<String> {
    let mut results = Vec::new();
    for (name, step) in steps {
        let result = step(pool.clone()).with_context(context(name)).await;
        results.push(format!("{name}: {}", result.unwrap()));
    }
    results
}

/// Compares the tree with the lines that are no comments.
#[track_caller]
fn assert_tree(telemetry: &Capture, expected: &str) {
    let tree = telemetry.tree();
    let mut found = tree.lines();
    let is_comment = |line: &&str| line.trim().starts_with('#');
    for (number, line) in expected.lines().enumerate() {
        if !is_comment(&line) {
            let number = number + 1;
            assert_eq!(found.next(), Some(line), "line {number} of:\n{tree}");
        }
    }
    assert_eq!(found.next(), None, "more than expected:\n{tree}");
}

/// Names and classes of all spans that failed.
fn errors(telemetry: &Capture) -> Vec<String> {
    let mut errors = Vec::new();
    for span in telemetry.spans() {
        if let Some(class) = span.attribute("error.type") {
            let class = class.as_str().unwrap();
            errors.push(format!("{}: {class}", span.name));
        }
    }
    errors
}

/// Each step and what it does. What has no span is told in the comments.
const STEPS: &str = "\
# sqlx's trait `Acquire` gives a `Migrator` the driver's connection; `Pool::migrate` has a span.
INTERNAL migrate
INTERNAL customers
  CLIENT INSERT customers
  CLIENT INSERT customers
  CLIENT INSERT customers
  CLIENT BEGIN
  CLIENT INSERT customers
  CLIENT SELECT customers
  # The transaction is dropped, and rolled back with the next query.
  CLIENT UPDATE customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
INTERNAL stock
  CLIENT INSERT products
  CLIENT BEGIN
  CLIENT UPDATE products
  CLIENT UPDATE products
  CLIENT COMMIT
  CLIENT BEGIN
  CLIENT UPDATE products
  CLIENT ROLLBACK
  CLIENT SELECT products
  CLIENT SELECT products
INTERNAL order
  CLIENT BEGIN
  CLIENT INSERT orders
  CLIENT INSERT order_lines
  CLIENT UPDATE products
  CLIENT UPDATE products
  CLIENT SAVEPOINT
  CLIENT UPDATE products
  CLIENT ROLLBACK TO SAVEPOINT
  CLIENT COMMIT
  CLIENT BEGIN
  CLIENT INSERT orders
  CLIENT INSERT order_lines
  CLIENT UPDATE products
  CLIENT SAVEPOINT
  CLIENT UPDATE products
  CLIENT INSERT order_lines
  CLIENT RELEASE SAVEPOINT
  CLIENT COMMIT
  CLIENT SELECT orders
INTERNAL order too much
  CLIENT BEGIN
  CLIENT INSERT orders
  CLIENT INSERT order_lines
  CLIENT UPDATE products
INTERNAL change orders
  CLIENT BEGIN
  CLIENT UPDATE orders
  CLIENT COMMIT
  CLIENT BEGIN
  CLIENT UPDATE orders
  CLIENT SAVEPOINT
  CLIENT UPDATE orders
  CLIENT SELECT orders
INTERNAL streams
  CLIENT SELECT order_lines products
  CLIENT SELECT order_lines products
INTERNAL statements
  # Nothing is executed when a statement is prepared.
  CLIENT SELECT products
  CLIENT SELECT products
  CLIENT SELECT products
  CLIENT SELECT products; UPDATE products; SELECT
  # A `PgAdvisoryLock` asks for the driver's connection, and its guard gives that one.
  CLIENT SELECT products
INTERNAL copies
  CLIENT COPY products
  CLIENT COPY products
  CLIENT COPY products
INTERNAL plain text
  CLIENT SELECT products
  CLIENT UPDATE products
  CLIENT SELECT products
  CLIENT SELECT products
  CLIENT SELECT products
INTERNAL tasks
  CLIENT SELECT products
  CLIENT SELECT products
# Tasks of their own, which were spawned without the context.
CLIENT SELECT products
CLIENT SELECT products
CLIENT SELECT products
INTERNAL forms
  CLIENT BEGIN
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT COMMIT
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT customers
  CLIENT SELECT; SELECT
# That of the task which the transaction was handed to.
CLIENT SELECT customers
INTERNAL acquire
  # Code that is generic over `Acquire` executes on the driver's connection.
  CLIENT BEGIN
  CLIENT ROLLBACK
INTERNAL connection
  CLIENT SELECT customers
  CLIENT BEGIN
  CLIENT SELECT customers
  CLIENT ROLLBACK
  CLIENT BEGIN
  CLIENT COMMIT
  CLIENT BEGIN
  CLIENT SELECT customers
  CLIENT SELECT";

#[tokio::test]
async fn the_same_code_has_the_same_results_and_spans() {
    let schema = Schema::new("user_code_with_sqlx").await;
    let pool = schema.pool().await;
    let plain = results(&with_sqlx::shop::STEPS, &pool, |_| Context::new()).await;
    pool.close().await;
    schema.drop().await;

    let telemetry = Capture::new();
    // For the connections that are opened without a pool, as well.
    global::set_tracer_provider(telemetry.tracer_provider());
    let tracer = telemetry.tracer_provider().tracer("test");
    let schema = Schema::new("user_code_with_otelware").await;
    let pool = schema.pool().await.instrument();
    let traced = results(&with_otelware::shop::STEPS, &pool, |name| {
        Context::new().with_span(tracer.start(name))
    })
    .await;
    pool.close().await;
    schema.drop().await;

    assert_eq!(traced, plain);
    assert_tree(&telemetry, STEPS);
    let expected = [
        "INSERT customers: 23505",
        "UPDATE products: 23514",
        "UPDATE products: 23514",
        "UPDATE products: 23514",
    ];
    assert_eq!(errors(&telemetry), expected);
    assert_eq!(telemetry.open_spans(), 0);
}

/// An order, what came of it, and those who ask for what is there and what is not.
const REQUESTS: [(&str, &str, &str); 6] = [
    (
        "POST",
        "/orders",
        r#"{"customer": 1, "lines": [{"product": 1, "quantity": 2}, {"product": 2, "quantity": 1}], "gift": 1}"#,
    ),
    (
        "POST",
        "/orders",
        r#"{"customer": 1, "lines": [{"product": 2, "quantity": 1000}]}"#,
    ),
    ("GET", "/orders/1", ""),
    ("GET", "/orders/9", ""),
    ("GET", "/customers/2", ""),
    ("GET", "/customers/9", ""),
];

/// What is done for them.
const PAGES: &str = "\
SERVER POST /orders
  CLIENT BEGIN
  CLIENT INSERT orders
  CLIENT INSERT order_lines
  CLIENT UPDATE products
  CLIENT UPDATE products
  CLIENT SAVEPOINT
  CLIENT UPDATE products
  CLIENT INSERT order_lines
  CLIENT RELEASE SAVEPOINT
  CLIENT COMMIT
  CLIENT SELECT orders
SERVER POST /orders
  CLIENT BEGIN
  CLIENT INSERT orders
  CLIENT INSERT order_lines
  CLIENT UPDATE products
SERVER GET /orders/{id}
  CLIENT SELECT orders
SERVER GET /orders/{id}
  CLIENT SELECT orders
SERVER GET /customers/{id}
  CLIENT SELECT customers
SERVER GET /customers/{id}
  CLIENT SELECT customers";

async fn answers(router: Router) -> Vec<String> {
    let mut answers = Vec::new();
    for (method, path, body) in REQUESTS {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        answers.push(format!("{status} {}", String::from_utf8_lossy(&body)));
    }
    answers
}

#[tokio::test]
async fn the_same_web_site_gives_the_same_answers() {
    let schema = Schema::new("web_site_with_sqlx").await;
    let pool = schema.pool().await;
    results(&with_sqlx::shop::STEPS[..3], &pool, |_| Context::new()).await;
    let plain = answers(with_sqlx::shop::router(pool.clone())).await;
    pool.close().await;
    schema.drop().await;

    let telemetry = Capture::new();
    let schema = Schema::new("web_site_with_otelware").await;
    let pool = schema.pool().await.instrument_with(
        SqlOptions::new()
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider()),
    );
    results(&with_otelware::shop::STEPS[..3], &pool, |_| Context::new()).await;
    telemetry.reset();
    let traced = answers(in_spans(
        with_otelware::shop::router(pool.clone()),
        &telemetry,
    ))
    .await;
    pool.close().await;
    schema.drop().await;

    assert_eq!(traced, plain);
    assert_tree(&telemetry, PAGES);
    // That there is no such order and no such customer is none.
    assert_eq!(errors(&telemetry), ["UPDATE products: 23514"]);
    assert_eq!(telemetry.open_spans(), 0);
}

#[tokio::test]
async fn generic_code_is_bound_by_driver() {
    let telemetry = Capture::new();
    let schema = Schema::new("generic_code_with_otelware").await;
    let pool = schema.pool().await;
    assert_eq!(generic::plain(&pool).await.unwrap(), 7);
    let pool =
        pool.instrument_with(SqlOptions::new().with_tracer_provider(telemetry.tracer_provider()));
    assert_eq!(generic::numbers(&pool).await.unwrap(), [7, 7, 7]);
    pool.close().await;
    schema.drop().await;
    assert_tree(
        &telemetry,
        "CLIENT SELECT\nCLIENT SELECT\nCLIENT BEGIN\nCLIENT SELECT\nCLIENT COMMIT",
    );
}

#[tokio::test]
async fn migrations_that_the_pool_runs_have_spans() {
    let telemetry = Capture::new();
    let schema = Schema::new("migrations_with_otelware").await;
    let pool = schema
        .pool()
        .await
        .instrument_with(SqlOptions::new().with_tracer_provider(telemetry.tracer_provider()));
    let migrations = sqlx::migrate!("tests/user_code/migrations");
    let context =
        Context::new().with_span(telemetry.tracer_provider().tracer("test").start("deploy"));
    pool.migrate(&migrations)
        .with_context(context)
        .await
        .unwrap();
    let none = sqlx::migrate::Migrator::with_migrations(Vec::new());
    let missing = pool.migrate(&none).await;
    assert!(
        matches!(missing, Err(sqlx::migrate::MigrateError::VersionMissing(1))),
        "{missing:?}"
    );
    pool.close().await;
    schema.drop().await;
    assert_tree(
        &telemetry,
        "\
INTERNAL deploy
  INTERNAL migrate
    INTERNAL migrate 1 customers
    INTERNAL migrate 2 orders
INTERNAL migrate",
    );
    assert_eq!(errors(&telemetry), ["migrate: MigrateError"]);
}
