//! `HttpClientMiddleware` passes the suite for HTTP clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode};
use http_body_util::BodyExt;
use otelware::propagation::{CompositePropagator, Destinations, Outbound};
use otelware_reqwest::{HttpClientMiddleware, UrlTemplate};
use otelware_testing::http_client_suite;
use otelware_testing::suites::http_client::{
    BoxError, Capabilities, HttpClientUnderTest, Policy, ResponseBody, Setup,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

#[derive(Clone)]
struct Reqwest {
    client: ClientWithMiddleware,
    url_template: Option<&'static str>,
}

impl HttpClientUnderTest for Reqwest {
    const SCOPE_NAME: &'static str = "otelware-reqwest";
    const SCOPE_VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SCHEMA_URL: &'static str = otelware::semconv::SCHEMA_URL;
    const CAPABILITIES: Capabilities = Capabilities {
        follows_redirects: true,
        // reqwest makes a header of them before any middleware sees the URL.
        sees_credentials: false,
        knows_peer: true,
    };

    fn new(setup: &Setup) -> Self {
        let mut client = reqwest::Client::builder().no_proxy();
        if let Some(timeout) = setup.timeout {
            client = client.timeout(timeout);
        }
        let mut client = ClientBuilder::new(client.build().expect("a client"));
        if setup.retries {
            client = client.with(OnceMoreIfBusy);
        }
        client = client.with(middleware(setup));
        if setup.twice {
            client = client.with(middleware(setup));
        }
        if setup.panics {
            client = client.with(Panics);
        }
        Self {
            client: client.build(),
            url_template: setup.url_template,
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<ResponseBody>, BoxError> {
        let (parts, body) = request.into_parts();
        let mut request = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        if let Some(template) = self.url_template {
            request = request.with_extension(UrlTemplate::new(template));
        }
        let response = http::Response::<reqwest::Body>::from(request.send().await?);
        Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}

fn middleware(setup: &Setup) -> HttpClientMiddleware {
    let outbound = match setup.policy {
        Policy::Everything => Outbound::Everything,
        Policy::TraceContextOnly => Outbound::TraceContextOnly,
        Policy::Nothing => Outbound::Nothing,
    };
    let filtered = setup.filtered;
    let mut middleware = HttpClientMiddleware::new()
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
        middleware = middleware.with_logger_provider(setup.telemetry.logger_provider());
    }
    if setup.body_sizes {
        middleware = middleware.with_body_sizes();
    }
    middleware
}

/// Sends a request once more whose response says 503.
struct OnceMoreIfBusy;

#[async_trait::async_trait]
impl Middleware for OnceMoreIfBusy {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let again = request.try_clone().expect("a body in memory");
        let response = next.clone().run(request, extensions).await?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE {
            return Ok(response);
        }
        drop(response);
        next.run(again, extensions).await
    }
}

/// Panics where a request was to be sent.
struct Panics;

#[async_trait::async_trait]
impl Middleware for Panics {
    async fn handle(
        &self,
        _: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        panic!("the transport panics")
    }
}

http_client_suite!(Reqwest);
