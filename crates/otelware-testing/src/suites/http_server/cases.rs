//! The cases.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::Sampler;
use tokio::net::TcpStream;

use super::{ExpectedRequest, Handler, HttpServerUnderTest, INNER_SPAN, TestServer};
use crate::suites::SECRET_KEYS;
use crate::{Capture, RemoteParent, Span, TRACEPARENT, attributes, expect_span};

/// A server under test and the handlers that it serves.
struct Running {
    server: TestServer,
    handler: Handler,
}

impl std::ops::Deref for Running {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

async fn start<S: HttpServerUnderTest>() -> Running {
    start_with::<S>(Capture::new()).await
}

async fn start_with<S: HttpServerUnderTest>(telemetry: Capture) -> Running {
    let handler = Handler::new(&telemetry, S::propagator());
    let served = handler.clone();
    let serve = |listener| S::serve(listener, telemetry.clone(), served);
    let server = TestServer::start(&telemetry, S::scope(), serve).await;
    Running { server, handler }
}

impl Running {
    /// What a request of this route must leave behind.
    fn expect_route<S: HttpServerUnderTest>(&self, method: &str, route: &str) -> ExpectedRequest {
        let expected = self.expect(method, route);
        if S::KNOWS_ROUTES {
            expected.route(route)
        } else {
            expected
        }
    }
}

/// One request, its response, its telemetry.
pub async fn success<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let answer = server
        .request("GET", "/success", &[("user-agent", "suite/1.0")])
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "success"));
    let expected = server
        .expect_route::<S>("GET", "/success")
        .status(200)
        .on_span("user_agent.original", "suite/1.0");
    server.assert(&[expected]).await;
}

/// Neither name nor route nor metric shows what stands for `{id}`.
pub async fn route_parameters_do_not_show<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for id in ["1", "2", "a%20b"] {
        let path = format!("/users/{id}");
        assert_eq!(server.get(&path).await.status, 200);
        let request = server.expect("GET", &path).status(200);
        expected.push(if S::KNOWS_ROUTES {
            request.route("/users/{id}")
        } else {
            request
        });
    }
    server.assert(&expected).await;
}

/// A status of 4xx is no error of the server.
pub async fn client_errors_are_no_errors_of_the_server<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(server.get("/client-error").await.status, 400);
    let expected = server.expect_route::<S>("GET", "/client-error").status(400);
    server.assert(&[expected]).await;
}

/// A status of 5xx is an error of this class, on span and metric.
pub async fn server_errors<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(server.get("/server-error").await.status, 500);
    let expected = server.expect_route::<S>("GET", "/server-error").status(500);
    server.assert(&[expected]).await;
}

/// A path that no route matches stays off names and metrics.
pub async fn an_unknown_path_has_no_route<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for path in ["/no/such/path", "/", "/success/", "//success"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
        expected.push(server.expect("GET", path).status(404));
    }
    server.assert(&expected).await;
}

/// A method that is not known is `_OTHER`; the original shows on the span only.
pub async fn an_unknown_method_is_folded<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for method in ["FOO", "PROPFIND", "X-A!B"] {
        assert_eq!(server.request(method, "/success", &[]).await.status, 200);
        let request = server.expect_route::<S>("_OTHER", "/success").status(200);
        expected.push(request.on_span("http.request.method_original", method));
    }
    server.assert(&expected).await;
}

/// `get` is another method than `GET`.
pub async fn a_method_is_case_sensitive<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    server.request("get", "/success", &[]).await;
    let expected = server
        .expect_route::<S>("_OTHER", "/success")
        .status(200)
        .on_span("http.request.method_original", "get");
    server.assert(&[expected]).await;
}

/// The values of sensitive query parameters are redacted, and nothing else.
pub async fn sensitive_queries_are_redacted<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for key in SECRET_KEYS {
        server
            .get(&format!("/success?a=1&{key}=s3cr3t&b=%20x"))
            .await;
        let request = server.expect_route::<S>("GET", "/success").status(200);
        expected.push(request.query(&format!("a=1&{key}=REDACTED&b=%20x")));
    }
    server.assert(&expected).await;
    server.telemetry().assert_never_contains("s3cr3t");
}

