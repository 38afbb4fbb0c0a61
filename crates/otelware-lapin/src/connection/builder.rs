//! Connections that are put together step by step.

use super::{Connection, defaults};
use crate::settings::AmqpOptions;
use async_rs::Runtime;
use async_rs::traits::RuntimeKit;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{ConnectionProperties, Result};

/// Puts a connection together step by step, as [`lapin::ConnectionBuilder`].
pub struct ConnectionBuilder<RK: RuntimeKit + Send + Sync + Clone + 'static> {
    inner: lapin::ConnectionBuilder<RK>,
    options: AmqpOptions,
}

/// One on lapin's default runtime.
pub type DefaultConnectionBuilder =
    ConnectionBuilder<<lapin::DefaultConnectionBuilder as OnRuntime>::Kit>;

/// What runs on a runtime, of which lapin gives its default one no name.
pub trait OnRuntime {
    /// The kind of the runtime.
    type Kit: RuntimeKit + Send + Sync + Clone + 'static;
}

impl<RK: RuntimeKit + Send + Sync + Clone + 'static> OnRuntime for lapin::ConnectionBuilder<RK> {
    type Kit = RK;
}

impl DefaultConnectionBuilder {
    /// A builder on lapin's default runtime.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub fn new() -> Result<Self> {
        let inner = lapin::DefaultConnectionBuilder::new()?;
        Ok(Self::of(inner))
    }
}

impl<RK: RuntimeKit + Send + Sync + Clone + 'static> ConnectionBuilder<RK> {
    fn of(inner: lapin::ConnectionBuilder<RK>) -> Self {
        let options = defaults();
        Self { inner, options }
    }

    /// A builder on this runtime.
    pub fn new_with_runtime(runtime: Runtime<RK>) -> Self {
        Self::of(lapin::ConnectionBuilder::new_with_runtime(runtime))
    }

    /// How the connection is observed.
    #[must_use]
    pub fn with_options(mut self, options: AmqpOptions) -> Self {
        self.options = options.or_server_of(self.options);
        self
    }

    /// The server, by a parsed URI.
    #[must_use]
    pub fn with_uri(mut self, uri: AMQPUri) -> Self {
        self.options = self.options.with_server_of_uri(&uri);
        self.inner = self.inner.with_uri(uri);
        self
    }

    /// The server, by the text of a URI.
    #[must_use]
    pub fn with_uri_str(mut self, uri: String) -> Self {
        self.options = self.options.with_server_of(&uri);
        self.inner = self.inner.with_uri_str(uri);
        self
    }

    /// The properties of the connection.
    #[must_use]
    pub fn with_properties(mut self, properties: ConnectionProperties) -> Self {
        self.inner = self.inner.with_properties(properties);
        self
    }

    /// What TLS is to be like.
    #[must_use]
    pub fn with_tls_config(mut self, tls_config: OwnedTLSConfig) -> Self {
        self.inner = self.inner.with_tls_config(tls_config);
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(self.inner.connect(), self.options.clone()).await
    }
}

/// Without the URI, in which a password may be.
impl<RK: RuntimeKit + Send + Sync + Clone + 'static> std::fmt::Debug for ConnectionBuilder<RK> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionBuilder")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
