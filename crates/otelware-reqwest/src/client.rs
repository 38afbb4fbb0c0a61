use crate::HttpClientMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// Observes the requests of a [`reqwest::Client`].
pub trait ClientExt {
    /// The client with a [`HttpClientMiddleware`] of the defaults: global providers and propagator.
    fn instrumented(self) -> ClientWithMiddleware;

    /// The client with this middleware.
    fn instrumented_with(self, middleware: HttpClientMiddleware) -> ClientWithMiddleware;
}

impl ClientExt for reqwest::Client {
    fn instrumented(self) -> ClientWithMiddleware {
        self.instrumented_with(HttpClientMiddleware::new())
    }

    fn instrumented_with(self, middleware: HttpClientMiddleware) -> ClientWithMiddleware {
        ClientBuilder::new(self).with(middleware).build()
    }
}
