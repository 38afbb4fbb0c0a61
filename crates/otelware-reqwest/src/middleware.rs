use crate::body::observed;
use crate::error::{class, class_of, message};
use crate::target::UrlTarget;
use async_trait::async_trait;
use http::Extensions;
use otelware::http::CountedBody;
use otelware::http::client::{
    ClientCall, ClientRequest, HttpClient, HttpClientOptions, ResendCount,
};
use otelware::operation::{Operation, Providers};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Middleware, Next, Result};
use std::future::poll_fn;
use std::pin::pin;

/// Observes the requests of a client of [`reqwest_middleware`]: a span and a duration for each.
///
/// See the [crate](crate) for an example and for what it emits. Among other middlewares it goes
/// last, so that it sees each attempt of those that retry, and the headers that are sent.
///
/// Requests that share their extensions are attempts of one: hand
/// [`execute_with_extensions`](reqwest_middleware::ClientWithMiddleware::execute_with_extensions) new
/// ones for each request, or an unrelated one counts as resent (`http.request.resend_count`).
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing until a client has it"]
pub struct HttpClientMiddleware {
    client: HttpClient,
}

impl Default for HttpClientMiddleware {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClientMiddleware {
    /// A middleware with the defaults, and the global providers and propagator.
    pub fn new() -> Self {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self {
            client: HttpClient::new(name, version, class),
        }
    }

    /// Measures the bytes of request and response bodies as `http.client.request.body.size` and
    /// `http.client.response.body.size`, on the span too.
    ///
    /// Streamed bodies are counted as they flow. A request body held in memory stays as it is, so
    /// that reqwest can send it again after a redirect; its size counts once a response came.
    /// Response bodies are counted after reqwest has decompressed them.
    pub fn with_body_sizes(mut self) -> Self {
        self.options_mut().set_body_sizes();
        self
    }

    fn options_mut(&mut self) -> &mut HttpClientOptions {
        self.client.options_mut()
    }

    fn providers_mut(&mut self) -> &mut Providers {
        self.options_mut().providers_mut()
    }

    otelware::__with_http_client_options!();

    fn begin(
        &self,
        request: &mut Request,
        extensions: &mut Extensions,
    ) -> Option<Operation<ClientCall>> {
        // Middlewares that retry hand on the same extensions with each attempt.
        extensions.get_or_insert_with(ResendCount::new);
        let (method, url) = (request.method().clone(), request.url().clone());
        self.client.begin(ClientRequest {
            method: &method,
            target: UrlTarget(&url),
            headers: request.headers_mut(),
            extensions,
        })
    }
}

#[async_trait]
impl Middleware for HttpClientMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(mut operation) = self.begin(&mut request, extensions) else {
            return next.run(request, extensions).await;
        };
        let buffered = if self.client.options().body_sizes() {
            count_body(&mut request, &mut operation)
        } else {
            None
        };
        let result = {
            let mut sending = pin!(next.run(request, extensions));
            poll_fn(|cx| {
                let _entered = operation.enter();
                sending.as_mut().poll(cx)
            })
            .await
        };
        match result {
            Ok(response) => {
                if let Some(bytes) = buffered {
                    operation.describe_mut().sent(bytes);
                }
                if let Some(peer) = response.remote_addr() {
                    ClientCall::peer(&operation, peer);
                }
                Ok(observed(response, operation))
            }
            Err(error) => {
                let message = message(&error, self.client.options().redaction());
                ClientCall::fail(operation, class_of(&error), &message);
                Err(error)
            }
        }
    }
}

/// Has a streamed body counted, or returns the size of one that is held in memory.
fn count_body(request: &mut Request, operation: &mut Operation<ClientCall>) -> Option<u64> {
    let Some(body) = request.body_mut() else {
        return Some(0);
    };
    if let Some(bytes) = body.as_bytes() {
        return Some(bytes.len() as u64);
    }
    let bytes = operation.describe_mut().count_request_bytes();
    let streamed = std::mem::take(body);
    *body = Body::wrap(CountedBody::new(streamed, bytes));
    None
}