/// A response to `HEAD` is at its end with its head.
pub async fn head_has_no_body<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for path in ["/success", "/chunked", "/stream"] {
        let answer = server.request("HEAD", path, &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        expected.push(server.expect_route::<S>("HEAD", path).status(200));
    }
    server.assert(&expected).await;
}

/// 204 and 304.
pub async fn statuses_without_body<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut expected = Vec::new();
    for (path, status) in [("/no-content", 204), ("/not-modified", 304)] {
        assert_eq!(server.get(path).await.status, status);
        expected.push(server.expect_route::<S>("GET", path).status(status));
    }
    server.assert(&expected).await;
}

/// A body of no bytes.
pub async fn an_empty_body<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(server.get("/empty").await.header("content-length"), ["0"]);
    let expected = server.expect_route::<S>("GET", "/empty").status(200);
    server.assert(&[expected]).await;
}

/// A body whose length is known at its end only.
pub async fn a_body_of_unknown_length<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let answer = server.get("/chunked").await;
    assert_eq!(answer.header("transfer-encoding"), ["chunked"]);
    assert_eq!(
        answer.body,
        "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    );
    let expected = server.expect_route::<S>("GET", "/chunked").status(200);
    server.assert(&[expected]).await;
}

/// A transport that stops after the announced length was no client that went away.
pub async fn the_end_of_an_announced_body_is_success<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(server.get("/announced").await.body, "1234567890");
    let expected = server.expect_route::<S>("GET", "/announced").status(200);
    server.assert(&[expected]).await;
}

/// Trailers go through.
pub async fn trailers_pass<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let answer = server
        .request("GET", "/trailers", &[("te", "trailers")])
        .await;
    assert_eq!(answer.body, "5\r\nchunk\r\n0\r\nx-checksum: 42\r\n\r\n");
    let expected = server.expect_route::<S>("GET", "/trailers").status(200);
    server.assert(&[expected]).await;
}

/// The handler gets the request's body.
pub async fn request_bodies_pass<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let headers = [("content-length", "5"), ("connection", "close")];
    let head = server.head("POST", "/echo", &headers);
    assert_eq!(
        server.exchange(format!("{head}\r\nhello")).await.body,
        "hello"
    );
    let expected = server.expect_route::<S>("POST", "/echo").status(200);
    server.assert(&[expected]).await;
}

/// A body that fails after a head of success is an error of the server.
pub async fn a_body_that_fails_is_an_error<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    server.get("/body-error").await;
    let expected = server
        .expect_route::<S>("GET", "/body-error")
        .status(200)
        .error("connection_reset");
    server.assert(&[expected]).await;
}

/// A client that goes away while the handler runs.
pub async fn a_client_that_leaves_the_handler<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    server
        .abandon("/hang", server.handler.wait_for_hanging())
        .await;
    let expected = server.expect_route::<S>("GET", "/hang").cancelled();
    server.assert(&[expected]).await;
}

/// A client that goes away while the body flows.
pub async fn a_client_that_leaves_the_body<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut wire = server.wire().await;
    wire.send(format!("{}\r\n", server.head("GET", "/stream", &[])))
        .await;
    wire.read_until("chunk").await;
    drop(wire);
    let expected = server
        .expect_route::<S>("GET", "/stream")
        .status(200)
        .cancelled();
    server.assert(&[expected]).await;
}

/// A panic is an error on span and metric, and goes on to the server.
pub async fn a_panic<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(server.get("/panic").await.status, 0);
    let expected = server.expect_route::<S>("GET", "/panic").error("panic");
    server.assert(&[expected]).await;
}

/// The parent of the `number`th of many requests.
fn parent(number: u64) -> RemoteParent {
    RemoteParent {
        trace_id: TraceId::from(u128::from(number) + 1),
        span_id: SpanId::from(number + 1),
        ..RemoteParent::sampled()
    }
}

/// What each of `count` requests to `/context?<number>` must leave behind.
fn contexts<S: HttpServerUnderTest>(server: &Running, count: u64) -> Vec<ExpectedRequest> {
    (0..count)
        .map(|number| {
            server
                .expect_route::<S>("GET", "/context")
                .status(200)
                .query(&number.to_string())
                .child_of(&parent(number))
        })
        .collect()
}

