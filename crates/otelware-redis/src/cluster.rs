//! Clusters, and connections to them that block the thread, under the names that
//! [`redis::cluster`] has for them.

use crate::batch::Batch;
use crate::call;
use crate::claims;
use crate::client::Instrument;
use crate::command;
use crate::core::Core;
use crate::instrumented::{Instrumented, end, end_batch};
use crate::options::RedisOptions;
use crate::server::Server;
use crate::streams::carry;
use redis::cluster::{ClusterConfig, ClusterPipeline, Connect, NodeAddress};
use redis::cluster_routing::RoutingInfo;
use redis::{
    Cmd, ConnectionInfo, ConnectionLike, FromRedisValue, IntoConnectionInfo, ProtocolVersion,
    RedisResult, Value,
};
use std::collections::HashMap;
use std::time::Duration;

pub use crate::node::Node;

/// A client of a cluster whose connections are observed. It takes the place of
/// [`redis::cluster::ClusterClient`].
///
/// Spans and metrics have an address where one node alone is known beforehand, and redirections
/// are counted, if it was made by [`new`](Self::new) or [`builder`](Self::builder): a client of
/// redis-rs that is [instrumented](Instrument) later does not tell its nodes.
pub type ClusterClient = Instrumented<redis::cluster::ClusterClient>;

/// A connection to a cluster that blocks the thread, observed. It takes the place of
/// [`redis::cluster::ClusterConnection`].
pub type ClusterConnection<C = redis::Connection> =
    Instrumented<redis::cluster::ClusterConnection<C>>;

impl Instrument for redis::cluster::ClusterClient {
    type Instrumented = ClusterClient;

    fn instrument_with(self, options: RedisOptions) -> ClusterClient {
        Instrumented::of_client(self, Core::new(options, Server::default()))
    }
}

impl From<redis::cluster::ClusterClient> for ClusterClient {
    fn from(client: redis::cluster::ClusterClient) -> Self {
        client.instrument()
    }
}

impl Instrumented<redis::cluster::ClusterClient> {
    /// As [`redis::cluster::ClusterClient::new`], with the defaults of [`RedisOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::new`].
    pub fn new<T: IntoConnectionInfo>(nodes: impl IntoIterator<Item = T>) -> RedisResult<Self> {
        Self::builder(nodes).build()
    }

    /// As [`redis::cluster::ClusterClient::builder`].
    pub fn builder<T: IntoConnectionInfo>(
        nodes: impl IntoIterator<Item = T>,
    ) -> ClusterClientBuilder {
        ClusterClientBuilder::new(nodes)
    }

    /// As [`redis::cluster::ClusterClient::get_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::get_connection`].
    pub fn get_connection(&self) -> RedisResult<ClusterConnection> {
        self.connected(|| self.inner.get_connection())
    }

    /// As [`redis::cluster::ClusterClient::get_connection_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::get_connection_with_config`].
    pub fn get_connection_with_config(
        &self,
        config: ClusterConfig,
    ) -> RedisResult<ClusterConnection> {
        self.connected(|| self.inner.get_connection_with_config(config))
    }

