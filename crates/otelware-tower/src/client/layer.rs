use super::error;
use super::service::HttpClient;
use crate::count::{CountBodies, PassBodies};
use otelware::http::client;
use otelware::http::client::HttpClientOptions;
use otelware::operation::Providers;
use std::marker::PhantomData;
use tower_layer::Layer;

/// Observes the requests of an HTTP client: a span and a duration for each of them.
///
/// See the [module](crate::client) for an example and for where it goes. The type parameter
/// tells whether bodies are counted; see [`with_body_sizes`](Self::with_body_sizes).
#[derive(Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct HttpClientLayer<Bodies = PassBodies> {
    client: client::HttpClient,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<Bodies> Clone for HttpClientLayer<Bodies> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            bodies: PhantomData,
        }
    }
}

impl Default for HttpClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClientLayer {
    /// A layer with the defaults, and the global providers and propagator.
    pub fn new() -> Self {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self {
            client: client::HttpClient::new(name, version, error::class),
            bodies: PhantomData,
        }
    }

    /// Measures the bytes of request and response bodies as they flow, as
    /// `http.client.request.body.size` and `http.client.response.body.size`, on the span too.
    ///
    /// The inner service then gets its request's body in a
    /// [`CountedBody`](otelware::http::CountedBody).
    pub fn with_body_sizes(mut self) -> HttpClientLayer<CountBodies> {
        self.options_mut().set_body_sizes();
        HttpClientLayer {
            client: self.client,
            bodies: PhantomData,
        }
    }
}

impl<Bodies> HttpClientLayer<Bodies> {
    fn options_mut(&mut self) -> &mut HttpClientOptions {
        self.client.options_mut()
    }

    fn providers_mut(&mut self) -> &mut Providers {
        self.options_mut().providers_mut()
    }

    otelware::__with_http_client_options!();
}

impl<S, Bodies> Layer<S> for HttpClientLayer<Bodies> {
    type Service = HttpClient<S, Bodies>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpClient::new(inner, self.client.clone())
    }
}
