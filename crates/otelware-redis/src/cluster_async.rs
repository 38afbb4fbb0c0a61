//! Asynchronous connections to clusters, under the names that [`redis::cluster_async`] has for them.

use crate::aio::subscriptions;
use crate::call;
use crate::command;
use crate::instrumented::{Instrumented, batch_of, begin_pipeline, end, end_batch};
use crate::node::Node;
use crate::streams::carry;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterConfig;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, ToRedisArgs, Value};

/// A connection to a cluster, observed. It takes the place of
/// [`redis::cluster_async::ClusterConnection`].
pub type ClusterConnection = Instrumented<Cluster>;

/// redis-rs' own connection to a cluster, of either of two types: it is to be had by
/// [`get_mut`](Instrumented::get_mut) and [`into_inner`](Instrumented::into_inner).
#[derive(Clone)]
#[non_exhaustive]
pub enum Cluster {
    /// By nodes that count redirections.
    Counting(redis::cluster_async::ClusterConnection<Node<MultiplexedConnection>>),
    /// By redis-rs' own nodes.
    Plain(redis::cluster_async::ClusterConnection),
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// What was opened elsewhere: its redirections are not seen.
impl From<redis::cluster_async::ClusterConnection> for Cluster {
    fn from(connection: redis::cluster_async::ClusterConnection) -> Self {
        Self::Plain(connection)
    }
}

/// Whichever kind it is, it does the same.
macro_rules! delegate {
    ($cluster:expr, $connection:ident => $run:expr) => {
        match $cluster {
            Cluster::Counting($connection) => $run,
            Cluster::Plain($connection) => $run,
        }
    };
}

impl ConnectionLike for Cluster {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        delegate!(self, connection => connection.req_packed_command(cmd))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        delegate!(self, connection => connection.req_packed_commands(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        match self {
            Cluster::Counting(connection) => connection.get_db(),
            Cluster::Plain(connection) => connection.get_db(),
        }
    }
}

macro_rules! delegated {
    ($($method:ident),*) => {
        impl Cluster {$(
            async fn $method(&mut self, channel: impl ToRedisArgs) -> RedisResult<()> {
                delegate!(self, connection => connection.$method(channel).await)
            }
        )*}
    };
}

delegated!(
    subscribe,
    unsubscribe,
    psubscribe,
    punsubscribe,
    ssubscribe,
    sunsubscribe
);
subscriptions!(Cluster:
    subscribe "SUBSCRIBE",
    unsubscribe "UNSUBSCRIBE",
    psubscribe "PSUBSCRIBE",
    punsubscribe "PUNSUBSCRIBE",
    ssubscribe "SSUBSCRIBE",
    sunsubscribe "SUNSUBSCRIBE"
);

impl Instrumented<Cluster> {
    /// As [`redis::cluster_async::ClusterConnection::route_command`], observed as the command.
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster_async::ClusterConnection::route_command`].
    pub async fn route_command(&mut self, cmd: Cmd, routing: RoutingInfo) -> RedisResult<Value> {
        let Self { inner, session } = self;
        let mut operation = call::begin(session, None, || command::arguments(&cmd));
        let cmd = carry::command(session, &operation, &cmd).unwrap_or(cmd);
        let reply = delegate!(inner, connection => {
            operation.within(connection.route_command(cmd, routing)).await
        });
        end(session, operation, &reply);
        reply
    }

    /// As [`redis::cluster_async::ClusterConnection::route_pipeline`], observed as the pipeline.
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster_async::ClusterConnection::route_pipeline`].
    pub async fn route_pipeline(
        &mut self,
        pipeline: Pipeline,
        offset: usize,
        count: usize,
        route: SingleNodeRoutingInfo,
    ) -> RedisResult<Vec<Value>> {
        let Self { inner, session } = self;
        let batch = batch_of(&pipeline);
        let mut operation = begin_pipeline(session, None, &pipeline);
        let pipeline = carry::pipeline(session, &operation, &pipeline).unwrap_or(pipeline);
        let replies = delegate!(inner, connection => {
            let sent = connection.route_pipeline(pipeline, offset, count, route);
            operation.within(sent).await
        });
        end_batch(session, operation, batch, &replies);
        replies
    }

    /// As [`redis::cluster_async::ClusterConnection::get_cache_statistics`].
    #[cfg(feature = "cache-aio")]
    pub fn get_cache_statistics(&self) -> Option<redis::caching::CacheStatistics> {
        match &self.inner {
            Cluster::Counting(connection) => connection.get_cache_statistics(),
            Cluster::Plain(connection) => connection.get_cache_statistics(),
        }
    }
}

impl Instrumented<redis::cluster::ClusterClient> {
    /// As [`redis::cluster::ClusterClient::get_async_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::get_async_connection`].
    pub async fn get_async_connection(&self) -> RedisResult<ClusterConnection> {
        if self.core().server().nodes.is_empty() {
            let connecting = self.inner.get_async_connection();
            return self
                .connected_async(Box::pin(async { Ok(connecting.await?.into()) }))
                .await;
        }
        self.expect_nodes();
        let connecting = self.inner.get_async_generic_connection();
        self.connected_async(Box::pin(async { Ok(Cluster::Counting(connecting.await?)) }))
            .await
    }

    /// As [`redis::cluster::ClusterClient::get_async_connection_with_config`]. Redirections of such
    /// a connection are not seen; what it is configured with can be told the client's
    /// [builder](Self::builder) instead.
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::get_async_connection_with_config`].
    pub async fn get_async_connection_with_config(
        &self,
        config: ClusterConfig,
    ) -> RedisResult<ClusterConnection> {
        let connecting = self.inner.get_async_connection_with_config(config);
        self.connected_async(Box::pin(async { Ok(connecting.await?.into()) }))
            .await
    }

    /// As [`redis::cluster::ClusterClient::get_pending_async_connection_with_config`]. Redirections
    /// of such a connection are not seen.
    pub fn get_pending_async_connection_with_config(
        &self,
        config: ClusterConfig,
    ) -> ClusterConnection {
        let connection = self.inner.get_pending_async_connection_with_config(config);
        Instrumented::of(connection.into(), self.core().clone())
    }
}
