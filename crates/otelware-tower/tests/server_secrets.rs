//! No secret of a request or a response reaches what is exported, however much is captured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use otelware_testing::Capture;
use proptest::prelude::*;
use server_support::layer;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tower::{Layer, ServiceExt, service_fn};
use tracing_subscriber::fmt::MakeWriter;

const MARKER: &str = "m4rk3r";

const HEADERS: [&str; 20] = [
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
    "www-authenticate-secret",
    "sec-websocket-key",
    "authentication-info",
];

const URL_HEADERS: [&str; 3] = ["referer", "location", "x-any"];

const QUERY_KEYS: [&str; 19] = [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "s%69g",
    "X-Goog-Signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "access_token",
    "api_key",
    "api-key",
    "apikey",
    "auth_token",
    "client_secret",
    "id_token",
    "password",
    "refresh_token",
    "secret",
    "t%6Fken",
];

/// What is written to the console.
#[derive(Clone, Default)]
struct Console(Arc<Mutex<Vec<u8>>>);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[derive(Clone, Debug)]
struct Exchange {
    uri: String,
    request: Vec<&'static str>,
    response: Vec<&'static str>,
    url_header: &'static str,
    status: u16,
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let query = (
        "[a-z=&%2]{0,12}",
        proptest::sample::select(QUERY_KEYS.to_vec()),
        "[a-z=&?/]{0,12}",
    )
        .prop_map(|(before, key, after)| format!("{before}&{key}={MARKER}&{after}"));
    let uri = (proptest::bool::ANY, "[a-z]{0,4}", "[a-z/%20.]{0,20}", query).prop_map(
        |(absolute, user, path, query)| match absolute {
            true => format!("http://{user}:{MARKER}@host:80/{path}?{query}"),
            false => format!("/{path}?{query}"),
        },
    );
    (
        uri,
        proptest::sample::subsequence(HEADERS.to_vec(), 0..HEADERS.len()),
        proptest::sample::subsequence(HEADERS.to_vec(), 0..HEADERS.len()),
        proptest::sample::select(URL_HEADERS.to_vec()),
        proptest::sample::select(vec![200, 204, 404, 500]),
    )
        .prop_map(|(uri, request, response, url_header, status)| Exchange {
            uri,
            request,
            response,
            url_header,
            status,
        })
}

fn fill(headers: &mut http::HeaderMap, names: &[&'static str]) {
    for name in names {
        let name = HeaderName::from_static(name);
        headers.append(&name, HeaderValue::from_static("Basic m4rk3r"));
        headers.append(name, HeaderValue::from_bytes(b"\xff m4rk3r").unwrap());
    }
}

async fn exchange(telemetry: &Capture, exchange: Exchange) {
    let layer = layer(telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .with_captured_request_headers(HEADERS.into_iter().chain(["*"]))
        .with_captured_response_headers(["*"])
        .with_trace_response(otelware_tower::server::TraceResponse::ServerTiming)
        .with_access_log()
        .with_body_sizes();
    let answer = exchange.clone();
    let service = layer.layer(service_fn(move |_| {
        let mut response = Response::new(Full::new(Bytes::from_static(MARKER.as_bytes())));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
        fill(response.headers_mut(), &answer.response);
        std::future::ready(Ok::<_, server_support::Never>(response))
    }));
    let mut request = Request::get(&exchange.uri)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let headers = request.headers_mut();
    fill(headers, &exchange.request);
    let url = format!("https://user:{MARKER}@elsewhere/?token={MARKER}");
    headers.insert(exchange.url_header, url.parse().unwrap());
    headers.insert(
        "x-original-url",
        format!("/?token={MARKER}").parse().unwrap(),
    );
    service
        .oneshot(request)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_secret_is_exported(example in exchanges()) {
        let console = Console::default();
        let subscriber = tracing_subscriber::fmt().with_writer(console.clone()).finish();
        let _default = tracing::subscriber::set_default(subscriber);
        let telemetry = Capture::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(exchange(&telemetry, example));
        prop_assert_eq!(telemetry.spans().len(), 1);
        telemetry.assert_never_contains(MARKER);
        let written = String::from_utf8(console.0.lock().unwrap().clone()).unwrap();
        prop_assert!(written.contains("otelware::access"), "{}", written);
        prop_assert!(!written.contains(MARKER), "{}", written);
    }
}

#[tokio::test]
async fn credentials_in_a_host_are_no_address() {
    for host in [
        format!("user:{MARKER}@shop.example"),
        format!("{MARKER}@shop.example:80"),
    ] {
        let telemetry = Capture::new();
        let service = layer(&telemetry).layer(service_fn(async |_| {
            Ok::<_, server_support::Never>(Response::new(Empty::<Bytes>::new()))
        }));
        let mut request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        service.oneshot(request).await.unwrap();
        telemetry.assert_never_contains(MARKER);
    }
}
