//! A cache beside a slower source, that counts what it had and what it had not.

use otelware::opentelemetry::metrics::Counter;
use otelware::opentelemetry::{KeyValue, global};
use otelware_redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, RedisError};
use std::time::Duration;

/// Where what is cached lies.
#[derive(Clone)]
pub(crate) enum Store {
    /// On a server, for all instances of the service. Its commands have spans and metrics.
    Redis(MultiplexedConnection),
    /// In this process.
    Memory(moka::future::Cache<String, String>),
}

impl Store {
    const fn name(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis",
            Self::Memory(_) => "memory",
        }
    }

    async fn get(&self, key: &str) -> Result<Option<String>, RedisError> {
        match self {
            Self::Redis(connection) => connection.clone().get(key).await,
            Self::Memory(cache) => Ok(cache.get(key).await),
        }
    }

    async fn set(&self, key: &str, value: &str, lives: Duration) -> Result<(), RedisError> {
        match self {
            Self::Redis(connection) => {
                let mut connection = connection.clone();
                connection.set_ex(key, value, lives.as_secs()).await
            }
            Self::Memory(cache) => {
                cache.insert(key.to_owned(), value.to_owned()).await;
                Ok(())
            }
        }
    }
}

/// What is asked for first, before the source is. Clones share it.
#[derive(Clone)]
pub(crate) struct Cache {
    store: Store,
    prefix: String,
    lives: Duration,
    /// A metric of the program's own. The conventions have none for caches, so that it is named after
    /// the program.
    lookups: Counter<u64>,
}

impl Cache {
    /// A cache whose keys begin with `prefix`, and whose values live so long.
    pub(crate) fn new(store: Store, prefix: String, lives: Duration) -> Self {
        let lookups = global::meter("cache")
            .u64_counter("shop.cache.lookups")
            .with_unit("{lookup}")
            .with_description("What was looked for in the cache, by whether it was there.")
            .build();
        Self {
            store,
            prefix,
            lives,
            lookups,
        }
    }

    /// What is cached under the name, or what `load` gives, which is then cached. A cache that fails is
    /// one that has nothing.
    pub(crate) async fn get_or_load<F, E>(&self, name: &str, load: F) -> Result<Option<String>, E>
    where
        F: Future<Output = Result<Option<String>, E>>,
    {
        let key = format!("{}{name}", self.prefix);
        let found = self.store.get(&key).await;
        self.count(match &found {
            Ok(Some(_)) => "hit",
            Ok(None) => "miss",
            Err(_) => "error",
        });
        match found {
            Ok(Some(value)) => return Ok(Some(value)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the cache is not there"),
        }
        let loaded = load.await?;
        if let Some(value) = &loaded
            && let Err(error) = self.store.set(&key, value, self.lives).await
        {
            tracing::warn!(%error, "nothing was cached");
        }
        Ok(loaded)
    }

    fn count(&self, result: &'static str) {
        self.lookups.add(
            1,
            &[
                KeyValue::new("shop.cache.store", self.store.name()),
                KeyValue::new("shop.cache.result", result),
            ],
        );
    }
}
