//! Sentinels, under the names that [`redis::sentinel`] has for them.

use crate::client::{Client, Connection, Instrument};
use crate::core::Core;
use crate::instrumented::Instrumented;
use crate::options::RedisOptions;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
use crate::pool::{Manages, Observer};
use crate::server::Server;
use redis::sentinel::{SentinelNodeConnectionInfo, SentinelServerType};
use redis::{IntoConnectionInfo, RedisResult};
use std::sync::Arc;

/// As many servers are kept apart.
const MOST: usize = 64;

/// The servers that sentinels have told of, each with what its connections share.
#[derive(Debug)]
struct Servers {
    options: RedisOptions,
    known: Vec<Arc<Core>>,
}

impl Servers {
    const fn new(options: RedisOptions) -> Self {
        Self {
            options,
            known: Vec::new(),
        }
    }

    fn instrument(&mut self, client: redis::Client) -> Client {
        let server = Server::from(client.get_connection_info());
        let known = self.known.iter().find(|core| *core.server() == server);
        let core = match known {
            Some(core) => core.clone(),
            None => {
                let core = Core::new(self.options.clone(), server);
                if self.known.len() >= MOST {
                    self.known.remove(0);
                }
                self.known.push(core.clone());
                core
            }
        };
        Instrumented::of_client(client, core)
    }
}

/// Sentinels, whose clients have connections that are observed. It takes the place of
/// [`redis::sentinel::Sentinel`].
pub struct Sentinel {
    inner: redis::sentinel::Sentinel,
    servers: Servers,
}

impl Instrument for redis::sentinel::Sentinel {
    type Instrumented = Sentinel;

    fn instrument_with(self, options: RedisOptions) -> Sentinel {
        Sentinel {
            inner: self,
            servers: Servers::new(options),
        }
    }
}

impl std::fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sentinel").finish_non_exhaustive()
    }
}

macro_rules! clients {
    ($($method:ident, $asynchronous:ident;)*) => {$(
        #[doc = concat!("As [`redis::sentinel::Sentinel::", stringify!($method), "`].")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`redis::sentinel::Sentinel::", stringify!($method), "`].")]
        pub fn $method(
            &mut self,
            service_name: &str,
            node_connection_info: Option<&SentinelNodeConnectionInfo>,
        ) -> RedisResult<Client> {
            let client = self.inner.$method(service_name, node_connection_info)?;
            Ok(self.servers.instrument(client))
        }

        #[doc = concat!("As [`redis::sentinel::Sentinel::", stringify!($asynchronous), "`].")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`redis::sentinel::Sentinel::", stringify!($asynchronous), "`].")]
        #[cfg(feature = "aio")]
        pub async fn $asynchronous(
            &mut self,
            service_name: &str,
            node_connection_info: Option<&SentinelNodeConnectionInfo>,
        ) -> RedisResult<Client> {
            let asked = self.inner.$asynchronous(service_name, node_connection_info);
            let client = asked.await?;
            Ok(self.servers.instrument(client))
        }
    )*};
}

impl Sentinel {
    /// As [`redis::sentinel::Sentinel::build`], with the defaults of [`RedisOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::Sentinel::build`].
    pub fn build<T: IntoConnectionInfo>(params: Vec<T>) -> RedisResult<Self> {
        Ok(redis::sentinel::Sentinel::build(params)?.instrument())
    }

    /// redis-rs' own; what its clients' connections do is not observed.
    pub const fn get_mut(&mut self) -> &mut redis::sentinel::Sentinel {
        &mut self.inner
    }

    clients! {
        master_for, async_master_for;
        replica_for, async_replica_for;
        replica_rotate_for, async_replica_rotate_for;
    }

    /// As [`redis::sentinel::Sentinel::get_replica_clients`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::Sentinel::get_replica_clients`].
    pub fn get_replica_clients(
        &mut self,
        service_name: &str,
        node_connection_info: Option<&SentinelNodeConnectionInfo>,
    ) -> RedisResult<Vec<Client>> {
        let clients = (self.inner).get_replica_clients(service_name, node_connection_info)?;
        let instrument = |client| self.servers.instrument(client);
        Ok(clients.into_iter().map(instrument).collect())
    }

    /// As [`redis::sentinel::Sentinel::async_get_replica_clients`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::Sentinel::async_get_replica_clients`].
    #[cfg(feature = "aio")]
    pub async fn async_get_replica_clients(
        &mut self,
        service_name: &str,
        node_connection_info: Option<&SentinelNodeConnectionInfo>,
    ) -> RedisResult<Vec<Client>> {
        let asked = (self.inner).async_get_replica_clients(service_name, node_connection_info);
        let clients = asked.await?;
        let instrument = |client| self.servers.instrument(client);
        Ok(clients.into_iter().map(instrument).collect())
    }
}

/// A client of the server that sentinels tell of, whose connections are observed. It takes the place
/// of [`redis::sentinel::SentinelClient`].
pub struct SentinelClient {
    inner: redis::sentinel::SentinelClient,
    servers: Servers,
}

impl Instrument for redis::sentinel::SentinelClient {
    type Instrumented = SentinelClient;

    fn instrument_with(self, options: RedisOptions) -> SentinelClient {
        SentinelClient {
            inner: self,
            servers: Servers::new(options),
        }
    }
}

impl std::fmt::Debug for SentinelClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentinelClient").finish_non_exhaustive()
    }
}