    /// A connection that counts redirections, for which it has nodes of our own: what
    /// [`cluster_pipe`](redis::cluster::cluster_pipe) makes can't be sent by it.
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClient::get_connection`].
    pub fn get_connection_counting_redirections(&self) -> RedisResult<ClusterConnection<Node>> {
        self.expect_nodes();
        claims::at_work(self.core());
        self.connected(|| self.inner.get_generic_connection::<Node>())
    }

    /// The nodes that are known beforehand are about to be connected.
    pub(crate) fn expect_nodes(&self) {
        for (host, port) in &self.core().server().nodes {
            claims::expect_now(host, *port, self.core());
        }
    }
}

/// What a client of a cluster is made with. It takes the place of
/// [`redis::cluster::ClusterClientBuilder`].
#[must_use = "a builder does nothing until it builds"]
pub struct ClusterClientBuilder {
    inner: RedisResult<redis::cluster::ClusterClientBuilder>,
    server: Server,
    options: RedisOptions,
}

macro_rules! settings {
    ($($(#[$condition:meta])* $method:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("As the method `", stringify!($method), "` of redis-rs' builder.")]
        $(#[$condition])*
        pub fn $method(self, $($argument: $type),*) -> Self {
            self.configure(|builder| builder.$method($($argument),*))
        }
    )*};
}

impl ClusterClientBuilder {
    /// As [`redis::cluster::ClusterClientBuilder::new`].
    pub fn new<T: IntoConnectionInfo>(nodes: impl IntoIterator<Item = T>) -> Self {
        let nodes: RedisResult<Vec<ConnectionInfo>> = nodes
            .into_iter()
            .map(IntoConnectionInfo::into_connection_info)
            .collect();
        let server = match &nodes {
            Ok(nodes) => Server::of_cluster(nodes),
            Err(_) => Server::default(),
        };
        Self {
            inner: nodes.map(redis::cluster::ClusterClientBuilder::new),
            server,
            options: RedisOptions::new(),
        }
    }

    /// With these options.
    pub fn instrument_with(mut self, options: RedisOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets what redis-rs' own builder can be told besides.
    pub fn configure(
        mut self,
        configure: impl FnOnce(
            redis::cluster::ClusterClientBuilder,
        ) -> redis::cluster::ClusterClientBuilder,
    ) -> Self {
        self.inner = self.inner.map(configure);
        self
    }

    /// As [`redis::cluster::ClusterClientBuilder::node_address_map`]. (A map that is set by
    /// [`configure`](Self::configure) is not seen, and redirections by its nodes may not be
    /// counted.)
    pub fn node_address_map(mut self, map: HashMap<NodeAddress, NodeAddress>) -> Self {
        let place = |node: &NodeAddress| (node.host().to_owned(), node.port());
        self.server.addresses = map
            .iter()
            .map(|(node, to)| (place(node), place(to)))
            .collect();
        self.configure(|builder| builder.node_address_map(map))
    }

    settings! {
        username(username: impl AsRef<str>);
        password(password: impl AsRef<str>);
        retries(retries: u32);
        max_retry_wait(milliseconds: u64);
        min_retry_wait(milliseconds: u64);
        retry_wait_formula(factor: u64, exponent_base: u64);
        connection_timeout(timeout: Duration);
        response_timeout(timeout: Duration);
        use_protocol(protocol: ProtocolVersion);
        database_id(database: i64);
        tcp_settings(settings: redis::io::tcp::TcpSettings);
        read_routing_strategy(
            strategy: impl redis::cluster_read_routing::ReadRoutingStrategyFactory + 'static
        );
        #[cfg(feature = "cluster-async")]
        overall_response_timeout(timeout: Option<Duration>);
        #[cfg(feature = "cluster-async")]
        push_sender(sender: impl redis::aio::AsyncPushSender);
        #[cfg(feature = "cluster-async")]
        connection_concurrency_limit(limit: usize);
    }

    /// As [`redis::cluster::ClusterClientBuilder::build`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterClientBuilder::build`], and of an address that is none.
    pub fn build(self) -> RedisResult<ClusterClient> {
        let client = self.inner?.build()?;
        let core = Core::new(self.options, self.server);
        Ok(Instrumented::of_client(client, core))
    }
}

impl std::fmt::Debug for ClusterClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterClientBuilder")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl<C: ConnectionLike + Connect> Instrumented<redis::cluster::ClusterConnection<C>> {
    /// As [`redis::cluster::ClusterConnection::set_auto_reconnect`].
    pub fn set_auto_reconnect(&self, value: bool) {
        self.inner.set_auto_reconnect(value);
    }

    /// As [`redis::cluster::ClusterConnection::set_write_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterConnection::set_write_timeout`].
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_write_timeout(timeout)
    }

    /// As [`redis::cluster::ClusterConnection::set_read_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterConnection::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_read_timeout(timeout)
    }

    /// As [`redis::cluster::ClusterConnection::route_command`], observed as the command.
    ///
    /// # Errors
    ///
    /// Those of [`redis::cluster::ClusterConnection::route_command`].
    pub fn route_command(&mut self, cmd: &Cmd, routing: RoutingInfo) -> RedisResult<Value> {
        let Self { inner, session } = self;
        let mut operation = call::begin(session, None, || command::arguments(cmd));
        let carrying = carry::command(session, &operation, cmd);
        let reply = {
            let _entered = operation.enter();
            inner.route_command(carrying.as_ref().unwrap_or(cmd), routing)
        };
        end(session, operation, &reply);
        reply
    }
}

impl Instrumented<redis::cluster::ClusterConnection> {
    /// Runs what [`cluster_pipe`](redis::cluster::cluster_pipe) makes, observed as a pipeline:
    /// `connection.query_pipeline(&pipeline)` for `pipeline.query(&mut connection)`, which wants
    /// redis-rs' own connection. (Entries that it adds to streams carry no context.)
    ///
    /// # Errors
    ///
    /// Those of [`ClusterPipeline::query`].
    pub fn query_pipeline<T: FromRedisValue>(
        &mut self,
        pipeline: &ClusterPipeline,
    ) -> RedisResult<T> {
        let Self { inner, session } = self;
        let mut operation = call::begin_batch(session, None, Batch::Pipeline, || {
            pipeline.cmd_iter().map(command::arguments)
        });
        let replies: RedisResult<Vec<Value>> = {
            let _entered = operation.enter();
            pipeline.query(inner)
        };
        end_batch(session, operation, Batch::Pipeline, &replies);
        Ok(redis::from_redis_value(Value::Array(replies?))?)
    }
}
