//! No secret of a call reaches what is exported, however much is captured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use otelware_testing::Capture;
use otelware_tonic::server::RequestBody;
use proptest::prelude::*;
use std::convert::Infallible;
use support::*;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, ServiceExt, service_fn};

const MARKER: &str = "m4rk3r";
/// The same in base64, as binary metadata has it.
const BINARY_MARKER: &str = "bTRyazNy";

const KEYS: [&str; 18] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "apikey",
    "x-auth-token",
    "x-auth-key",
    "x-access-key",
    "x-csrf-token",
    "x-amz-security-token",
    "x-amz-credential",
    "x-hub-signature-256",
    "x-client-secret",
    "x-user-password",
    "x-session-id",
    "x-forwarded-client-cert",
    "authentication-info",
];

const BINARY_KEYS: [&str; 4] = [
    "authorization-bin",
    "x-token-bin",
    "credential-bin",
    "x-secret-bin",
];

/// What the layers are told to capture.
const PATTERNS: [&str; 6] = ["x-*", "*auth*", "*cookie*", "*-bin", "*key*", "other"];

/// How a call ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// With this code, without messages.
    Refusal(i32),
    /// With this code, after a message.
    Trailers(i32),
    /// It is dropped after a message.
    Drop,
    /// It is dropped before an answer.
    Never,
}

#[derive(Clone, Debug)]
struct Exchange {
    uri: String,
    request: Vec<&'static str>,
    response: Vec<&'static str>,
    trailing: Vec<&'static str>,
    is_known: bool,
    is_compressed: bool,
    end: End,
}

fn keys() -> impl Strategy<Value = Vec<&'static str>> {
    let all: Vec<_> = KEYS.into_iter().chain(BINARY_KEYS).collect();
    let most = all.len();
    proptest::sample::subsequence(all, 0..=most)
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        (0..17).prop_map(End::Refusal),
        (0..17).prop_map(End::Trailers),
        Just(End::Drop),
        Just(End::Never),
    ]
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let uri = ("[a-z]{0,4}", "[a-zA-Z./%20]{0,20}", any::<bool>()).prop_map(
        |(user, path, is_absolute)| match is_absolute {
            true => format!("http://{user}:{MARKER}@host:80/{path}?token={MARKER}"),
            false => format!("/{path}?token={MARKER}"),
        },
    );
    (
        uri,
        keys(),
        keys(),
        keys(),
        any::<bool>(),
        any::<bool>(),
        ends(),
    )
        .prop_map(
            |(uri, request, response, trailing, is_known, is_compressed, end)| Exchange {
                uri,
                request,
                response,
                trailing,
                is_known,
                is_compressed,
                end,
            },
        )
}