impl SentinelClient {
    /// As [`redis::sentinel::SentinelClient::build`], with the defaults of [`RedisOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::build`].
    pub fn build<T: IntoConnectionInfo>(
        params: Vec<T>,
        service_name: String,
        node_connection_info: Option<SentinelNodeConnectionInfo>,
        server_type: SentinelServerType,
    ) -> RedisResult<Self> {
        let client = redis::sentinel::SentinelClient::build(
            params,
            service_name,
            node_connection_info,
            server_type,
        )?;
        Ok(client.instrument())
    }

    /// redis-rs' own; what its connections do is not observed.
    pub const fn get_mut(&mut self) -> &mut redis::sentinel::SentinelClient {
        &mut self.inner
    }

    /// What a pool of its connections is observed by, whichever server they are to.
    #[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
    fn observer(&self) -> Observer {
        Observer::new(Core::new(self.servers.options.clone(), Server::default()))
    }

    /// As [`redis::sentinel::SentinelClient::get_client`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::get_client`].
    pub fn get_client(&mut self) -> RedisResult<Client> {
        let client = self.inner.get_client()?;
        Ok(self.servers.instrument(client))
    }

    /// As [`redis::sentinel::SentinelClient::get_sentinel_client`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::get_sentinel_client`].
    pub fn get_sentinel_client(&mut self) -> RedisResult<Client> {
        let client = self.inner.get_sentinel_client()?;
        Ok(self.servers.instrument(client))
    }

    /// As [`redis::sentinel::SentinelClient::get_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::get_connection`].
    pub fn get_connection(&mut self) -> RedisResult<Connection> {
        self.get_client()?.get_connection()
    }
}

#[cfg(feature = "aio")]
impl SentinelClient {
    /// As [`redis::sentinel::SentinelClient::async_get_client`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::async_get_client`].
    pub async fn async_get_client(&mut self) -> RedisResult<Client> {
        let client = self.inner.async_get_client().await?;
        Ok(self.servers.instrument(client))
    }

    /// As [`redis::sentinel::SentinelClient::async_get_sentinel_client`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::async_get_sentinel_client`].
    pub async fn async_get_sentinel_client(&mut self) -> RedisResult<Client> {
        let client = self.inner.async_get_sentinel_client().await?;
        Ok(self.servers.instrument(client))
    }

    /// As [`redis::sentinel::SentinelClient::get_async_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::get_async_connection`].
    pub async fn get_async_connection(&mut self) -> RedisResult<crate::aio::MultiplexedConnection> {
        self.get_async_connection_with_config(&redis::AsyncConnectionConfig::new())
            .await
    }

    /// As [`redis::sentinel::SentinelClient::get_async_connection_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::sentinel::SentinelClient::get_async_connection_with_config`].
    pub async fn get_async_connection_with_config(
        &mut self,
        config: &redis::AsyncConnectionConfig,
    ) -> RedisResult<crate::aio::MultiplexedConnection> {
        let client = self.async_get_client().await?;
        (client.get_multiplexed_async_connection_with_config(config)).await
    }
}

/// A client that a pool of connections that block the thread can be filled by. It takes the place of
/// `redis::sentinel::LockedSentinelClient`.
#[cfg(feature = "r2d2")]
#[derive(Debug)]
pub struct LockedSentinelClient {
    client: std::sync::Mutex<SentinelClient>,
    observer: Observer,
}

#[cfg(feature = "r2d2")]
impl LockedSentinelClient {
    /// As `redis::sentinel::LockedSentinelClient::new`.
    pub fn new(client: SentinelClient) -> Self {
        Self {
            observer: client.observer(),
            client: client.into(),
        }
    }

    /// As `redis::sentinel::LockedSentinelClient::get_connection`.
    ///
    /// # Errors
    ///
    /// Those of `redis::sentinel::LockedSentinelClient::get_connection`.
    pub fn get_connection(&self) -> RedisResult<Connection> {
        let client = self.client.lock();
        let mut client = client.unwrap_or_else(std::sync::PoisonError::into_inner);
        client.get_connection()
    }
}

#[cfg(feature = "r2d2")]
impl Manages for LockedSentinelClient {
    fn observer(&self) -> Observer {
        self.observer.clone()
    }
}

/// A client that a pool of asynchronous connections can be filled by. It takes the place of
/// `redis::sentinel::AsyncLockedSentinelClient`.
#[cfg(any(feature = "bb8", feature = "deadpool"))]
#[derive(Debug)]
pub struct AsyncLockedSentinelClient {
    client: tokio::sync::Mutex<SentinelClient>,
    observer: Observer,
}

#[cfg(any(feature = "bb8", feature = "deadpool"))]
impl AsyncLockedSentinelClient {
    /// As `redis::sentinel::AsyncLockedSentinelClient::new`.
    pub fn new(client: SentinelClient) -> Self {
        Self {
            observer: client.observer(),
            client: client.into(),
        }
    }

    /// As `redis::sentinel::AsyncLockedSentinelClient::get_async_connection`.
    ///
    /// # Errors
    ///
    /// Those of `redis::sentinel::AsyncLockedSentinelClient::get_async_connection`.
    pub async fn get_async_connection(&self) -> RedisResult<crate::aio::MultiplexedConnection> {
        self.client.lock().await.get_async_connection().await
    }
}

#[cfg(any(feature = "bb8", feature = "deadpool"))]
impl Manages for AsyncLockedSentinelClient {
    fn observer(&self) -> Observer {
        self.observer.clone()
    }
}