/// Asserts that the span made in each handler is a child of its own request's span.
fn assert_inner_spans(server: &Running, requests: &[Span]) {
    let mut inner = server.telemetry().spans();
    inner.retain(|span| span.name == INNER_SPAN);
    assert_eq!(inner.len(), requests.len());
    for request in requests {
        let of_request = |span: &&Span| span.trace_id == request.trace_id;
        let query = request
            .attribute("url.query")
            .cloned()
            .unwrap_or_else(|| "".into());
        let expected = expect_span(INNER_SPAN)
            .child_of(request)
            .attribute("query", query);
        inner.iter().find(of_request).unwrap().assert(expected);
    }
}

/// Fifty requests at once, each with a parent and an inner span of its own.
pub async fn concurrent_requests<S: HttpServerUnderTest>() {
    const COUNT: u64 = 50;
    let server = start::<S>().await;
    let requests = (0..COUNT).map(|number| {
        let server = &server;
        async move {
            let traceparent = parent(number).traceparent();
            let headers = [(TRACEPARENT, traceparent.as_str())];
            server
                .request("GET", &format!("/context?{number}"), &headers)
                .await
        }
    });
    for (number, answer) in join_all(requests).await.into_iter().enumerate() {
        let traceparent = answer.line(TRACEPARENT).unwrap();
        let trace_id = parent(number as u64).trace_id.to_string();
        assert!(traceparent.contains(&trace_id), "{traceparent}");
    }
    let spans = server.assert(&contexts::<S>(&server, COUNT)).await;
    assert_inner_spans(&server, &spans);
}

/// Three requests sent at once on one connection.
pub async fn pipelined_requests<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut requests = String::new();
    for number in 0..3 {
        let traceparent = parent(number).traceparent();
        let close = if number == 2 { "close" } else { "keep-alive" };
        let headers = [(TRACEPARENT, traceparent.as_str()), ("connection", close)];
        requests.push_str(&server.head("GET", &format!("/context?{number}"), &headers));
        requests.push_str("\r\n");
    }
    let mut wire = server.wire().await;
    wire.send(requests).await;
    let answers = wire.read_to_end().await;
    let traces: Vec<&str> = answers
        .lines()
        .filter_map(|line| line.strip_prefix("traceparent: 00-")?.get(..32))
        .collect();
    let expected: Vec<String> = (0..3)
        .map(|number| parent(number).trace_id.to_string())
        .collect();
    assert_eq!(traces, expected);
    let spans = server.assert(&contexts::<S>(&server, 3)).await;
    assert_inner_spans(&server, &spans);
}

/// HTTP/1.0, without `Host`.
pub async fn http_1_0<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    assert_eq!(
        server.exchange("GET /success HTTP/1.0\r\n\r\n").await.body,
        "success"
    );
    let expected = server.expect_route::<S>("GET", "/success").status(200);
    server.assert(&[expected.version("1.0").no_host()]).await;
}

async fn http_2_client(server: &TestServer) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    client
}

fn http_2_get(server: &TestServer, path: &str) -> Request<Empty<Bytes>> {
    Request::builder()
        .uri(format!("http://{}{path}", server.address()))
        .version(Version::HTTP_2)
        .body(Empty::new())
        .unwrap()
}

