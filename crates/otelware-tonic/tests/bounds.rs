//! Whatever callers send, neither memory nor label sets grow without bound, and what is no call
//! passes through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use otelware_testing::{Attributes, Capture, attributes};
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use support::*;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::{Layer, Service, service_fn};

/// A service that answers everything well.
fn answering<B: 'static>()
-> impl Service<Request<B>, Response = Response<Frames<Infallible>>, Error = Infallible> + Clone {
    service_fn(|_: Request<B>| ready(Ok(fine())))
}

// Paths.

#[tokio::test]
async fn odd_paths_are_none_of_methods() {
    // What tonic refuses, and what something else may answer.
    for answers in [false, true] {
        for (path, original) in [
            ("/", ""),
            ("//", "/"),
            ("///", "//"),
            ("/a", "a"),
            ("/a/", "a/"),
            ("//a", "/a"),
            ("/a/b/c", "a/b/c"),
            ("/a/b/", "a/b/"),
            ("/a//b", "a//b"),
            ("/%2Fa", "%2Fa"),
            ("/a?b/c", "a"),
            ("*", "*"),
        ] {
            let telemetry = Capture::new();
            let layer = server_layer(&telemetry);
            let mut request = request("/");
            // Without an authority, which can't have every path.
            *request.uri_mut() = Uri::try_from(path).unwrap();
            let call = ExpectedCall::server(original).other().address(None);
            if answers {
                exchange(&layer.layer(answering()), request).await;
                assert_call(&telemetry, &call);
            } else {
                let routes = layer.layer(Routes::new(shapes()));
                exchange(&routes, request).await;
                assert_call(&telemetry, &call.code("UNIMPLEMENTED"));
            }
            // Samplers see that at once.
            let started = telemetry.started().remove(0);
            let seen = attributes! {
                "rpc.system.name" => "grpc",
                "rpc.method" => "_OTHER",
                "rpc.method_original" => original,
            };
            assert_eq!((started.name.as_str(), started.attributes), ("grpc", seen));
        }
    }
}

#[tokio::test]
async fn a_target_without_a_path_is_passed_on() {
    let telemetry = Capture::new();
    let service = server_layer(&telemetry).layer(answering());
    let mut request = request("/");
    *request.uri_mut() = Uri::from_static("shop.example:50051");
    exchange(&service, request).await;
    assert_call(&telemetry, &ExpectedCall::server("").other());
}

#[tokio::test]
async fn foreign_letters_and_escapes_are_kept_as_they_came() {
    for path in [
        "s.S/M%C3%A4",
        "s.S%20/M",
        "s.S/M\u{e4}",
        "\u{1f980}/\u{1f980}",
    ] {
        let telemetry = Capture::new();
        let routes = server_layer(&telemetry).layer(Routes::new(shapes()));
        exchange(&routes, request(&format!("/{path}"))).await;
        let call = ExpectedCall::server(path).other().code("UNIMPLEMENTED");
        assert_call(&telemetry, &call);
    }
}

#[tokio::test]
async fn a_letter_is_not_cut_in_two() {
    let telemetry = Capture::new();
    let routes = server_layer(&telemetry).layer(Routes::new(shapes()));
    // Letters of two bytes, of which the last that fits begins at an odd one.
    let path = format!("s.S/M{}", "\u{e4}".repeat(10_000));
    exchange(&routes, request(&format!("/{path}"))).await;
    let call = ExpectedCall::server(&path[..4_095]).other();
    assert_call(&telemetry, &call.code("UNIMPLEMENTED"));
}

#[tokio::test]
async fn long_paths_are_cut() {
    for listed in [false, true] {
        let telemetry = Capture::new();
        let mut layer = server_layer(&telemetry);
        if listed {
            layer = layer.with_known_methods([UNARY]);
        }
        // Longer than any name that is kept, and answered well.
        let path = format!("s.S/{}", "x".repeat(60_000));
        let service = client_layer(&telemetry).layer(layer.layer(answering()));
        exchange(&service, request(&format!("/{path}"))).await;
        let original = &path[..4_096];
        let server = ExpectedCall::server(original).other();
        let client = ExpectedCall::client(original).other();
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 2);
        spans[0].assert(server.span().remote_child_of(&spans[1]));
        spans[1].assert(client.span());
        assert_metrics(&telemetry, &[server, client], &[]);
    }
}

