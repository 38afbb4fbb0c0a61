//! `opentelemetry-instrumentation-tower`, as its documentation sets it up: global providers, then `Layer::new()`, which
//! with its `axum` feature takes the route from axum's `MatchedPath`.

use opentelemetry_instrumentation_tower::http::server::Layer;

pub(crate) fn layer() -> Layer {
    Layer::new()
}