/// HTTP/2: several streams of one connection, trailers, an error.
pub async fn http_2<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let client = http_2_client(&server).await;
    let paths = [
        "/success",
        "/trailers",
        "/announced",
        "/server-error",
        "/chunked",
    ];
    let exchanges = paths.map(|path| {
        let (mut client, request) = (client.clone(), http_2_get(&server, path));
        async move {
            let response = client.send_request(request).await.unwrap();
            let status = response.status().as_u16();
            let mut body = response.into_body();
            let mut data = Vec::new();
            let mut trailers = None;
            // The server may reset a stream whose announced length was sent.
            while let Some(Ok(frame)) = body.frame().await {
                match frame.into_data() {
                    Ok(more) => data.extend(more),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
                if path == "/announced" && data.len() == 10 {
                    break;
                }
            }
            let checksum = trailers.map(|trailers| trailers["x-checksum"].clone());
            (status, String::from_utf8(data).unwrap(), checksum)
        }
    });
    let answers = join_all(exchanges).await;
    let text = |text: &str| text.to_owned();
    assert_eq!(
        answers,
        [
            (200, text("success"), None),
            (200, text("chunk"), Some("42".parse().unwrap())),
            (200, text("1234567890"), None),
            (500, text("server error"), None),
            (200, text("onetwothree"), None),
        ]
    );
    let expected = paths.map(|path| {
        let status = if path == "/server-error" { 500 } else { 200 };
        server
            .expect_route::<S>("GET", path)
            .version("2")
            .status(status)
    });
    server.assert(&expected).await;
}

/// A client that resets its stream and keeps its connection.
pub async fn http_2_reset<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut client = http_2_client(&server).await;
    let hanging = client.send_request(http_2_get(&server, "/hang"));
    tokio::select! {
        _ = hanging => panic!("/hang answered"),
        () = server.handler.wait_for_hanging() => {}
    }
    let mut body = client
        .send_request(http_2_get(&server, "/stream"))
        .await
        .unwrap()
        .into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "chunk"
    );
    drop(body);
    let response = client
        .send_request(http_2_get(&server, "/success"))
        .await
        .unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "success"
    );
    let expect = |path| server.expect_route::<S>("GET", path).version("2");
    server
        .assert(&[
            expect("/hang").cancelled(),
            expect("/stream").status(200).cancelled(),
            expect("/success").status(200),
        ])
        .await;
}

/// `server.address` is an IPv6 address without its brackets.
pub async fn an_ipv6_host<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    server
        .exchange("GET /success HTTP/1.1\r\nhost: [2001:db8::1]:8443\r\nconnection: close\r\n\r\n")
        .await;
    let expected = server.expect_route::<S>("GET", "/success").status(200);
    server.assert(&[expected.host("2001:db8::1", 8443)]).await;
}

/// A `Host` without port, and ones that are no hosts.
pub async fn no_usable_host<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let expect = || server.expect_route::<S>("GET", "/success").status(200);
    let mut expected = Vec::new();
    for (host, request) in [
        ("shop.example", expect().host("shop.example", None)),
        ("", expect().no_host()),
        ("a b", expect().no_host()),
        ("[::1", expect().no_host()),
        ("shop.example:99999", expect().no_host()),
    ] {
        let head = format!("GET /success HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(server.exchange(head).await.status, 200, "{host}");
        expected.push(request);
    }
    server.assert(&expected).await;
}

/// Bytes that are no UTF-8, in headers and, percent-encoded, in the path.
pub async fn foreign_bytes<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    let mut request = b"GET /users/%ff%00%f0?q=%ff HTTP/1.1\r\n".to_vec();
    request.extend(b"host: \xff\xfe\r\nx-any: \xff\r\ntraceparent: \xff\r\n");
    request.extend(b"tracestate: \xff=1\r\nbaggage: \xff\r\nconnection: close\r\n\r\n");
    server.exchange(request).await;
    let expected = server
        .expect("GET", "/users/%ff%00%f0")
        .query("q=%ff")
        .no_host();
    // What a router makes of such a path is its own affair.
    let spans = server.telemetry().wait_for_spans(1).await;
    let expected = match spans[0]
        .attribute("http.response.status_code")
        .unwrap()
        .as_int()
    {
        Some(200) if S::KNOWS_ROUTES => expected.status(200).route("/users/{id}"),
        Some(status) => expected.status(status as u16),
        None => panic!("no status: {}", spans[0]),
    };
    server.assert(&[expected]).await;
}

/// The caller's span is the parent.
pub async fn a_sampled_parent<S: HttpServerUnderTest>() {
    let server = start_with::<S>(parent_based()).await;
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    server
        .request("GET", "/context", &[("TraceParent", &traceparent)])
        .await;
    let expected = server.expect_route::<S>("GET", "/context").status(200);
    let spans = server.assert(&[expected.child_of(&parent)]).await;
    assert_inner_spans(&server, &spans);
}