// What is no call.

/// What becomes of a request: whether it is observed, and what else is left behind.
async fn observed(service_sees: &Arc<Mutex<u32>>, request: Request<Full<Bytes>>) -> bool {
    let telemetry = Capture::new();
    let seen = service_sees.clone();
    let service = service_fn(move |request: Request<_>| {
        let seen = seen.clone();
        async move {
            let (parts, body): (_, Full<Bytes>) = Request::into_parts(request);
            assert_eq!(parts.headers.get("x-own").unwrap(), "kept");
            assert_eq!(body.collect().await.unwrap().to_bytes(), "a body");
            *seen.lock().unwrap() += 1;
            let answer = Response::builder().status(418).header("x-answer", "kept");
            Ok::<_, Infallible>(answer.body(Full::new(Bytes::from_static(b"tea"))).unwrap())
        }
    });
    let service = server_layer(&telemetry).layer(service);
    let response = exchange(&service, request).await;
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers().get("x-answer").unwrap(), "kept");
    assert_eq!(response.body(), "tea");
    let (spans, metrics) = (telemetry.spans(), telemetry.metrics());
    assert_eq!(spans.is_empty(), metrics.is_empty());
    assert_eq!(spans.len(), telemetry.started().len());
    !spans.is_empty()
}

#[tokio::test]
async fn requests_that_are_none_of_grpc_pass_through() {
    let (http1, http2) = (Version::HTTP_11, Version::HTTP_2);
    let (get, post) = (Method::GET, Method::POST);
    let seen = Arc::new(Mutex::new(0));
    let mut sent = 0;
    for (version, method, content_type, expected) in [
        (http2, &post, Some("application/grpc"), true),
        (http2, &post, Some("application/grpc+proto"), true),
        (http2, &post, Some("application/grpc;charset=utf-8"), true),
        (http2, &post, None, false),
        (http2, &post, Some("application/grpc-web"), false),
        (http2, &post, Some("application/grpc-web+proto"), false),
        (http2, &post, Some("application/grpcish"), false),
        (http2, &post, Some("application/json"), false),
        (http2, &post, Some(""), false),
        (http2, &get, Some("application/grpc"), false),
        (http2, &get, None, false),
        (http2, &Method::PUT, Some("application/grpc"), false),
        (http2, &Method::OPTIONS, None, false),
        (http2, &Method::HEAD, None, false),
        (http2, &Method::CONNECT, None, false),
        (http1, &post, None, false),
        (http1, &post, Some("application/json"), false),
        (http1, &post, Some("application/grpc-web"), false),
        (http1, &get, Some("application/grpc"), false),
        (http1, &get, None, false),
        (Version::HTTP_10, &post, None, false),
    ] {
        for path in ["/s.S/M", "/", "/a/b/c"] {
            let mut request = Request::builder()
                .version(version)
                .method(method.clone())
                .uri(format!("{ORIGIN}{path}"))
                .header("x-own", "kept");
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let request = request.body(Full::new(Bytes::from_static(b"a body")));
            let found = observed(&seen, request.unwrap()).await;
            sent += 1;
            assert_eq!(
                found, expected,
                "{version:?} {method} {path} {content_type:?}"
            );
        }
    }
    assert_eq!(*seen.lock().unwrap(), sent);
}

/// Beneath tonic-web's layer calls come over any version of HTTP.
#[tokio::test]
async fn a_call_that_tonic_web_translated_is_observed() {
    let telemetry = Capture::new();
    let service = listed_layer(&telemetry).layer(shapes());
    let mut call = request_with(&format!("/{UNARY}"), Full::new(framed(b"", false)));
    *call.version_mut() = Version::HTTP_11;
    exchange(&service, call).await;
    assert_call(&telemetry, &ExpectedCall::server(UNARY));
}

