//! Arbitrary requests through the server's layer with everything switched on: no panic, and no
//! credential in what is exported.
#![no_main]

use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Empty;
use libfuzzer_sys::fuzz_target;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use otelware_tower::HttpServerLayer;
use otelware_tower::server::{TraceResponse, TrustedProxies};
use std::convert::Infallible;
use std::task::{Context, Poll, Waker};
use tower::{Layer, Service, service_fn};

type Input = (String, String, Vec<(String, Vec<u8>)>);

fuzz_target!(|input: Input| {
    let (method, uri, headers) = input;
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method.as_bytes()), uri.parse::<Uri>()) else {
        return;
    };
    let exporter = InMemorySpanExporter::default();
    let spans = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = HttpServerLayer::new()
        .with_tracer_provider(spans)
        .with_meter_provider(SdkMeterProvider::default())
        .with_trusted_proxies(TrustedProxies::nearest(2))
        .with_captured_request_headers(["*"])
        .with_trace_response(TraceResponse::TraceResponse)
        .with_active_requests();
    let mut request = Request::new(Empty::<&[u8]>::new());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&value)) {
            request.headers_mut().append(name, value);
        }
    }
    request
        .headers_mut()
        .insert("authorization", HeaderValue::from_static("MARKER-s3cr3t"));
    let mut service = layer.layer(service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new()))
    }));
    let mut response = Box::pin(service.call(request));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(response.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    let shown = format!("{:?}", exporter.get_finished_spans());
    assert!(!shown.contains("MARKER-s3cr3t"), "{shown}");
});