/// A caller that does not sample: no span, the metrics, and the context flows.
pub async fn an_unsampled_parent<S: HttpServerUnderTest>() {
    let server = start_with::<S>(parent_based()).await;
    let parent = RemoteParent::unsampled();
    let traceparent = parent.traceparent();
    let answer = server
        .request("GET", "/context", &[(TRACEPARENT, &traceparent)])
        .await;
    let carried = answer.line(TRACEPARENT).unwrap();
    assert_eq!(carried.get(..36), traceparent.get(..36));
    assert_ne!(carried.get(36..52), traceparent.get(36..52));
    assert_eq!(carried.get(52..), Some("-00"));
    let expected = server.expect_route::<S>("GET", "/context").status(200);
    server.assert(&[expected.without_span()]).await;
    assert_eq!(server.telemetry().spans(), []);
}

/// A parent that can't be read begins a new trace.
pub async fn a_malformed_parent<S: HttpServerUnderTest>() {
    let server = start_with::<S>(parent_based()).await;
    let mut expected = Vec::new();
    for traceparent in [
        "",
        "x",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
    ] {
        server
            .request("GET", "/success", &[(TRACEPARENT, traceparent)])
            .await;
        expected.push(server.expect_route::<S>("GET", "/success").status(200));
    }
    server.assert(&expected).await;
}

/// What came in goes out again from inside the handler: both flags, all of `tracestate` although
/// it is split over two headers, and the baggage.
pub async fn state_and_baggage_reach_the_next_service<S: HttpServerUnderTest>() {
    let server = start_with::<S>(parent_based()).await;
    let parent = RemoteParent::sampled().with_random_flag();
    let traceparent = parent.traceparent();
    let answer = server
        .request(
            "GET",
            "/context",
            &[
                (TRACEPARENT, &traceparent),
                ("tracestate", "a=1,b=2"),
                ("tracestate", "c=3"),
                ("baggage", "user=42"),
                ("baggage", "tier=gold"),
            ],
        )
        .await;
    let expected = server
        .expect_route::<S>("GET", "/context")
        .status(200)
        .child_of(&parent.clone().with_trace_state("a=1,b=2,c=3"));
    let spans = server.assert(&[expected]).await;
    let span = &spans[0];
    assert_eq!((span.flags, span.trace_state.as_str()), (3, "a=1,b=2,c=3"));
    assert_eq!(answer.line(TRACEPARENT), Some(span.traceparent().as_str()));
    assert_eq!(answer.line("tracestate"), Some("a=1,b=2,c=3"));
    assert_eq!(answer.line("baggage entries"), Some("2"));
    let mut baggage: Vec<&str> = answer.line("baggage").unwrap().split(',').collect();
    baggage.sort_unstable();
    assert_eq!(baggage, ["tier=gold", "user=42"]);
}

/// All that the conventions want samplers to see is there when the span starts.
pub async fn samplers_see_the_request<S: HttpServerUnderTest>() {
    let server = start::<S>().await;
    server
        .request("GET", "/success?a=1", &[("user-agent", "suite/1.0")])
        .await;
    let mut started = server.telemetry().started();
    let mut found = started.pop().unwrap().attributes;
    found.retain(|key, _| !["http.route", "network.peer.port"].contains(&key.as_str()));
    assert_eq!(
        found,
        attributes! {
            "http.request.method" => "GET",
            "url.path" => "/success",
            "url.query" => "a=1",
            "url.scheme" => "http",
            "server.address" => "127.0.0.1",
            "server.port" => server.address().port(),
            "client.address" => "127.0.0.1",
            "network.peer.address" => "127.0.0.1",
            "network.protocol.version" => "1.1",
            "user_agent.original" => "suite/1.0",
        }
    );
    let expected = server
        .expect_route::<S>("GET", "/success")
        .status(200)
        .query("a=1")
        .on_span("user_agent.original", "suite/1.0");
    server.assert(&[expected]).await;
}

/// What services usually do: as the caller says, else always.
fn parent_based() -> Capture {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    Capture::builder().sampler(sampler).build()
}
