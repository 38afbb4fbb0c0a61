//! `HttpClientLayer` over hyper-util's client passes the suite for HTTP clients.
#![cfg(feature = "hyper-util")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::future::ready;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use otelware::propagation::{CompositePropagator, Destinations, Outbound};
use otelware_testing::http_client_suite;
use otelware_testing::suites::http_client::{
    BoxError, Capabilities, HttpClientUnderTest, Policy, ResponseBody, Setup,
};
use otelware_tower::HttpClientLayer;
use otelware_tower::client::{ResendCountLayer, UrlTemplate};
use tower::retry::RetryLayer;
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt};

/// Any layers over hyper-util's client.
#[derive(Clone)]
struct Hyper {
    service: BoxCloneSyncService<Request<Bytes>, Response<ResponseBody>, BoxError>,
    url_template: Option<&'static str>,
}

impl HttpClientUnderTest for Hyper {
    const SCOPE_NAME: &'static str = "otelware-tower";
    const SCOPE_VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SCHEMA_URL: &'static str = otelware::semconv::SCHEMA_URL;
    const CAPABILITIES: Capabilities = Capabilities {
        follows_redirects: false,
        sees_credentials: true,
        knows_peer: true,
    };

    fn new(setup: &Setup) -> Self {
        let bytes =
            ServiceBuilder::new().map_request(|request: Request<Bytes>| request.map(Full::new));
        // Counting the bytes of bodies and passing them on are two types of layers.
        let service = if setup.body_sizes {
            let layer = layer(setup).with_body_sizes();
            let client = Client::builder(TokioExecutor::new()).build_http();
            BoxCloneSyncService::new(erased(bytes.layer(layer).service(client)))
        } else if setup.twice {
            let layers = bytes.layer(layer(setup)).layer(layer(setup));
            BoxCloneSyncService::new(erased(layers.service(transport(setup))))
        } else if setup.retries {
            let layers = bytes
                .layer(ResendCountLayer::new())
                .layer(RetryLayer::new(OnceMoreIfBusy(1)))
                .layer(layer(setup));
            BoxCloneSyncService::new(erased(layers.service(transport(setup))))
        } else {
            let layers = bytes.layer(layer(setup));
            BoxCloneSyncService::new(erased(layers.service(transport(setup))))
        };
        Self {
            service,
            url_template: setup.url_template,
        }
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<ResponseBody>, BoxError> {
        if let Some(template) = self.url_template {
            request.extensions_mut().insert(UrlTemplate::new(template));
        }
        self.service.clone().oneshot(request).await
    }
}

fn layer(setup: &Setup) -> HttpClientLayer {
    let outbound = match setup.policy {
        Policy::Everything => Outbound::Everything,
        Policy::TraceContextOnly => Outbound::TraceContextOnly,
        Policy::Nothing => Outbound::Nothing,
    };
    let filtered = setup.filtered;
    let layer = HttpClientLayer::new()
        .with_tracer_provider(setup.telemetry.tracer_provider())
        .with_meter_provider(setup.telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_requests()
        .with_captured_request_headers(&setup.request_headers)
        .with_captured_response_headers(&setup.response_headers)
        .with_destinations(
            Destinations::everywhere(Outbound::Everything).except("127.0.0.1", outbound),
        )
        .with_filter(move |_| !filtered);
    if setup.exceptions {
        layer.with_logger_provider(setup.telemetry.logger_provider())
    } else {
        layer
    }
}

type Transport =
    BoxCloneSyncService<Request<Full<Bytes>>, Response<hyper::body::Incoming>, BoxError>;

/// The client beneath the instrumentation.
fn transport(setup: &Setup) -> Transport {
    let client = Client::builder(TokioExecutor::new()).build_http();
    match setup {
        Setup { panics: true, .. } => {
            BoxCloneSyncService::new(tower::service_fn(async |_| -> Result<_, BoxError> {
                panic!("the transport panics")
            }))
        }
        Setup {
            timeout: Some(timeout),
            ..
        } => BoxCloneSyncService::new(
            ServiceBuilder::new()
                .layer(TimeoutLayer::new(*timeout))
                .service(client),
        ),
        _ => BoxCloneSyncService::new(client.map_err(BoxError::from)),
    }
}

/// The service with the suite's body and error.
fn erased<S, B>(
    service: S,
) -> impl Service<Request<Bytes>, Response = Response<ResponseBody>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ Sync
where
    S: Service<Request<Bytes>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    service
        .map_response(|response: Response<B>| {
            response.map(|body| body.map_err(Into::into).boxed_unsync())
        })
        .map_err(Into::into)
}

/// Sends a request again whose response says 503, this many times.
#[derive(Clone)]
struct OnceMoreIfBusy(u8);

impl<B: Clone, R, E> tower::retry::Policy<Request<B>, Response<R>, E> for OnceMoreIfBusy {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        result: &mut Result<Response<R>, E>,
    ) -> Option<Self::Future> {
        let busy = result
            .as_ref()
            .is_ok_and(|response| response.status() == StatusCode::SERVICE_UNAVAILABLE);
        self.0 = self.0.checked_sub(u8::from(busy))?;
        busy.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

http_client_suite!(Hyper);
