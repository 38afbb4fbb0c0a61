//! Interceptors, for those who cannot add a layer: they propagate context and do nothing else. An
//! interceptor does not see how a call goes on, so there are no spans and no metrics.

use otelware::opentelemetry::Context;
use otelware::opentelemetry::propagation::TextMapPropagator;
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::operation::Providers;
use otelware::propagation::{self, HeaderExtractor, HeaderInjector, Outbound, Trust};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Injects the current context into the metadata of calls.
///
/// ```
/// # struct OrdersClient;
/// # impl OrdersClient { fn with_interceptor<C>(_: C, _: impl tonic::service::Interceptor) {} }
/// # let channel = ();
/// use otelware_tonic::ClientInterceptor;
///
/// let client = OrdersClient::with_interceptor(channel, ClientInterceptor::new());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientInterceptor {
    providers: Providers,
    outbound: Outbound,
}

impl ClientInterceptor {
    /// An interceptor with the global propagator that sends everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Propagates context with this propagator instead of the global one.
    #[must_use]
    pub fn with_propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.providers.set_propagator(propagator);
        self
    }

    /// Decides what of the context goes out; everything by default.
    #[must_use]
    pub fn with_outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = outbound;
        self
    }
}

impl Interceptor for ClientInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let mut injector = HeaderInjector(request.metadata_mut().as_mut());
        let context = Context::current();
        self.providers.with_propagator(|propagator| {
            propagation::inject(propagator, &context, &mut injector, &self.outbound);
        });
        Ok(request)
    }
}

/// Extracts the context from the metadata of calls and puts it into their extensions, where the
/// handler finds it as an `opentelemetry::Context`.
///
/// ```
/// use otelware::opentelemetry::Context;
/// # async fn do_place_order() {}
///
/// async fn place_order(request: tonic::Request<()>) -> Result<tonic::Response<()>, tonic::Status> {
///     use otelware::opentelemetry::trace::FutureExt;
///
///     let context = request.extensions().get::<Context>().cloned().unwrap_or_default();
///     do_place_order().with_context(context).await;
///     Ok(tonic::Response::new(()))
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerInterceptor {
    providers: Providers,
    trust: Trust,
}

impl ServerInterceptor {
    /// An interceptor with the global propagator that trusts callers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Propagates context with this propagator instead of the global one.
    #[must_use]
    pub fn with_propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.providers.set_propagator(propagator);
        self
    }

    /// Decides what callers may say of the trace: they are trusted by default. Of one that is not,
    /// nothing is taken.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }
}

impl Interceptor for ServerInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let inbound = self.providers.with_propagator(|propagator| {
            let carrier = HeaderExtractor(request.metadata().as_ref());
            propagation::extract(propagator, &carrier, self.trust)
        });
        let current = Context::current();
        // Beneath a layer, the context of the server's span goes on.
        let context = match current.has_active_span() {
            true => current,
            false => inbound.parent,
        };
        request.extensions_mut().insert(context);
        Ok(request)
    }
}
