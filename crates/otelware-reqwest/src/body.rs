//! The response whose body's end is the end of the request.

use http::response;
use otelware::http::client::ClientCall;
use otelware::operation::Operation;
use reqwest::{Body, Response, ResponseBuilderExt};

/// The same response, with which the operation ends.
pub(crate) fn observed(response: Response, operation: Operation<ClientCall>) -> Response {
    let url = response.url().clone();
    let mut response = ClientCall::respond(operation, http::Response::<Body>::from(response));
    // The conversion into a response of the `http` crate leaves the URL behind.
    if let Ok(with_url) = response::Builder::new().url(url).body(()) {
        let extensions = with_url.into_parts().0.extensions;
        response.extensions_mut().extend(extensions);
    }
    Response::from(response.map(Body::wrap))
}