fn fill(metadata: &mut HeaderMap, keys: &[&'static str]) {
    for key in keys {
        let name = HeaderName::from_static(key);
        if key.ends_with("-bin") {
            metadata.append(name, HeaderValue::from_static(BINARY_MARKER));
        } else {
            metadata.append(&name, HeaderValue::from_static("Basic m4rk3r"));
            metadata.append(name, HeaderValue::from_bytes(b"\xff m4rk3r").unwrap());
        }
    }
}

async fn exchanged(telemetry: &Capture, exchange: Exchange) {
    let mut server = server_layer(telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .with_captured_request_metadata(KEYS.into_iter().chain(PATTERNS))
        .with_captured_response_metadata(KEYS.into_iter().chain(PATTERNS));
    let path = exchange.uri.parse::<http::Uri>().unwrap().path().to_owned();
    if exchange.is_known {
        server = server.with_known_methods([path]);
    }
    let server = server.with_message_counts().with_message_events();
    let client = client_layer(telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .with_captured_request_metadata(KEYS.into_iter().chain(PATTERNS))
        .with_captured_response_metadata(KEYS.into_iter().chain(PATTERNS))
        .with_message_counts()
        .with_message_events();

    let message = framed(MARKER.as_bytes(), exchange.is_compressed);
    let answer = exchange.clone();
    let answered = message.clone();
    let service = server.layer(service_fn(move |request: Request<RequestBody<Body>>| {
        let (answer, answered) = (answer.clone(), answered.clone());
        async move {
            request.into_body().collect().await.unwrap();
            let (End::Refusal(code) | End::Trailers(code)) = answer.end else {
                if let End::Never = answer.end {
                    std::future::pending::<()>().await;
                }
                return Ok::<_, Infallible>(response(frames(vec![Ok(Frame::data(answered))])));
            };
            let mut status = Status::new(Code::from_i32(code), MARKER)
                .into_http::<()>()
                .into_parts()
                .0
                .headers;
            fill(&mut status, &answer.trailing);
            let mut head = match answer.end {
                End::Refusal(_) => {
                    let mut head = response(frames::<Infallible>(vec![]));
                    head.headers_mut().extend(status);
                    head
                }
                _ => response(frames(vec![
                    Ok(Frame::data(answered)),
                    Ok(Frame::trailers(status)),
                ])),
            };
            fill(head.headers_mut(), &answer.response);
            Ok(head)
        }
    }));
    let service = client.layer(service);

    let mut request = Request::post(&exchange.uri)
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("baggage", format!("user={MARKER};{MARKER},{MARKER}=1"))
        .header("grpc-previous-rpc-attempts", MARKER)
        .header("grpc-timeout", MARKER)
        .body(Full::<Bytes>::from(message))
        .unwrap();
    fill(request.headers_mut(), &exchange.request);
    let call = service.oneshot(request);
    match exchange.end {
        End::Never => {
            use futures_util::FutureExt;
            assert!(call.now_or_never().is_none());
        }
        End::Drop => {
            let mut body = call.await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
        }
        _ => {
            call.await.unwrap().into_body().collect().await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_secret_is_exported(example in exchanges()) {
        let telemetry = Capture::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(exchanged(&telemetry, example));
        prop_assert_eq!(telemetry.spans().len(), 2);
        prop_assert_eq!(telemetry.logs(), vec![]);
        telemetry.assert_never_contains(MARKER);
        telemetry.assert_never_contains(BINARY_MARKER);
    }
}

/// A status's message travels in a header, and is no metadata (gRPC over HTTP/2, "Responses").
#[tokio::test]
async fn messages_of_statuses_are_not_captured_as_metadata() {
    for refuses in [true, false] {
        let telemetry = Capture::new();
        let server = listed_layer(&telemetry).with_captured_response_metadata(["*"]);
        let client = client_layer(&telemetry).with_captured_response_metadata(["*"]);
        let service = client.layer(server.layer(service_fn(move |_: Request<Body>| {
            let mut head = response(frames::<Infallible>(vec![]));
            let status = [("grpc-status", "13"), ("grpc-message", MARKER)];
            if refuses {
                head.headers_mut().extend(header_map(&status));
            } else {
                *head.body_mut() = frames(vec![trailers(&status)]);
            }
            std::future::ready(Ok::<_, Infallible>(head))
        })));
        exchange(&service, request(&format!("/{UNARY}"))).await;
        assert_eq!(telemetry.spans().len(), 2);
        telemetry.assert_never_contains(MARKER);
    }
}

#[tokio::test]
async fn the_path_of_a_call_has_no_query() {
    let telemetry = Capture::new();
    let service = client_layer(&telemetry).layer(server_layer(&telemetry).layer(shapes()));
    for path in ["/otelware.test.Shapes/Missing", "/odd", "/"] {
        let path = format!("{path}?token={MARKER}#{MARKER}");
        exchange(&service, request(&path)).await;
    }
    assert_eq!(telemetry.spans().len(), 6);
    telemetry.assert_never_contains(MARKER);
}

#[cfg(feature = "channel")]
#[tokio::test]
async fn credentials_of_an_endpoint_are_no_address() {
    use tonic::transport::Endpoint;

    for (uri, host, port) in [
        (format!("http://user:{MARKER}@e.example"), "e.example", 80),
        (format!("https://{MARKER}@e.example:7"), "e.example", 7),
    ] {
        let telemetry = Capture::new();
        let endpoint = Endpoint::from_shared(uri).unwrap();
        let layer = client_layer(&telemetry).with_endpoint(&endpoint);
        client_of(layer.layer(shapes()))
            .unary(plain())
            .await
            .unwrap();
        let call = ExpectedCall::client(UNARY).address(Some((host, Some(port))));
        assert_call(&telemetry, &call);
        telemetry.assert_never_contains(MARKER);
    }
}

#[tokio::test]
async fn credentials_in_an_authority_or_a_host_are_no_address() {
    for host in [
        format!("user:{MARKER}@shop.example"),
        format!("{MARKER}@shop.example:80"),
    ] {
        let telemetry = Capture::new();
        let service = server_layer(&telemetry).layer(shapes());
        for target in [format!("http://{host}/{UNARY}"), format!("/{UNARY}")] {
            let request = Request::post(target)
                .version(Version::HTTP_2)
                .header("content-type", "application/grpc")
                .header("host", &host)
                .body(Full::new(framed(b"", false)))
                .unwrap();
            exchange(&service, request).await;
        }
        assert_eq!(telemetry.spans().len(), 2);
        telemetry.assert_never_contains(MARKER);
    }
}
