//! URIs that connect by themselves.

use super::{Connection, defaults};
use async_rs::Runtime;
use async_rs::traits::RuntimeKit;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{ConnectionProperties, Result};

/// URIs that connect by themselves, as [`lapin::Connect`].
pub trait Connect: Sized {
    /// Connects to the server that the URI names.
    fn connect(
        self,
        options: ConnectionProperties,
    ) -> impl Future<Output = Result<Connection>> + Send;

    /// The same, with this runtime and this TLS.
    fn connect_with_config<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        self,
        options: ConnectionProperties,
        config: OwnedTLSConfig,
        runtime: Runtime<RK>,
    ) -> impl Future<Output = Result<Connection>> + Send;
}

impl Connect for AMQPUri {
    async fn connect(self, options: ConnectionProperties) -> Result<Connection> {
        Connection::connect_uri(self, options).await
    }

    async fn connect_with_config<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        self,
        options: ConnectionProperties,
        config: OwnedTLSConfig,
        runtime: Runtime<RK>,
    ) -> Result<Connection> {
        Connection::connect_uri_with_config(self, options, config, runtime).await
    }
}

impl Connect for &str {
    async fn connect(self, options: ConnectionProperties) -> Result<Connection> {
        Connection::connect_with(self, options, defaults()).await
    }

    async fn connect_with_config<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        self,
        options: ConnectionProperties,
        config: OwnedTLSConfig,
        runtime: Runtime<RK>,
    ) -> Result<Connection> {
        Connection::connect_with_config(self, options, config, runtime).await
    }
}
