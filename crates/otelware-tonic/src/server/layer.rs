use super::bodies::{ObserveBodies, PassBodies};
#[cfg(feature = "descriptors")]
use super::descriptors::{self, InvalidDescriptorSet};
use super::service::GrpcServer;
use crate::options::{Options, with_options};
use crate::role::Role;
use crate::running::Shared;
use crate::view::CallView;
use otelware::http::HeaderCapture;
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Lazily, Providers, Signals};
use otelware::propagation::Trust;
use otelware::semconv::attribute;
use std::marker::PhantomData;
use std::sync::Arc;
use tonic::server::NamedService;
use tower_layer::Layer;

/// Observes the calls of a gRPC server: a span and a duration for each of them.
///
/// It goes around all services of a server, or around one service:
///
/// ```
/// use otelware_tonic::GrpcServerLayer;
/// use tonic::transport::Server;
///
/// let server = Server::builder().layer(GrpcServerLayer::new());
/// ```
///
/// Clones share what they have learnt. The type parameter tells whether the messages of requests
/// are seen; see [`with_message_counts`](Self::with_message_counts).
#[derive(Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct GrpcServerLayer<Bodies = PassBodies> {
    shared: Arc<Shared>,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<Bodies> Clone for GrpcServerLayer<Bodies> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            bodies: PhantomData,
        }
    }
}

impl Default for GrpcServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl GrpcServerLayer {
    /// A layer with the defaults, and the global providers and propagator.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Lazily::new(Options::new(Role::Server))),
            bodies: PhantomData,
        }
    }
}

impl<Bodies> GrpcServerLayer<Bodies> {
    fn options_mut(&mut self) -> &mut Options {
        Lazily::options_mut(&mut self.shared)
    }

    fn providers_mut(&mut self) -> &mut Providers {
        &mut self.options_mut().providers
    }

    with_options!();

    /// Tells these methods apart, `package.Service/Method`, and no others: every other call is one
    /// of `_OTHER`. The three methods that list methods add up.
    ///
    /// The methods of gRPC's health checking and reflection are always told apart.
    ///
    /// Without a list a method is told apart once it has been answered other than by an error before
    /// any message, which interceptors can give to any method. Samplers do not see the method of the
    /// calls before.
    pub fn with_known_methods<I>(mut self, methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let methods = methods.into_iter().map(Into::into);
        self.options_mut().list_methods(methods);
        self
    }

    /// Tells these methods of a service apart, and no others; see
    /// [`with_known_methods`](Self::with_known_methods).
    ///
    /// ```
    /// # use otelware_tonic::GrpcServerLayer;
    /// # struct OrdersServer;
    /// # impl tonic::server::NamedService for OrdersServer { const NAME: &'static str = "Orders"; }
    /// # let orders = OrdersServer;
    /// use tower::Layer;
    ///
    /// let orders = GrpcServerLayer::new()
    ///     .with_known_methods_of::<OrdersServer>(["PlaceOrder", "WatchOrder"])
    ///     .layer(orders);
    /// ```
    pub fn with_known_methods_of<S: NamedService>(
        self,
        methods: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let name = |method: &dyn AsRef<str>| format!("{}/{}", S::NAME, method.as_ref());
        self.with_known_methods(methods.into_iter().map(|method| name(&method)))
    }

    /// Tells the methods of all services in this encoded file descriptor set apart, and no others;
    /// see [`with_known_methods`](Self::with_known_methods).
    ///
    /// # Errors
    ///
    /// The bytes are no encoded file descriptor set.
    #[cfg(feature = "descriptors")]
    pub fn with_file_descriptor_set(self, encoded: &[u8]) -> Result<Self, InvalidDescriptorSet> {
        Ok(self.with_known_methods(descriptors::methods(encoded)?))
    }

    /// Decides what callers may say of the trace: they are trusted by default. A service that
    /// faces the public sets [`Trust::Public`]. Inside the span of an HTTP layer that one decides.
    pub fn with_trust(self, trust: Trust) -> Self {
        self.with_trust_of(move |_| trust)
    }

    /// Decides for each call what its caller may say of the trace.
    pub fn with_trust_of(
        mut self,
        trust: impl Fn(CallView<'_>) -> Trust + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().trust = Some(Arc::new(trust));
        self
    }

    /// Counts calls in flight as `otelware.rpc.server.active_calls`.
    pub fn with_active_calls(mut self) -> Self {
        self.options_mut().active_calls = true;
        self
    }

    /// Adds an event `rpc.message` to the span for each message, with its direction, its number
    /// and its size. SDKs keep 128 events of a span by default, and count the rest.
    ///
    /// The inner service then gets its request's body in a
    /// [`RequestBody`](super::RequestBody); services of tonic's take any body.
    pub fn with_message_events(mut self) -> GrpcServerLayer<ObserveBodies> {
        self.options_mut().message_events = true;
        self.observing()
    }

    /// Counts messages and bytes of each call, for the span and as
    /// `otelware.rpc.server.request.messages`, `otelware.rpc.server.response.messages`,
    /// `otelware.rpc.server.request.size` and `otelware.rpc.server.response.size`.
    ///
    /// The inner service then gets its request's body in a
    /// [`RequestBody`](super::RequestBody); services of tonic's take any body.
    pub fn with_message_counts(mut self) -> GrpcServerLayer<ObserveBodies> {
        self.options_mut().message_counts = true;
        self.observing()
    }

    fn observing(self) -> GrpcServerLayer<ObserveBodies> {
        GrpcServerLayer {
            shared: self.shared,
            bodies: PhantomData,
        }
    }
}

impl<S, Bodies> Layer<S> for GrpcServerLayer<Bodies> {
    type Service = GrpcServer<S, Bodies>;

    fn layer(&self, inner: S) -> Self::Service {
        GrpcServer::new(inner, self.shared.clone())
    }
}