/// Requests to methods that are known need not look like gRPC: tonic's services answer them.
#[tokio::test]
async fn a_request_to_a_known_method_that_tonic_answers_is_observed() {
    let telemetry = Capture::new();
    let service = listed_layer(&telemetry).layer(shapes());
    let mut call = request_with(&format!("/{UNARY}"), Full::new(framed(b"", false)));
    call.headers_mut().remove("content-type");
    let answer = exchange(&service, call).await;
    assert_eq!(answer.body(), &framed(b"", false));
    assert_call(&telemetry, &ExpectedCall::server(UNARY));
}

// Metadata.

/// Metadata with long values, and with more keys and values than are captured.
fn huge(prefix: &str) -> http::HeaderMap {
    let mut metadata = http::HeaderMap::new();
    let long = HeaderValue::from_bytes(&vec![b'x'; 1 << 20]).unwrap();
    metadata.insert(named(format!("{prefix}-long")), long);
    for number in 0..1_000 {
        for _ in 0..100 {
            let name = named(format!("{prefix}-many-{number:03}"));
            metadata.append(name, HeaderValue::from_static("v"));
        }
    }
    metadata
}

fn named(name: String) -> HeaderName {
    HeaderName::try_from(name).unwrap()
}

#[tokio::test]
async fn huge_metadata_makes_small_spans() {
    let telemetry = Capture::new();
    let service = service_fn(async |_: Request<Body>| {
        let mut answer = response(frames(vec![Ok::<_, Infallible>(Frame::trailers(huge(
            "x-late",
        )))]));
        answer.headers_mut().extend(huge("x-early"));
        Ok::<_, Infallible>(answer)
    });
    let server = listed_layer(&telemetry)
        .with_captured_request_metadata(["x-long", "x-*"])
        .with_captured_response_metadata(["x-late-long", "x-early-long", "x-*"]);
    let client = client_layer(&telemetry)
        .with_captured_request_metadata(["x-*"])
        .with_captured_response_metadata(["x-*"]);
    let service = client.layer(server.layer(service));
    let mut call = request(&format!("/{UNARY}"));
    call.headers_mut().extend(huge("x"));
    exchange(&service, call).await;

    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    for span in &spans {
        for (prefix, most) in [
            ("rpc.request.metadata.x-", 32),
            ("rpc.response.metadata.x-early-", 32),
            ("rpc.response.metadata.x-late-", 32),
        ] {
            let captured: Attributes = span
                .attributes
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert!(!captured.is_empty(), "{prefix}");
            assert!(captured.len() <= most, "{prefix}: {}", captured.len());
            for (key, value) in captured {
                let expected = match key.ends_with("-long") {
                    true => ["x".repeat(1_024)].into(),
                    false => vec!["v"; 32].into(),
                };
                assert_eq!(value, expected, "{key}");
            }
        }
    }
    let dumped = telemetry.dump().len();
    assert!(dumped < 200_000, "{dumped} bytes");
}

#[tokio::test]
async fn metadata_that_gets_longer_at_the_end_is_bounded() {
    let telemetry = Capture::new();
    let many = |name: &'static str| {
        let mut metadata = http::HeaderMap::new();
        for _ in 0..1_000 {
            metadata.append(name, HeaderValue::from_static("v"));
        }
        metadata
    };
    let service = service_fn(async |_: Request<Full<Bytes>>| {
        let ending = Ok::<_, Infallible>(Frame::trailers(many("x-a")));
        let mut answer = response(frames(vec![ending]));
        answer.headers_mut().extend(many("x-a"));
        Ok::<_, Infallible>(answer)
    });
    let service = listed_layer(&telemetry)
        .with_captured_response_metadata(["x-a"])
        .layer(service);
    exchange(&service, request(&format!("/{UNARY}"))).await;
    // Trailers that say nothing of the call: it is not known how it ended.
    let call = ExpectedCall::server(UNARY)
        .code("UNKNOWN")
        .on_span("rpc.response.metadata.x-a", vec!["v"; 64]);
    telemetry.span(UNARY).assert(call.span());
}

