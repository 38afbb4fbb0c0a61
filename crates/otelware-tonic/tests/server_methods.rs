//! Which methods a server's layer tells apart: those that are listed, and those that it learns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use otelware_testing::suites::grpc::shapes::shapes_server::ShapesServer;
use otelware_testing::suites::grpc::{Handlers, Moment, Script};
use otelware_testing::{Capture, attributes, expect_histogram, expect_up_down_counter};
use otelware_tonic::GrpcServerLayer;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use support::*;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::{Layer, Service, ServiceExt, service_fn};

// Methods that are listed.

/// A layer that knows the unary and the bidirectional method, and no others.
async fn knows_two_methods(telemetry: &Capture, layer: GrpcServerLayer) {
    let handlers = handlers();
    let mut client = client_of(layer.layer(ShapesServer::new(handlers.clone())));
    client.unary(plain()).await.unwrap();
    let requests = tokio_stream::iter([note(0, "")]);
    let mut answers = client
        .bidi(told(requests, Script::Answer))
        .await
        .unwrap()
        .into_inner();
    while answers.message().await.unwrap().is_some() {}

    // This one exists; the list does not name it.
    let hanging = told(note(1, ""), Script::Hang(Moment::Instead));
    let mut hanging = Box::pin(client.server_stream(hanging));
    assert!((&mut hanging).now_or_never().is_none());
    handlers.wait_for_hanging().await;
    let calls = [
        ExpectedCall::server(UNARY),
        ExpectedCall::server(BIDI),
        ExpectedCall::server(SERVER_STREAM).other().cancelled(),
    ];
    telemetry.metric(SERVER_ACTIVE).assert(
        expect_up_down_counter(SERVER_ACTIVE)
            .point(calls[0].active_attributes(), 0)
            .point(calls[1].active_attributes(), 0)
            .point(calls[2].active_attributes(), 1),
    );
    drop(hanging);
    assert_calls(telemetry, &calls);

    // Samplers see it all.
    let started = telemetry.started();
    let named: Vec<_> = started
        .iter()
        .map(|span| {
            let text = |key| span.attribute(key).and_then(|value| value.as_str());
            (
                span.name.as_str(),
                text("rpc.method"),
                text("rpc.method_original"),
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            (UNARY, Some(UNARY), None),
            (BIDI, Some(BIDI), None),
            ("grpc", Some("_OTHER"), Some(SERVER_STREAM)),
        ]
    );
}

#[tokio::test]
async fn methods_can_be_listed() {
    let telemetry = Capture::new();
    // With or without the slash of the path, at once or one after the other.
    let layer = server_layer(&telemetry)
        .with_known_methods([UNARY])
        .with_known_methods([format!("/{BIDI}")]);
    knows_two_methods(&telemetry, layer).await;
}

#[tokio::test]
async fn methods_can_be_listed_by_service() {
    let telemetry = Capture::new();
    let layer =
        server_layer(&telemetry).with_known_methods_of::<ShapesServer<Handlers>>(["Unary", "Bidi"]);
    knows_two_methods(&telemetry, layer).await;
}

#[cfg(feature = "descriptors")]
#[tokio::test]
async fn methods_can_be_listed_by_a_file_descriptor_set() {
    use prost::Message;
    use prost_types::{
        FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
    };

    let method = |name: &str| MethodDescriptorProto {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let shapes = ServiceDescriptorProto {
        name: Some("Shapes".to_owned()),
        method: vec![method("Unary"), method("Bidi")],
        ..Default::default()
    };
    let file = FileDescriptorProto {
        package: Some("otelware.test".to_owned()),
        service: vec![shapes],
        ..Default::default()
    };
    let encoded = FileDescriptorSet { file: vec![file] }.encode_to_vec();
    let telemetry = Capture::new();
    let layer = server_layer(&telemetry)
        .with_file_descriptor_set(&encoded)
        .unwrap();
    knows_two_methods(&telemetry, layer).await;

    let error = GrpcServerLayer::new()
        .with_file_descriptor_set(b"\xff\xff")
        .unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn an_empty_list_knows_no_method() {
    let telemetry = Capture::new();
    let layer = server_layer(&telemetry).with_known_methods([""; 0]);
    let mut client = client_of(layer.layer(shapes()));
    client.unary(plain()).await.unwrap();
    assert_call(&telemetry, &ExpectedCall::server(UNARY).other());
}

#[tokio::test]
async fn a_refusal_of_a_listed_method_has_its_name() {
    for (code, name) in [
        (Code::Unimplemented, "UNIMPLEMENTED"),
        (Code::Unauthenticated, "UNAUTHENTICATED"),
        (Code::PermissionDenied, "PERMISSION_DENIED"),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    ] {
        let telemetry = Capture::new();
        let mut client = client_of(listed_layer(&telemetry).layer(guarded(code)));
        assert_eq!(client.unary(plain()).await.unwrap_err().code(), code);
        assert_call(&telemetry, &ExpectedCall::server(UNARY).code(name));
    }
}

// Methods that are learned.

#[tokio::test]
async fn the_first_call_of_a_method_is_whole_although_it_was_learned_late() {
    let telemetry = Capture::new();
    let mut client = client_of(server_layer(&telemetry).layer(shapes()));
    client.unary(plain()).await.unwrap();
    client.unary(plain()).await.unwrap();
    assert_calls(
        &telemetry,
        &[
            ExpectedCall::server(UNARY).learned(),
            ExpectedCall::server(UNARY),
        ],
    );
    // Samplers see the method from the second call on.
    let unknown = attributes! {
        "rpc.system.name" => "grpc",
        "server.address" => HOST,
        "server.port" => PORT,
    };
    let mut known = unknown.clone();
    known.insert("rpc.method".to_owned(), UNARY.into());
    let started: Vec<_> = telemetry
        .started()
        .into_iter()
        .map(|span| (span.name, span.attributes))
        .collect();
    assert_eq!(
        started,
        [("grpc".to_owned(), unknown), (UNARY.to_owned(), known)]
    );
}

#[tokio::test]
async fn clones_of_a_layer_learn_together() {
    let telemetry = Capture::new();
    let layer = server_layer(&telemetry);
    client_of(layer.clone().layer(shapes()))
        .unary(plain())
        .await
        .unwrap();
    client_of(layer.layer(shapes()))
        .unary(plain())
        .await
        .unwrap();
    let calls = [
        ExpectedCall::server(UNARY).learned(),
        ExpectedCall::server(UNARY),
    ];
    assert_calls(&telemetry, &calls);
    assert_eq!(telemetry.started()[1].name, UNARY);
}

/// The service, behind a check that answers with this code where metadata is missing.
fn guarded(
    code: Code,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let inner = shapes();
    service_fn(move |request: Request<Body>| {
        let inner = inner.clone();
        async move {
            match request.headers().contains_key("x-key") {
                true => inner.oneshot(request).await,
                false => Ok(Status::new(code, "").into_http()),
            }
        }
    })
}

/// What a check in front of an unknown method leaves behind when it answers with this code.
async fn refused_first(code: Code) -> Capture {
    let telemetry = Capture::new();
    let mut client = client_of(server_layer(&telemetry).layer(guarded(code)));
    let refused = client.unary(plain()).await.unwrap_err();
    assert_eq!(refused.code(), code);
    let allowed = with_metadata(plain(), &[("x-key", "1")]);
    client.unary(allowed).await.unwrap();
    assert_eq!(client.unary(plain()).await.unwrap_err().code(), code);
    telemetry
}

#[tokio::test]
async fn refusals_do_not_teach() {
    for (code, name) in [
        (Code::Unimplemented, "UNIMPLEMENTED"),
        (Code::Unauthenticated, "UNAUTHENTICATED"),
        (Code::PermissionDenied, "PERMISSION_DENIED"),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
        (Code::NotFound, "NOT_FOUND"),
        (Code::Internal, "INTERNAL"),
    ] {
        assert_calls(
            &refused_first(code).await,
            &[
                ExpectedCall::server(UNARY).other().code(name),
                ExpectedCall::server(UNARY).learned(),
                ExpectedCall::server(UNARY).code(name),
            ],
        );
    }
}

#[tokio::test]
async fn a_refusal_after_the_head_teaches() {
    let telemetry = Capture::new();
    let mut client = client_of(server_layer(&telemetry).layer(shapes()));
    let script = Script::Fail(Moment::Head, Code::PermissionDenied);
    let mut answers = client
        .server_stream(told(note(1, ""), script))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.message().await.unwrap_err().code(),
        Code::PermissionDenied
    );
    let call = ExpectedCall::server(SERVER_STREAM).learned();
    assert_call(&telemetry, &call.code("PERMISSION_DENIED"));
}

#[tokio::test]
async fn answers_that_are_none_of_grpc_do_not_teach() {
    for (status, content_type, code) in [
        (StatusCode::UNAUTHORIZED, None, "UNAUTHENTICATED"),
        (
            StatusCode::FORBIDDEN,
            Some("application/grpc"),
            "PERMISSION_DENIED",
        ),
        (
            StatusCode::NOT_FOUND,
            Some("application/grpc"),
            "UNIMPLEMENTED",
        ),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Some("text/html"),
            "UNAVAILABLE",
        ),
        (StatusCode::OK, Some("text/html"), "UNKNOWN"),
        (StatusCode::OK, None, "UNKNOWN"),
    ] {
        let telemetry = Capture::new();
        let answering = move |_: Request<Full<Bytes>>| {
            let mut response = Response::builder().status(status);
            if let Some(content_type) = content_type {
                response = response.header("content-type", content_type);
            }
            let body = Full::new(Bytes::from_static(b"a page"));
            std::future::ready(Ok::<_, Infallible>(response.body(body).unwrap()))
        };
        let service = server_layer(&telemetry).layer(service_fn(answering));
        let path = format!("/{UNARY}");
        exchange(&service, request(&path)).await;
        exchange(&service, request(&path)).await;
        let call = ExpectedCall::server(UNARY).other().code(code);
        assert_calls(&telemetry, &[call.clone(), call]);
    }
}

#[tokio::test]
async fn a_panic_does_not_teach() {
    let telemetry = Capture::new();
    let mut client = client_of(server_layer(&telemetry).layer(shapes()));
    let panicking = client.unary(told(note(1, ""), Script::Panic(Moment::Instead)));
    AssertUnwindSafe(panicking)
        .catch_unwind()
        .await
        .unwrap_err();
    client.unary(plain()).await.unwrap();
    assert_calls(
        &telemetry,
        &[
            ExpectedCall::server(UNARY).other().panicked(),
            ExpectedCall::server(UNARY).learned(),
        ],
    );
}

#[tokio::test]
async fn a_call_that_was_dropped_before_an_answer_does_not_teach() {
    let telemetry = Capture::new();
    let mut client = client_of(server_layer(&telemetry).layer(shapes()));
    let hanging = told(note(1, ""), Script::Hang(Moment::Instead));
    assert!(client.server_stream(hanging).now_or_never().is_none());
    // With the head there is an answer.
    let hanging = told(note(1, ""), Script::Hang(Moment::Head));
    drop(client.server_stream(hanging).await.unwrap());
    assert_calls(
        &telemetry,
        &[
            ExpectedCall::server(SERVER_STREAM).other().cancelled(),
            ExpectedCall::server(SERVER_STREAM).learned().cancelled(),
        ],
    );
}

/// A path of a scanner's, none twice.
fn scanned(number: u64) -> String {
    let noise = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match number % 5 {
        0 => format!("/otelware.test.Shapes/M{noise:x}"),
        1 => format!("/s{noise:x}.Service/Method"),
        2 => format!("/s{noise:x}"),
        3 => format!("/a/{noise:x}/b"),
        _ => format!("/otelware.test.Shapes/Unary{noise:x}?q={number}"),
    }
}

#[tokio::test]
async fn a_scanner_leaves_one_series_for_each_code() {
    const COUNT: u64 = 10_000;
    let telemetry = Capture::new();
    // Some go to services of tonic's, some to a check in front of them, some get no answer in time.
    let routes = Routes::new(shapes());
    let answering = move |request: Request<Full<Bytes>>| {
        let routes = routes.clone();
        async move {
            match request.headers().get("x-fate").map(|fate| fate.as_bytes()) {
                Some(b"refused") => Ok(Status::unauthenticated("").into_http()),
                Some(b"unanswered") => std::future::pending().await,
                Some(b"not found") => {
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    Ok(response)
                }
                _ => routes.oneshot(request).await,
            }
        }
    };
    let service = server_layer(&telemetry).layer(service_fn(answering));
    for number in 0..COUNT {
        let mut request = request(&scanned(number));
        let fate = ["routed", "refused", "unanswered", "not found"][number as usize % 4];
        let headers = request.headers_mut();
        headers.insert("x-fate", fate.parse().unwrap());
        let sent = service.clone().oneshot(request);
        match fate {
            "unanswered" => assert!(sent.now_or_never().is_none()),
            _ => drop(sent.await.unwrap().into_body().collect().await.unwrap()),
        }
    }
    let methods = [UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI];
    for name in methods {
        let message = Full::new(framed(b"", false));
        exchange(&service, request_with(&format!("/{name}"), message)).await;
    }

    let other = ExpectedCall::server("").other();
    let points = [
        (other.clone().code("UNIMPLEMENTED"), COUNT / 2),
        (other.clone().code("UNAUTHENTICATED"), COUNT / 4),
        (other.cancelled(), COUNT / 4),
    ];
    let mut expected = expect_histogram(SERVER_DURATION);
    for (call, count) in points {
        expected = expected.point(call.metric_attributes(), count);
    }
    for name in methods {
        expected = expected.point(ExpectedCall::server(name).metric_attributes(), 1);
    }
    telemetry.metric(SERVER_DURATION).assert(expected);
    let active = telemetry.metric(SERVER_ACTIVE);
    let other = ExpectedCall::server("").other().active_attributes();
    active.assert(expect_up_down_counter(SERVER_ACTIVE).point(other, 0));
}
