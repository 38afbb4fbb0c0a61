//! Whatever clients send, neither memory nor label sets grow without bound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

mod server_support;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use otelware::opentelemetry::Context;
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::propagation::CompositePropagator;
use otelware_testing::Capture;
use otelware_testing::opentelemetry_sdk::trace::SdkTracerProvider;
use otelware_tower::server::TrustedProxies;
use otelware_tower::{HttpServerLayer, set_route};
use server_support::{Never, layer};
use std::sync::{Mutex, PoisonError};
use tower::{Layer, ServiceExt, service_fn};

/// The SDK keeps this many attribute sets of an instrument, and one more for all others.
const MOST_POINTS: usize = 2_000 + 1;

/// How many resident bytes a test may end up with more than after its first tenth. Kept once for
/// each request, 200 bytes would be more than that.
const SLACK: usize = 12 << 20;

/// Tests that measure the process run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// The layer with metrics that are captured and spans that are made and dropped.
fn measured(telemetry: &Capture) -> HttpServerLayer {
    HttpServerLayer::new()
        .with_tracer_provider(SdkTracerProvider::builder().build())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_requests()
}

/// Sends `count` requests; the resident memory after a tenth of them is about that after all.
fn flood(layer: &HttpServerLayer, count: usize, request: impl Fn(usize) -> Request<Empty<Bytes>>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let service = layer.layer(service_fn(async |request: Request<Empty<Bytes>>| {
        set_route(request.uri().path());
        Ok::<_, Never>(Response::new(Full::new(Bytes::from_static(b"body"))))
    }));
    runtime.block_on(async {
        let mut before = 0;
        for number in 0..count {
            if number == count / 10 {
                before = resident_bytes();
            }
            let response = service.clone().oneshot(request(number)).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
        let after = resident_bytes();
        assert!(after < before + SLACK, "from {before} to {after} bytes");
    });
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).body(Empty::new()).unwrap()
}

/// A path of 200 bytes.
fn path(number: usize) -> String {
    format!("/{number:0>199}")
}

#[track_caller]
fn assert_points(telemetry: &Capture, count: usize) {
    let duration = telemetry.metric("http.server.request.duration");
    assert!(
        duration.points.len() <= MOST_POINTS,
        "{} points",
        duration.points.len()
    );
    assert_eq!(duration.total_count(), count as u64, "nothing is lost");
    telemetry.assert_in_flight_zero();
}

#[test]
fn a_hundred_thousand_routes_by_a_hook_that_gives_paths() {
    const COUNT: usize = 100_000;
    let telemetry = Capture::new();
    let hooked = measured(&telemetry).with_route(|request| Some(request.uri.path().to_owned()));
    flood(&hooked, COUNT, |number| get(&path(number)));
    assert_points(&telemetry, COUNT);
    assert_eq!(
        telemetry.metric("http.server.active_requests").points.len(),
        1
    );
}

#[test]
fn a_hundred_thousand_routes_by_handlers_that_give_paths() {
    const COUNT: usize = 100_000;
    let telemetry = Capture::new();
    flood(&measured(&telemetry), COUNT, |number| get(&path(number)));
    assert_points(&telemetry, COUNT);
}

#[test]
fn clients_do_not_choose_labels() {
    const COUNT: usize = 40_000;
    let telemetry = Capture::new();
    let trusting = measured(&telemetry)
        .with_trusted_proxies(TrustedProxies::nearest(1))
        .with_route(|_| None)
        .with_captured_request_headers(["*"]);
    flood(&trusting, COUNT, |number| {
        let mut request = get(&format!("/{number}?{number}"));
        *request.method_mut() = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        let headers = request.headers_mut();
        for name in [
            "host",
            "user-agent",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
        ] {
            headers.insert(name, format!("{name}-{number}").parse().unwrap());
        }
        let number = number as u64 + 1;
        let traceparent = format!("00-{number:032x}-{number:016x}-01");
        headers.insert("traceparent", traceparent.parse().unwrap());
        headers.insert("tracestate", format!("k{number}=1").parse().unwrap());
        headers.insert("baggage", format!("k{number}=1").parse().unwrap());
        headers.insert(
            http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap(),
            HeaderValue::from_static("v"),
        );
        // The handler's own naming of routes is not the subject.
        *request.uri_mut() = "/".parse().unwrap();
        request
    });
    let duration = telemetry.metric("http.server.request.duration");
    assert_eq!(duration.points.len(), 1);
    assert_eq!(
        duration.points[0].attribute("http.request.method"),
        Some(&"_OTHER".into())
    );
    assert_points(&telemetry, COUNT);
}

#[tokio::test]
async fn huge_requests_make_small_spans() {
    let telemetry = Capture::new();
    let capturing = layer(&telemetry).with_captured_request_headers(["*"]);
    let service = capturing.layer(service_fn(async |_: Request<Empty<Bytes>>| {
        let baggage = Context::current().baggage().len();
        Ok::<_, Never>(Response::new(Full::<Bytes>::from(baggage.to_string())))
    }));
    let long = "x".repeat(1 << 20);
    let mut request = get(&format!("/{0}?{0}", "p".repeat(30_000)));
    *request.method_mut() = Method::from_bytes(long.as_bytes()).unwrap();
    let headers = request.headers_mut();
    for name in [
        "user-agent",
        "x-forwarded-for",
        "forwarded",
        "x-long",
        "traceparent",
    ] {
        headers.insert(name, long.parse().unwrap());
    }
    headers.insert("host", format!("{long}:80").parse().unwrap());
    for number in 0..1_000 {
        let name = format!("x-many-{number}");
        let name = http::HeaderName::try_from(name).unwrap();
        for _ in 0..10 {
            headers.append(&name, HeaderValue::from_static("v"));
        }
    }
    let entries: Vec<String> = (0..10_000).map(|number| format!("k{number}=v")).collect();
    headers.insert("baggage", entries.join(",").parse().unwrap());
    let state: Vec<String> = (0..10_000).map(|number| format!("k{number}=v")).collect();
    headers.insert("tracestate", state.join(",").parse().unwrap());

    let response = service.oneshot(request).await.unwrap();
    let baggage = response.into_body().collect().await.unwrap().to_bytes();
    let limits = otelware::propagation::BaggageLimits::default();
    let kept: usize = std::str::from_utf8(&baggage).unwrap().parse().unwrap();
    assert_eq!(kept, limits.max_members);

    let span = telemetry.span("HTTP");
    let mut lengths = Vec::new();
    for (key, value) in &span.attributes {
        let length = value.as_str().map_or(0, str::len);
        if length > 100 {
            lengths.push((key.as_str(), length));
        }
    }
    assert_eq!(
        lengths,
        [
            ("http.request.method_original", 4_096),
            ("server.address", 4_096),
            ("url.path", 4_096),
            ("url.query", 4_096),
            ("user_agent.original", 4_096),
        ]
    );
    let captured = span
        .attributes
        .keys()
        .filter(|key| key.starts_with("http.request.header."));
    assert_eq!(captured.count(), 32);
    assert!(
        telemetry.dump().len() < 200_000,
        "{} bytes",
        telemetry.dump().len()
    );
}