#[tokio::test]
async fn odd_metadata_of_grpc_does_no_harm() {
    let long = "9".repeat(100_000);
    let cases: [(&str, &[u8], &str); 13] = [
        ("grpc-timeout", b"99999999H", "CANCELLED"),
        ("grpc-timeout", b"9999999999999999999H", "CANCELLED"),
        ("grpc-timeout", b"0n", "DEADLINE_EXCEEDED"),
        ("grpc-timeout", b"-1S", "CANCELLED"),
        ("grpc-timeout", b"\xff", "CANCELLED"),
        ("grpc-timeout", b"", "CANCELLED"),
        ("grpc-timeout", long.as_bytes(), "CANCELLED"),
        ("grpc-previous-rpc-attempts", long.as_bytes(), "CANCELLED"),
        ("grpc-previous-rpc-attempts", b"\xff", "CANCELLED"),
        ("traceparent", long.as_bytes(), "CANCELLED"),
        ("tracestate", long.as_bytes(), "CANCELLED"),
        ("baggage", long.as_bytes(), "CANCELLED"),
        ("host", b"\xff", "CANCELLED"),
    ];
    for (name, value, code) in cases {
        let telemetry = Capture::new();
        let service = listed_layer(&telemetry).layer(service_fn(|_: Request<Full<Bytes>>| {
            ready(Ok::<_, Infallible>(
                Status::new(Code::Cancelled, "").into_http::<Body>(),
            ))
        }));
        let mut call = request(&format!("/{UNARY}"));
        let value = HeaderValue::from_bytes(value).unwrap();
        call.headers_mut().insert(named(name.to_owned()), value);
        exchange(&service, call).await;
        assert_call(&telemetry, &ExpectedCall::server(UNARY).code(code));
    }
}

#[tokio::test]
async fn odd_statuses_do_no_harm() {
    let cases: [(&[u8], &str); 7] = [
        (b"0", "OK"),
        (b"17", "UNKNOWN"),
        (b"-1", "UNKNOWN"),
        (b"", "UNKNOWN"),
        (b"\xff", "UNKNOWN"),
        (b"00", "UNKNOWN"),
        (&[b'9'; 10_000], "UNKNOWN"),
    ];
    for (status, code) in cases {
        for trails in [false, true] {
            let telemetry = Capture::new();
            let message = HeaderValue::from_bytes(&[b'%'; 100_000]).unwrap();
            let metadata = http::HeaderMap::from_iter([
                (
                    named("grpc-status".to_owned()),
                    HeaderValue::from_bytes(status).unwrap(),
                ),
                (named("grpc-message".to_owned()), message),
            ]);
            let service = service_fn(move |_: Request<Full<Bytes>>| {
                let metadata = metadata.clone();
                let mut answer = response(frames::<Infallible>(vec![]));
                if trails {
                    *answer.body_mut() = frames(vec![Ok(Frame::trailers(metadata))]);
                } else {
                    answer.headers_mut().extend(metadata);
                }
                ready(Ok::<_, Infallible>(answer))
            });
            let layer = listed_layer(&telemetry).with_status_messages();
            exchange(&layer.layer(service), request(&format!("/{UNARY}"))).await;
            let call = ExpectedCall::server(UNARY).code(code);
            let span = match code {
                "OK" => call.span(),
                _ => call.span().error_description("%".repeat(4_096)),
            };
            telemetry.span(UNARY).assert(span);
            assert_metrics(&telemetry, &[call], &[]);
        }
    }
}

// Messages.

