//! Takes orders: over everything else that there is.
//!
//! | File | Shows |
//! |---|---|
//! | [`routes`] | a server's layer, work that goes on where its caller goes away |
//! | [`place`] | a metric of one's own |
//! | [`prices`] | a cache in Redis that may be away |
//! | [`stock`] | a client of tonic: a unary call, a stream in both directions |
//! | [`money`] | an HTTP client that retries, each attempt a span |
//! | [`database`] | one code for SQLite, PostgreSQL and MariaDB; a transaction |
//! | [`events`] | a producer of Kafka |
//! | [`outbox`] | work that is made up for later, in the trace where it began |

mod database;
mod events;
mod money;
mod outbox;
mod place;
mod prices;
mod refusal;
mod routes;
mod stock;

use crate::service::Failure;
use crate::service::http::serve;
use database::Database;
use events::Events;
use money::Money;
use otelware::opentelemetry::global;
use otelware::opentelemetry::metrics::Counter;
use prices::Prices;
use stock::Stock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// All that it takes to place an order.
#[derive(Clone)]
struct Shop {
    prices: Prices,
    stock: Stock,
    money: Money,
    database: Database,
    events: Events,
    orders: Counter<u64>,
    /// Orders that are being placed, whether or not their customers wait for it.
    placing: TaskTracker,
}

/// Nothing here waits for long for what may be away: until it comes, the answer is 503.
pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    let stock = Stock::from_environment()?;
    let shop = Shop {
        prices: Prices::from_environment(stock.clone())?,
        stock,
        money: Money::from_environment()?,
        database: Database::from_environment().await?,
        events: Events::from_environment()?,
        orders: global::meter("shop")
            .u64_counter("shop.orders")
            .with_unit("{order}")
            .with_description("Orders, by what became of them")
            .build(),
        placing: TaskTracker::new(),
    };
    let relay = outbox::relay(shop.database.clone(), shop.events.clone(), stop.clone());
    let relay = tokio::spawn(relay);
    let placing = shop.placing.clone();
    serve(routes::routes(shop), "127.0.0.1:8081", stop).await?;
    placing.close();
    placing.wait().await;
    Ok(relay.await?)
}
