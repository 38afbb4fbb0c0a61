//! The suite for HTTP servers against the layer: on a router of axum, and on a plain service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

#[cfg(feature = "axum")]
mod axum_router {
    use super::server_support::{layer, scope, serve_axum};
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::any;
    use otelware::opentelemetry::propagation::TextMapPropagator;
    use otelware::propagation::CompositePropagator;
    use otelware_testing::suites::http_server::{Handler, HttpServerUnderTest, ROUTES};
    use otelware_testing::{Capture, Scope};
    use tokio::net::TcpListener;

    struct Axum;

    impl HttpServerUnderTest for Axum {
        const KNOWS_ROUTES: bool = true;

        fn scope() -> Scope {
            scope()
        }

        fn propagator() -> impl TextMapPropagator + Send + Sync + 'static {
            CompositePropagator::default()
        }

        async fn serve(listener: TcpListener, telemetry: Capture, handler: Handler) {
            let mut router = Router::new();
            for route in ROUTES {
                let handler = handler.clone();
                let respond = move |request: Request| async move {
                    handler.respond(route, request).await.map(Body::new)
                };
                router = router.route(route, any(respond));
            }
            serve_axum(listener, router.layer(layer(&telemetry))).await;
        }
    }

    otelware_testing::http_server_suite!(Axum);
}

mod plain_service {
    use super::server_support::{Never, layer, scope, serve_hyper};
    use otelware::opentelemetry::propagation::TextMapPropagator;
    use otelware::propagation::CompositePropagator;
    use otelware_testing::suites::http_server::{Handler, HttpServerUnderTest};
    use otelware_testing::{Capture, Scope};
    use tokio::net::TcpListener;
    use tower::{Layer, service_fn};

    struct Plain;

    impl HttpServerUnderTest for Plain {
        const KNOWS_ROUTES: bool = false;

        fn scope() -> Scope {
            scope()
        }

        fn propagator() -> impl TextMapPropagator + Send + Sync + 'static {
            CompositePropagator::default()
        }

        async fn serve(listener: TcpListener, telemetry: Capture, handler: Handler) {
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let handler = handler.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let route = match path.strip_prefix("/users/") {
                        Some(id) if !id.is_empty() => "/users/{id}",
                        _ => &path,
                    };
                    Ok::<_, Never>(handler.respond(route, request).await)
                }
            });
            serve_hyper(listener, layer(&telemetry).layer(service)).await;
        }
    }

    otelware_testing::http_server_suite!(Plain);
}