#[tokio::test]
async fn messages_that_are_announced_and_never_come_cost_nothing() {
    let telemetry = Capture::new();
    let service = service_fn(async |request: Request<_>| {
        let body: otelware_tonic::server::RequestBody<Full<Bytes>> = Request::into_body(request);
        body.collect().await.unwrap();
        Ok::<_, Infallible>(fine())
    });
    let layer = listed_layer(&telemetry)
        .with_message_counts()
        .with_message_events();
    // One message, and the beginning of one of four gibibytes.
    let sent = [&framed(b"abc", false)[..], b"\0\xff\xff\xff\xff", b"some"].concat();
    let sent = request_with(&format!("/{BIDI}"), Full::new(Bytes::from(sent)));
    exchange(&layer.layer(service), sent).await;
    let call = ExpectedCall::server(BIDI)
        .on_span("otelware.rpc.request.messages", 1)
        .on_span("otelware.rpc.request.size", 3)
        .on_span("otelware.rpc.response.messages", 0)
        .on_span("otelware.rpc.response.size", 0);
    telemetry.span(BIDI).assert(call.span().event(
        "rpc.message",
        attributes! {
            "rpc.message.type" => "RECEIVED",
            "rpc.message.id" => 1,
            "rpc.message.uncompressed_size" => 3,
        },
    ));
}

#[tokio::test]
async fn a_flood_of_messages_makes_few_events() {
    const COUNT: usize = 10_000;
    let telemetry = Capture::new();
    let service = service_fn(async |_: Request<_>| {
        let messages = framed(b"a", false).repeat(COUNT);
        let messages = Ok(Frame::data(Bytes::from(messages)));
        let ending = trailers(&[("grpc-status", "0")]);
        Ok::<_, Infallible>(response(frames::<Infallible>(vec![messages, ending])))
    });
    let layer = listed_layer(&telemetry)
        .with_message_counts()
        .with_message_events();
    exchange(&layer.layer(service), request(&format!("/{BIDI}"))).await;
    let span = telemetry.span(BIDI);
    assert_eq!(
        (span.events.len(), span.dropped_events),
        (128, 10_000 - 128)
    );
    assert_eq!(
        span.attribute("otelware.rpc.response.messages"),
        Some(&COUNT.into())
    );
    assert_eq!(
        span.attribute("otelware.rpc.response.size"),
        Some(&COUNT.into())
    );
}

// Floods.

#[cfg(target_os = "linux")]
mod floods {
    use super::*;
    use otelware::propagation::CompositePropagator;
    use otelware_testing::opentelemetry_sdk::trace::SdkTracerProvider;
    use otelware_tonic::{GrpcClientLayer, GrpcServerLayer};
    use std::sync::PoisonError;
    use tower::ServiceExt;

    /// The SDK keeps this many attribute sets of an instrument, and one more for all others.
    const MOST_POINTS: usize = 2_000 + 1;

    /// So many methods are told apart, where they are not listed.
    const MOST_METHODS: usize = 1_024;

    /// How many resident bytes a test may end up with more than after its first tenth. Kept once
    /// for each call, 200 bytes would be more than that.
    const SLACK: usize = 6 << 20;

