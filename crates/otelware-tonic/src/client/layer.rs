use super::service::GrpcClient;
use crate::address::Address;
use crate::options::{Options, with_options};
use crate::role::Role;
use crate::running::Shared;
use crate::view::CallView;
use otelware::http::HeaderCapture;
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Lazily, Providers, Signals};
use otelware::propagation::Destinations;
use otelware::semconv::attribute;
use std::sync::Arc;
#[cfg(feature = "channel")]
use tonic::transport::Endpoint;
use tower_layer::Layer;

/// What tonic says the target of an endpoint with a Unix socket is.
#[cfg(feature = "channel")]
const UNIX_SOCKET: &str = "http://tonic/";

/// Observes the calls of a gRPC client: a span and a duration for each of them, and the context in
/// their metadata.
///
/// ```
/// # #[cfg(feature = "channel")]
/// # async fn example() -> Result<(), tonic::transport::Error> {
/// use otelware_tonic::GrpcClientLayer;
/// use tonic::transport::Endpoint;
///
/// let endpoint = Endpoint::from_static("http://orders:50051");
/// let channel = GrpcClientLayer::new().connect(&endpoint).await?;
/// // let client = OrdersClient::new(channel);
/// # Ok(())
/// # }
/// ```
///
/// As a layer it goes around a `Channel`, or around any other client that takes
/// `http::Request`s. Beneath a layer that retries, each attempt is a call of its own; see
/// [`AttemptCountLayer`](super::AttemptCountLayer). Clones share what they have learnt.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct GrpcClientLayer {
    shared: Arc<Shared>,
}

impl Default for GrpcClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl GrpcClientLayer {
    /// A layer with the defaults, and the global providers and propagator.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Lazily::new(Options::new(Role::Client))),
        }
    }

    fn options_mut(&mut self) -> &mut Options {
        Lazily::options_mut(&mut self.shared)
    }

    fn providers_mut(&mut self) -> &mut Providers {
        &mut self.options_mut().providers
    }

    with_options!();

    /// The server that is called, for `server.address` and `server.port`; without it they are
    /// those of the requests' targets, which tonic's `Channel` adds only later.
    pub fn with_server_address(mut self, host: &str, port: Option<u16>) -> Self {
        self.options_mut().address = Some(Address::new(host, port));
        self
    }

    /// The endpoint that is called, for `server.address` and `server.port`, unless
    /// [`with_server_address`](Self::with_server_address) has named the server. The path of a Unix
    /// socket is not to be seen in an endpoint: name that.
    #[cfg(feature = "channel")]
    pub fn with_endpoint(mut self, endpoint: &Endpoint) -> Self {
        if self.shared.options().address.is_none() && *endpoint.uri() != UNIX_SOCKET {
            self.options_mut().address = Address::of(endpoint.uri());
        }
        self
    }

    /// Connects to the endpoint, with the channel's calls observed.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::connect`].
    #[cfg(feature = "channel")]
    pub async fn connect(
        self,
        endpoint: &Endpoint,
    ) -> Result<super::Channel, tonic::transport::Error> {
        let channel = endpoint.connect().await?;
        Ok(self.with_endpoint(endpoint).layer(channel))
    }

    /// A channel that connects to the endpoint with its first call, its calls observed.
    #[cfg(feature = "channel")]
    pub fn connect_lazy(self, endpoint: &Endpoint) -> super::Channel {
        self.with_endpoint(endpoint).layer(endpoint.connect_lazy())
    }

    /// Decides which destinations get which context; by default all get everything. Where the
    /// server is not known (see [`with_server_address`](Self::with_server_address)), it gets the
    /// least that any rule allows.
    pub fn with_destinations(mut self, destinations: Destinations) -> Self {
        self.options_mut().destinations = destinations;
        self
    }

    /// Counts calls in flight as `otelware.rpc.client.active_calls`.
    pub fn with_active_calls(mut self) -> Self {
        self.options_mut().active_calls = true;
        self
    }

    /// Adds an event `rpc.message` to the span for each message, with its direction, its number
    /// and its size. SDKs keep 128 events of a span by default, and count the rest.
    pub fn with_message_events(mut self) -> Self {
        self.options_mut().message_events = true;
        self
    }

    /// Counts messages and bytes of each call, for the span and as
    /// `otelware.rpc.client.request.messages`, `otelware.rpc.client.response.messages`,
    /// `otelware.rpc.client.request.size` and `otelware.rpc.client.response.size`.
    pub fn with_message_counts(mut self) -> Self {
        self.options_mut().message_counts = true;
        self
    }
}

impl<S> Layer<S> for GrpcClientLayer {
    type Service = GrpcClient<S>;

    fn layer(&self, inner: S) -> GrpcClient<S> {
        GrpcClient::new(inner, self.shared.clone())
    }
}

#[cfg(all(test, feature = "channel"))]
mod tests {
    use super::*;

    fn address(layer: &GrpcClientLayer) -> Option<(&str, Option<u16>)> {
        let address = layer.shared.options().address.as_ref();
        address.map(|address| (address.host(), address.port()))
    }

    #[test]
    fn the_server_is_that_of_the_endpoint_unless_it_is_named() {
        let endpoint = Endpoint::from_static("http://orders:50051");
        let layer = GrpcClientLayer::new().with_endpoint(&endpoint);
        assert_eq!(address(&layer), Some(("orders", Some(50_051))));
        let layer = GrpcClientLayer::new()
            .with_server_address("shop", None)
            .with_endpoint(&endpoint);
        assert_eq!(address(&layer), Some(("shop", None)));
    }

    #[test]
    fn the_target_of_a_unix_socket_is_not_the_server() {
        let endpoint = Endpoint::from_static("unix:/run/orders.sock");
        let layer = GrpcClientLayer::new().with_endpoint(&endpoint);
        assert_eq!(address(&layer), None);
    }
}