    /// Tests that measure the process run one at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    fn resident_bytes() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4_096
    }

    /// The layer with metrics that are captured and spans that are made and dropped.
    fn server(telemetry: &Capture) -> GrpcServerLayer {
        GrpcServerLayer::new()
            .with_tracer_provider(SdkTracerProvider::builder().build())
            .with_meter_provider(telemetry.meter_provider())
            .with_propagator(CompositePropagator::default())
            .with_active_calls()
    }

    fn client(telemetry: &Capture) -> GrpcClientLayer {
        GrpcClientLayer::new()
            .with_tracer_provider(SdkTracerProvider::builder().build())
            .with_meter_provider(telemetry.meter_provider())
            .with_propagator(CompositePropagator::default())
            .with_active_calls()
    }

    /// Sends `count` requests; the resident memory after a tenth of them is about that after all.
    fn flood<S, B>(service: &S, count: usize, request: impl Fn(usize) -> Request<Full<Bytes>>)
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
        B: http_body::Body<Error: std::fmt::Debug>,
    {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
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

    /// A method's path of 200 bytes.
    fn path(number: usize) -> String {
        format!("/s.S/{number:0>195}")
    }

    #[track_caller]
    fn assert_points(telemetry: &Capture, name: &str, most: usize, count: usize) {
        let duration = telemetry.metric(name);
        let points = duration.points.len();
        assert!(points <= most, "{points} points");
        assert_eq!(duration.total_count(), count as u64, "nothing is lost");
        telemetry.assert_in_flight_zero();
    }

    #[test]
    fn a_server_that_answers_any_method() {
        const COUNT: usize = 40_000;
        let telemetry = Capture::new();
        flood(&server(&telemetry).layer(answering()), COUNT, |number| {
            request(&path(number))
        });
        assert_points(&telemetry, SERVER_DURATION, MOST_METHODS + 1, COUNT);
    }

    #[test]
    fn a_client_that_calls_any_method() {
        const COUNT: usize = 40_000;
        let telemetry = Capture::new();
        flood(&client(&telemetry).layer(answering()), COUNT, |number| {
            request(&path(number))
        });
        assert_points(&telemetry, CLIENT_DURATION, MOST_METHODS + 1, COUNT);
    }

    #[test]
    fn a_client_of_any_host() {
        const COUNT: usize = 40_000;
        let telemetry = Capture::new();
        flood(&client(&telemetry).layer(answering()), COUNT, |number| {
            let mut request = request("/");
            let uri = format!("http://{number:0>190}.example:1/{UNARY}");
            *request.uri_mut() = uri.parse().unwrap();
            request
        });
        assert_points(&telemetry, CLIENT_DURATION, MOST_POINTS, COUNT);
    }

    #[test]
    fn callers_do_not_choose_labels() {
        const COUNT: usize = 40_000;
        let telemetry = Capture::new();
        let layer = server(&telemetry)
            .with_known_methods([UNARY])
            .with_captured_request_metadata(["*"]);
        flood(&layer.layer(answering()), COUNT, |number| {
            let mut request = request(&format!("/s.S/M{number}?{number}"));
            let authority = format!("http://host-{number}.example/s.S/M{number}");
            *request.uri_mut() = authority.parse().unwrap();
            let headers = request.headers_mut();
            for name in [
                "host",
                "user-agent",
                "grpc-previous-rpc-attempts",
                "grpc-encoding",
            ] {
                headers.insert(name, number.to_string().parse().unwrap());
            }
            let timeout = format!("{}m", number % 1_000);
            headers.insert("grpc-timeout", timeout.parse().unwrap());
            let number = number as u64 + 1;
            let traceparent = format!("00-{number:032x}-{number:016x}-01");
            headers.insert("traceparent", traceparent.parse().unwrap());
            headers.insert("tracestate", format!("k{number}=1").parse().unwrap());
            headers.insert("baggage", format!("k{number}=1").parse().unwrap());
            headers.insert(named(format!("x-{number}")), HeaderValue::from_static("v"));
            request
        });
        assert_points(&telemetry, SERVER_DURATION, 1, COUNT);
        let duration = telemetry.metric(SERVER_DURATION);
        let call = ExpectedCall::server("").other();
        assert_eq!(duration.points[0].attributes, call.metric_attributes());
    }

    /// What a server has learnt stays, however many methods follow.
    #[test]
    fn methods_that_were_learned_first_are_kept() {
        let telemetry = Capture::new();
        let service = server(&telemetry).layer(answering());
        flood(&service, MOST_METHODS * 3, |number| request(&path(number)));
        telemetry.reset();
        flood(&service, 1, |_| request(&path(0)));
        let name = path(0);
        let call = ExpectedCall::server(name.trim_start_matches('/'));
        let duration = telemetry.metric(SERVER_DURATION);
        assert_eq!(duration.points.len(), 1);
        assert_eq!(duration.points[0].attributes, call.metric_attributes());
    }
}
