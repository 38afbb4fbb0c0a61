//! What the client's layer can be told: addresses, destinations, attempts, metadata, hooks,
//! messages and so on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "channel")]

mod support;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Frame;
use http_body_util::BodyExt;
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Cancellation, Signals};
use otelware::propagation::{Destinations, Outbound};
use otelware_testing::opentelemetry_sdk::trace::Sampler;
use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
use otelware_testing::suites::grpc::{Moment, Script};
use otelware_testing::{
    Attributes, Capture, RemoteParent, attributes, expect_histogram, expect_log, expect_span,
    expect_up_down_counter,
};
use otelware_tonic::client::{AttemptCount, AttemptCountLayer};
use otelware_tonic::{Channel, GrpcClient, GrpcClientLayer};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use support::*;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Status};
use tower::retry::{Policy, RetryLayer};
use tower::{Layer, Service, ServiceBuilder, service_fn};

const COUNTS: [&str; 4] = [
    "otelware.rpc.client.request.messages",
    "otelware.rpc.client.request.size",
    "otelware.rpc.client.response.messages",
    "otelware.rpc.client.response.size",
];

/// What a server was sent.
type Sent = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that answers well and keeps the metadata that it was sent.
fn keeping(
    sent: &Sent,
) -> impl Service<
    Request<Body>,
    Response = Response<Frames<Infallible>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    let sent = sent.clone();
    service_fn(move |request: Request<Body>| {
        sent.lock().unwrap().push(request.headers().clone());
        ready(Ok(fine()))
    })
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

// Addresses.

#[tokio::test]
async fn the_address_is_that_of_the_endpoint_or_of_the_target() {
    type Told = fn(GrpcClientLayer) -> GrpcClientLayer;
    let target: Told = |layer| layer;
    let endpoint: Told = |layer| layer.with_endpoint(&Endpoint::from_static("http://e.example:1"));
    let secure: Told = |layer| layer.with_endpoint(&Endpoint::from_static("https://e.example"));
    let named: Told = |layer| layer.with_server_address("n.example", Some(2));
    let socket: Told = |layer| layer.with_server_address("/run/orders.sock", None);
    // A name stands, whatever the endpoint is.
    let both: Told = |layer| {
        layer
            .with_server_address("n.example", Some(2))
            .with_endpoint(&Endpoint::from_static("http://e.example:1"))
    };
    for (told, origin, address) in [
        (target, ORIGIN, Some((HOST, Some(PORT)))),
        (target, "http://t.example", Some(("t.example", Some(80)))),
        (target, "https://t.example", Some(("t.example", Some(443)))),
        (target, "http://[::1]:7", Some(("::1", Some(7)))),
        (target, "/", None),
        (endpoint, ORIGIN, Some(("e.example", Some(1)))),
        (endpoint, "/", Some(("e.example", Some(1)))),
        (secure, "/", Some(("e.example", Some(443)))),
        (named, "/", Some(("n.example", Some(2)))),
        (socket, "/", Some(("/run/orders.sock", None))),
        (both, "/", Some(("n.example", Some(2)))),
    ] {
        let telemetry = Capture::new();
        let channel = told(client_layer(&telemetry)).layer(shapes());
        let mut client = ShapesClient::with_origin(channel, Uri::from_static(origin));
        client.unary(plain()).await.unwrap();
        let call = ExpectedCall::client(UNARY).address(address);
        assert_call(&telemetry, &call);
        // Samplers see it.
        let started = telemetry.started().remove(0);
        let mut seen = attributes! { "rpc.system.name" => "grpc", "rpc.method" => UNARY };
        if let Some((host, port)) = address {
            seen.insert("server.address".to_owned(), host.into());
            if let Some(port) = port {
                seen.insert("server.port".to_owned(), port.into());
            }
        }
        assert_eq!((started.name.as_str(), started.attributes), (UNARY, seen));
    }
}

#[tokio::test]
async fn a_target_with_a_path_of_its_own_does_not_hide_the_method() {
    let telemetry = Capture::new();
    let sent = Sent::default();
    let channel = client_layer(&telemetry)
        .with_filter(|call| call.method == UNARY)
        .layer(keeping(&sent));
    let origin = Uri::from_static("http://shop.example:50051/behind/a/proxy");
    let mut client = ShapesClient::with_origin(channel, origin);
    // The answer has no message, which is the caller's own trouble.
    client.unary(plain()).await.unwrap_err();
    assert_call(&telemetry, &ExpectedCall::client(UNARY));
}

/// A server on loopback, until it is dropped.
struct Loopback {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Loopback {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(shapes());
        let serving = tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener);
            server.serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, serving }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap()
    }

    fn expected(&self, method: &str) -> ExpectedCall {
        ExpectedCall::client(method).address(Some(("127.0.0.1", Some(self.address.port()))))
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn channels_know_their_endpoint() {
    let server = Loopback::start().await;
    for lazily in [false, true] {
        let telemetry = Capture::new();
        let layer = client_layer(&telemetry);
        let channel: Channel = match lazily {
            true => layer.connect_lazy(&server.endpoint()),
            false => layer.connect(&server.endpoint()).await.unwrap(),
        };
        let answer = ShapesClient::new(channel).unary(plain()).await.unwrap();
        assert_eq!(answer.into_inner(), note(1, ""));
        assert_call(&telemetry, &server.expected(UNARY));
        let span = telemetry.span(UNARY);
        telemetry
            .metric(CLIENT_DURATION)
            .assert_same_reading([&span]);
    }
}

// What goes out.

#[tokio::test]
async fn destinations_get_what_they_may_learn() {
    let destinations = || {
        Destinations::everywhere(Outbound::Everything)
            .except("*.ads.example", Outbound::Nothing)
            .except("shop.example:1", Outbound::TraceContextOnly)
            .except("shop.example", Outbound::baggage(["tenant"]))
    };
    for (origin, traced, baggage) in [
        ("http://x.ads.example", false, vec![]),
        ("http://shop.example:1", true, vec![]),
        ("http://shop.example:2", true, vec!["tenant=7"]),
        ("http://else.example", true, vec!["tenant=7,user=me"]),
    ] {
        let telemetry = Capture::new();
        let sent = Sent::default();
        let channel = client_layer(&telemetry)
            .with_destinations(destinations())
            .layer(keeping(&sent));
        let mut client = ShapesClient::with_origin(channel, Uri::from_static(origin));
        let context = Context::new()
            .with_baggage([KeyValue::new("tenant", "7"), KeyValue::new("user", "me")]);
        let requests = told(tokio_stream::empty(), Script::Answer);
        client
            .bidi(requests)
            .with_context(context)
            .await
            .unwrap()
            .into_inner()
            .message()
            .await
            .unwrap();
        let span = telemetry.span(BIDI);
        let sent = sent.lock().unwrap().remove(0);
        let traceparent = span.traceparent();
        let expected = if traced {
            vec![traceparent.as_str()]
        } else {
            vec![]
        };
        assert_eq!(values(&sent, "traceparent"), expected, "{origin}");
        let mut found: Vec<String> = Vec::new();
        for value in values(&sent, "baggage") {
            let mut entries: Vec<&str> = value.split(',').collect();
            entries.sort_unstable();
            found.push(entries.join(","));
        }
        assert_eq!(found, baggage, "{origin}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_known_gets_the_least_that_any_rule_allows() {
    let telemetry = Capture::new();
    let sent = Sent::default();
    let rules = Destinations::default().except("*.third.example", Outbound::Nothing);
    let channel = client_layer(&telemetry)
        .with_destinations(rules)
        .layer(keeping(&sent));
    let mut client = ShapesClient::with_origin(channel, Uri::from_static("/"));
    client.server_stream(plain()).await.unwrap();
    let sent = sent.lock().unwrap();
    for header in ["traceparent", "baggage"] {
        assert!(!sent[0].contains_key(header), "{:?}", sent[0]);
    }
}

#[tokio::test]
async fn destinations_are_those_of_the_endpoint() {
    let telemetry = Capture::new();
    let sent = Sent::default();
    let channel = client_layer(&telemetry)
        .with_endpoint(&Endpoint::from_static("http://x.ads.example"))
        .with_destinations(
            Destinations::everywhere(Outbound::Everything)
                .except("*.ads.example", Outbound::Nothing),
        )
        .layer(keeping(&sent));
    let service = channel.clone();
    exchange(&service, request(&format!("/{UNARY}"))).await;
    let sent = sent.lock().unwrap().remove(0);
    let plain = request("/").headers().clone();
    assert_eq!(sent, plain, "no more than the caller's own");
    let call = ExpectedCall::client(UNARY).address(Some(("x.ads.example", Some(80))));
    assert_call(&telemetry, &call);
}

#[tokio::test]
async fn one_call_may_have_a_policy_of_its_own() {
    let telemetry = Capture::new();
    let sent = Sent::default();
    let channel = client_layer(&telemetry)
        .with_destinations(Destinations::everywhere(Outbound::TraceContextOnly))
        .layer(keeping(&sent));
    let mut client = client_of(channel);
    for outbound in [Some(Outbound::Nothing), Some(Outbound::Everything), None] {
        let mut requests = told(tokio_stream::empty(), Script::Answer);
        if let Some(outbound) = outbound {
            requests.extensions_mut().insert(outbound);
        }
        let context = Context::new().with_baggage([KeyValue::new("a", "1")]);
        let answers = client.bidi(requests).with_context(context).await.unwrap();
        answers.into_inner().message().await.unwrap();
    }
    let spans = telemetry.spans();
    let sent = sent.lock().unwrap().clone();
    let found: Vec<_> = sent
        .iter()
        .map(|sent| (values(sent, "traceparent"), values(sent, "baggage")))
        .collect();
    let (second, third) = (spans[1].traceparent(), spans[2].traceparent());
    assert_eq!(
        found,
        [
            (vec![], vec![]),
            (vec![second.as_str()], vec!["a=1"]),
            (vec![third.as_str()], vec![]),
        ]
    );
}

#[tokio::test]
async fn filters_choose_the_signals_and_the_context_goes_out() {
    for signals in [
        Signals::ALL,
        Signals::TRACES,
        Signals::METRICS,
        Signals::NONE,
    ] {
        let telemetry = Capture::new();
        let sent = Sent::default();
        let channel = client_layer(&telemetry)
            .with_filter(move |call| match call.service() {
                "otelware.test.Shapes" => signals,
                _ => Signals::ALL,
            })
            .layer(keeping(&sent));
        let parent = RemoteParent::sampled();
        let service = channel.clone();
        exchange(&service, request(&format!("/{BIDI}")))
            .with_context(parent.context())
            .await;
        let call = ExpectedCall::client(BIDI);
        let sent = sent.lock().unwrap().remove(0);
        if signals.traces() {
            let span = telemetry.span(BIDI);
            span.assert(call.span().child_of(&parent));
            assert_eq!(values(&sent, "traceparent"), [span.traceparent()]);
        } else {
            assert_eq!(telemetry.spans(), []);
            assert_eq!(values(&sent, "traceparent"), [parent.traceparent()]);
        }
        if signals.metrics() {
            assert_metrics(&telemetry, &[call], &[]);
        } else {
            assert_eq!(telemetry.metrics(), []);
        }
    }
}

#[tokio::test]
async fn two_layers_make_one_span_and_the_outer_decides_what_goes_out() {
    for (outbound, sends) in [(Outbound::Nothing, false), (Outbound::Everything, true)] {
        let telemetry = Capture::new();
        let sent = Sent::default();
        let outer = client_layer(&telemetry).with_destinations(Destinations::everywhere(outbound));
        let twice = outer.layer(client_layer(&telemetry).layer(keeping(&sent)));
        exchange(&twice, request(&format!("/{UNARY}"))).await;
        assert_call(&telemetry, &ExpectedCall::client(UNARY));
        let traceparent = telemetry.span(UNARY).traceparent();
        let sent = sent.lock().unwrap().remove(0);
        let expected: &[String] = if sends { &[traceparent] } else { &[] };
        assert_eq!(values(&sent, "traceparent"), expected);
    }
}

#[tokio::test]
async fn a_call_within_a_call_is_one_of_its_own() {
    let telemetry = Capture::new();
    // The stream of requests makes a call for each of them.
    let inner = client_of(client_layer(&telemetry).layer(shapes()));
    let requests = futures_util::stream::unfold(inner, |mut inner| async move {
        inner.unary(plain()).await.unwrap();
        Some((note(1, ""), inner))
    });
    let requests = futures_util::StreamExt::take(requests, 1);
    let requests = told(Box::pin(requests), Script::Answer);
    let mut outer = client_of(client_layer(&telemetry).layer(shapes()));
    outer.client_stream(requests).await.unwrap();
    let (inner, outer) = (telemetry.span(UNARY), telemetry.span(CLIENT_STREAM));
    let calls = [
        ExpectedCall::client(UNARY),
        ExpectedCall::client(CLIENT_STREAM),
    ];
    inner.assert(calls[0].span().child_of(&outer));
    outer.assert(calls[1].span());
    assert_metrics(&telemetry, &calls, &[]);
}

// Attempts.

/// Tries again at once whatever is unavailable, so often.
#[derive(Clone)]
struct Again(u32);

impl<B: Clone, R, E> Policy<Request<B>, Response<R>, E> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        result: &mut Result<Response<R>, E>,
    ) -> Option<Self::Future> {
        let response = result.as_ref().ok()?;
        let status = response.headers().get("grpc-status")?;
        self.0 = self.0.checked_sub(1)?;
        (status == "14").then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn attempts_beneath_a_layer_that_retries_are_counted() {
    let telemetry = Capture::new();
    let sent = Sent::default();
    let seen = sent.clone();
    let answering = move |request: Request<Body>| {
        let mut seen = seen.lock().unwrap();
        seen.push(request.headers().clone());
        let status = match seen.len() % 3 {
            0 => Status::ok(""),
            _ => Status::unavailable(""),
        };
        ready(Ok::<_, Infallible>(status.into_http::<Body>()))
    };
    let server = listed_layer(&telemetry).layer(service_fn(answering));
    let client = ServiceBuilder::new()
        .layer(AttemptCountLayer::new())
        .layer(RetryLayer::new(Again(5)))
        .layer(client_layer(&telemetry))
        .service(server);
    // The second call begins to count anew.
    for _ in 0..2 {
        exchange(&client, request(&format!("/{UNARY}"))).await;
        let attempts = [
            (None, "UNAVAILABLE"),
            (Some(1), "UNAVAILABLE"),
            (Some(2), "OK"),
        ];
        let mut calls = Vec::new();
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 6);
        for (number, (previous, code)) in attempts.into_iter().enumerate() {
            let (server, client) = (&spans[2 * number], &spans[2 * number + 1]);
            let pair = [
                ExpectedCall::server(UNARY).code(code),
                ExpectedCall::client(UNARY).code(code),
            ];
            let told = |call: &ExpectedCall| match previous {
                Some(count) => call
                    .clone()
                    .on_span("otelware.rpc.previous_attempts", count),
                None => call.clone(),
            };
            server.assert(told(&pair[0]).span().remote_child_of(client));
            client.assert(told(&pair[1]).span());
            calls.extend(pair);
        }
        assert_metrics(&telemetry, &calls, &[]);
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        let told: Vec<_> = sent
            .iter()
            .map(|sent| values(sent, "grpc-previous-rpc-attempts"))
            .collect();
        assert_eq!(told, [vec![], vec!["1"], vec!["2"]]);
        telemetry.reset();
    }
}

#[tokio::test]
async fn attempts_can_be_counted_by_hand() {
    let telemetry = Capture::new();
    let mut client = client_of(client_layer(&telemetry).layer(shapes()));
    let attempts = AttemptCount::new();
    for previous in 0..3 {
        let mut request = plain();
        request.extensions_mut().insert(attempts.clone());
        client.unary(request).await.unwrap();
        let mut call = ExpectedCall::client(UNARY);
        if previous > 0 {
            call = call.on_span("otelware.rpc.previous_attempts", previous);
        }
        telemetry.spans()[previous].assert(call.span());
    }
}

#[tokio::test]
async fn what_others_say_of_attempts_must_be_a_number() {
    for (said, told) in [
        ("1", Some(1)),
        ("4294967295", Some(4_294_967_295_i64)),
        ("0", None),
        ("4294967296", None),
        ("-1", None),
        ("x", None),
        ("", None),
    ] {
        let telemetry = Capture::new();
        let mut client = client_of(listed_layer(&telemetry).layer(shapes()));
        let request = with_metadata(plain(), &[("grpc-previous-rpc-attempts", said)]);
        client.unary(request).await.unwrap();
        let call = ExpectedCall::server(UNARY);
        let call = match told {
            Some(count) => call.on_span("otelware.rpc.previous_attempts", count),
            None => call,
        };
        telemetry.span(UNARY).assert(call.span());
    }
}

// Methods and metadata.

#[tokio::test]
async fn methods_that_the_server_does_not_know_keep_their_names() {
    let telemetry = Capture::new();
    let routes = tonic::service::Routes::new(shapes());
    let channel = client_layer(&telemetry).layer(routes);
    exchange(&channel, request("/shop.Orders/Place")).await;
    exchange(&channel, request("/otelware.test.Shapes/Missing")).await;
    assert_calls(
        &telemetry,
        &[
            ExpectedCall::client("shop.Orders/Place").code("UNIMPLEMENTED"),
            ExpectedCall::client("otelware.test.Shapes/Missing").code("UNIMPLEMENTED"),
        ],
    );
}

#[tokio::test]
async fn named_metadata_is_captured_and_secrets_are_redacted() {
    let telemetry = Capture::new();
    let answering = async |_: Request<Body>| {
        let ending = trailers(&[
            ("grpc-status", "0"),
            ("x-a", "2"),
            ("sum-bin", "AwQ"),
            ("x-other", "not named"),
        ]);
        let mut response = response(frames::<Infallible>(vec![ending]));
        response
            .headers_mut()
            .extend(header_map(&[("x-a", "1"), ("set-cookie", "id=s3cr3t")]));
        Ok::<_, Infallible>(response)
    };
    let channel = client_layer(&telemetry)
        .with_captured_request_metadata(["X-Tenant", "auth*", "*-bin"])
        .with_captured_response_metadata(["x-a", "*cookie*", "*-bin"])
        .layer(service_fn(answering));
    let mut request = request(&format!("/{UNARY}"));
    request.headers_mut().extend(header_map(&[
        ("x-tenant", "a"),
        ("x-tenant", "b"),
        ("authorization", "Bearer s3cr3t"),
        ("trace-bin", "AAEC"),
    ]));
    exchange(&channel, request).await;
    let call = ExpectedCall::client(UNARY);
    let captured = call
        .clone()
        .on_span("rpc.request.metadata.x-tenant", ["a", "b"])
        .on_span("rpc.request.metadata.authorization", ["REDACTED"])
        .on_span("rpc.request.metadata.trace-bin", ["AAEC"])
        .on_span("rpc.response.metadata.x-a", ["1", "2"])
        .on_span("rpc.response.metadata.set-cookie", ["REDACTED"])
        .on_span("rpc.response.metadata.sum-bin", ["AwQ"]);
    telemetry.span(UNARY).assert(captured.span());
    assert_metrics(&telemetry, &[call], &[]);
    telemetry.assert_never_contains("s3cr3t");
}

// Hooks.

#[tokio::test]
async fn hooks_add_to_their_own_signal_and_nothing_twice() {
    let telemetry = Capture::new();
    let channel = client_layer(&telemetry)
        .with_span_attributes(|call| {
            let ignored = [
                "error.type",
                "rpc.method",
                "rpc.method_original",
                "rpc.status_code",
                "rpc.system.name",
            ];
            let mut attributes = ignored.map(|key| KeyValue::new(key, "ignored")).to_vec();
            attributes.extend([
                KeyValue::new("on.span", "first"),
                KeyValue::new("on.span", call.method.to_owned()),
                KeyValue::new("peer.service", "shapes"),
            ]);
            attributes
        })
        .with_metric_attributes(|call| vec![KeyValue::new("on.metric", call.service().to_owned())])
        .layer(shapes());
    client_of(channel).unary(plain()).await.unwrap();
    let call = ExpectedCall::client(UNARY)
        .on_span("on.span", UNARY)
        .on_span("peer.service", "shapes")
        .on_metrics("on.metric", "otelware.test.Shapes");
    assert_call(&telemetry, &call);
}

#[tokio::test]
async fn hooks_are_asked_for_signals_that_are_wanted() {
    for (signals, expected) in [
        (Signals::ALL, vec!["metrics", "span"]),
        (Signals::TRACES, vec!["span"]),
        (Signals::METRICS, vec!["metrics"]),
        (Signals::NONE, vec![]),
    ] {
        let telemetry = Capture::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (on_span, on_metrics) = (asked.clone(), asked.clone());
        let channel = client_layer(&telemetry)
            .with_filter(move |_| signals)
            .with_span_attributes(move |_| {
                on_span.lock().unwrap().push("span");
                Vec::new()
            })
            .with_metric_attributes(move |_| {
                on_metrics.lock().unwrap().push("metrics");
                Vec::new()
            })
            .layer(shapes());
        client_of(channel).unary(plain()).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), expected, "{signals:?}");
    }
}

// Calls in flight and messages.

#[tokio::test]
async fn calls_in_flight_are_counted_until_their_streams_end() {
    let telemetry = Capture::new();
    let mut client = client_of(client_layer(&telemetry).layer(shapes()));
    let requests = told(note(2, ""), Script::Answer);
    let mut answers = client.server_stream(requests).await.unwrap().into_inner();
    let call = ExpectedCall::client(SERVER_STREAM);
    telemetry.metric(CLIENT_ACTIVE).assert(
        expect_up_down_counter(CLIENT_ACTIVE)
            .unit("{call}")
            .point(call.active_attributes(), 1),
    );
    while answers.message().await.unwrap().is_some() {}
    assert_call(&telemetry, &call);
}

#[tokio::test]
async fn messages_are_events_in_the_order_in_which_they_went_by() {
    let telemetry = Capture::new();
    let mut client = client_of(
        client_layer(&telemetry)
            .with_message_events()
            .layer(shapes()),
    );
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let requests = tokio_stream::wrappers::UnboundedReceiverStream::new(receiver);
    let requests = told(requests, Script::Answer);
    let mut answers = client.bidi(requests).await.unwrap().into_inner();
    for sent in [note(0, ""), note(300, "abc")] {
        sender.send(sent.clone()).unwrap();
        assert_eq!(
            answers.message().await.unwrap().unwrap().number,
            sent.number
        );
    }
    drop(sender);
    assert_eq!(answers.message().await.unwrap(), None);
    let call = ExpectedCall::client(BIDI);
    telemetry.span(BIDI).assert(
        call.span()
            .event("rpc.message", message("SENT", 1, PLAIN, 0))
            .event("rpc.message", message("RECEIVED", 1, PLAIN, 0))
            .event("rpc.message", message("SENT", 2, PLAIN, 8))
            .event("rpc.message", message("RECEIVED", 2, PLAIN, 8)),
    );
    assert_metrics(&telemetry, &[call], &[]);
}

/// Without a span of the call's there is none to have its events, not even the caller's.
#[tokio::test]
async fn messages_are_no_events_of_the_span_around_the_call() {
    let telemetry = Capture::new();
    let layer = client_layer(&telemetry)
        .with_message_events()
        .with_filter(|_| Signals::METRICS);
    let tracer = telemetry.tracer_provider().tracer("test");
    let context = Context::new().with_span(tracer.start("around"));
    client_of(layer.layer(shapes()))
        .unary(plain())
        .with_context(context.clone())
        .await
        .unwrap();
    context.span().end();
    telemetry.span("around").assert(expect_span("around"));
    assert_eq!(telemetry.spans().len(), 1);
    assert_metrics(&telemetry, &[ExpectedCall::client(UNARY)], &[]);
}

/// The call with these messages and bytes of the request, and those of the response.
fn with_counts(call: ExpectedCall, counts: [u32; 4]) -> ExpectedCall {
    call.on_span("otelware.rpc.request.messages", counts[0])
        .on_span("otelware.rpc.request.size", counts[1])
        .on_span("otelware.rpc.response.messages", counts[2])
        .on_span("otelware.rpc.response.size", counts[3])
}

/// The histograms of one call with these messages and bytes of the request, and those of the
/// response.
#[track_caller]
fn assert_counts(telemetry: &Capture, call: &ExpectedCall, counts: [u32; 4]) {
    let (scope, version, schema) = SCOPE;
    let units = ["{message}", "By", "{message}", "By"];
    for ((name, count), unit) in COUNTS.into_iter().zip(counts).zip(units) {
        telemetry.metric(name).assert(
            expect_histogram(name)
                .unit(unit)
                .scope(scope, version, schema)
                .point_with_sum(call.metric_attributes(), 1, f64::from(count)),
        );
    }
}

#[tokio::test]
async fn messages_and_bytes_are_counted_however_they_are_cut() {
    for cut in [1, 3, 5, 6, 100] {
        let telemetry = Capture::new();
        let cut_up = |bytes: Vec<u8>| {
            let chunks = bytes.chunks(cut).map(Bytes::copy_from_slice);
            let mut chunks: Vec<_> = chunks.map(Frame::data).map(Ok).collect();
            chunks.push(trailers(&[("grpc-status", "0")]));
            chunks
        };
        let answer = cut_up([framed(b"0123456789", true), framed(b"x", false)].concat());
        let answer = Mutex::new(Some(response(frames::<Infallible>(answer))));
        let answer = Arc::new(answer);
        let channel = client_layer(&telemetry)
            .with_message_counts()
            .with_message_events()
            .layer(service_fn(move |request: Request<Body>| {
                let answer = answer.lock().unwrap().take().unwrap();
                async move {
                    request.into_body().collect().await.unwrap();
                    Ok::<_, Infallible>(answer)
                }
            }));
        let mut sent = cut_up([framed(b"abc", false), framed(b"", false)].concat());
        sent.pop();
        let sent = frames::<Infallible>(sent);
        exchange(&channel, request_with(&format!("/{BIDI}"), sent)).await;
        let counts = [2, 3, 2, 11];
        let call = ExpectedCall::client(BIDI);
        telemetry.span(BIDI).assert(
            with_counts(call.clone(), counts)
                .span()
                .event("rpc.message", message("SENT", 1, PLAIN, 3))
                .event("rpc.message", message("SENT", 2, PLAIN, 0))
                .event("rpc.message", message("RECEIVED", 1, COMPRESSED, 10))
                .event("rpc.message", message("RECEIVED", 2, PLAIN, 1)),
        );
        assert_metrics(&telemetry, std::slice::from_ref(&call), &COUNTS);
        assert_counts(&telemetry, &call, counts);
    }
}

// Ends.

#[tokio::test]
async fn what_a_dropped_call_means_can_be_chosen() {
    for cancellation in [
        Cancellation::Ignore,
        Cancellation::Mark,
        Cancellation::Error,
    ] {
        let telemetry = Capture::new();
        let layer = client_layer(&telemetry).with_cancellation(cancellation);
        let mut client = client_of(layer.layer(shapes()));
        let hanging = told(note(1, ""), Script::Hang(Moment::Instead));
        assert!(client.unary(hanging).now_or_never().is_none());
        let hanging = told(note(1, ""), Script::Hang(Moment::First));
        let answers = client.server_stream(hanging).await.unwrap();
        let mut answers = answers.into_inner();
        answers.message().await.unwrap().unwrap();
        drop(answers);
        // That a server answers with the code is another thing.
        let saying = told(note(1, ""), Script::Fail(Moment::Instead, Code::Cancelled));
        client.unary(saying).await.unwrap_err();
        let dropped = |method| {
            let call = ExpectedCall::client(method).cancelled();
            match cancellation {
                Cancellation::Mark => call.error("CANCELLED", false),
                Cancellation::Error => call.error("CANCELLED", true),
                _ => call,
            }
        };
        let said = ExpectedCall::client(UNARY).code("CANCELLED");
        assert_calls(&telemetry, &[dropped(UNARY), dropped(SERVER_STREAM), said]);
    }
}

#[tokio::test]
async fn messages_of_errors_are_shown_where_that_is_wanted() {
    for shown in [false, true] {
        let telemetry = Capture::new();
        let mut layer = client_layer(&telemetry);
        if shown {
            layer = layer.with_status_messages();
        }
        let answering = async |_: Request<Body>| {
            let status = Status::not_found("no such \u{e4}, 100%");
            Ok::<_, Infallible>(status.into_http::<Body>())
        };
        let channel = layer.layer(service_fn(answering));
        exchange(&channel, request(&format!("/{UNARY}"))).await;
        let mut client = client_of(layer.layer(shapes()));
        let script = Script::Fail(Moment::Head, Code::Aborted);
        let answers = client.server_stream(told(note(1, ""), script)).await;
        let mut answers = answers.unwrap().into_inner();
        answers.message().await.unwrap_err();
        client.unary(plain()).await.unwrap();

        let calls = [
            ExpectedCall::client(UNARY).code("NOT_FOUND"),
            ExpectedCall::client(SERVER_STREAM).code("ABORTED"),
            ExpectedCall::client(UNARY),
        ];
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 3);
        let message = |text| if shown { text } else { "" };
        let not_found = message("no such \u{e4}, 100%");
        spans[0].assert(calls[0].span().error_description(not_found));
        spans[1].assert(calls[1].span().error_description(message("as told")));
        spans[2].assert(calls[2].span());
        assert_metrics(&telemetry, &calls, &[]);
    }
}

/// The only log event tells of this exception in this span.
#[track_caller]
fn assert_exception(telemetry: &Capture, class: &str, message: &str) {
    let logs = telemetry.logs();
    assert_eq!(logs.len(), 1, "{}", telemetry.dump());
    let (scope, version, schema) = SCOPE;
    logs[0].assert(
        expect_log(Severity::Warn)
            .event_name("rpc.client.call.exception")
            .in_span(&telemetry.spans()[0])
            .attribute("exception.type", class)
            .attribute("exception.message", message)
            .scope(scope, version, schema),
    );
}

#[tokio::test]
async fn a_refused_connection_is_an_exception() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let telemetry = Capture::new();
    let channel = client_layer(&telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .connect_lazy(&endpoint);
    let status = ShapesClient::new(channel).unary(plain()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let call = ExpectedCall::client(UNARY)
        .code("UNAVAILABLE")
        .address(Some(("127.0.0.1", Some(address.port()))));
    assert_call(&telemetry, &call);
    assert_exception(&telemetry, "UNAVAILABLE", "transport error");
}

#[tokio::test]
async fn connecting_fails_as_it_does_without_the_layer() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let telemetry = Capture::new();
    let error = client_layer(&telemetry)
        .connect(&endpoint)
        .await
        .unwrap_err();
    let bare = endpoint.connect().await.unwrap_err();
    assert_eq!(error.to_string(), bare.to_string());
    assert_eq!(telemetry.started(), [], "there was no call");
}

#[tokio::test]
async fn errors_have_the_code_that_the_caller_is_given() {
    fn boxed(error: impl Into<tower::BoxError>) -> tower::BoxError {
        error.into()
    }
    type Failure = fn() -> tower::BoxError;
    let unknown: Failure = || boxed("no one knows");
    let io: Failure = || boxed(io::Error::from(io::ErrorKind::ConnectionReset));
    let status: Failure = || boxed(Status::aborted("again"));
    let refused: Failure = || boxed(tonic::ConnectError(boxed("refused")));
    for (failure, code, name) in [
        (unknown, Code::Unknown, "UNKNOWN"),
        (io, Code::Unknown, "UNKNOWN"),
        (status, Code::Aborted, "ABORTED"),
        (refused, Code::Unavailable, "UNAVAILABLE"),
    ] {
        let telemetry = Capture::new();
        let failing = move |_: Request<Body>| ready(Err::<Response<Body>, _>(failure()));
        let layer = client_layer(&telemetry).with_logger_provider(telemetry.logger_provider());
        let mut client = client_of(layer.layer(service_fn(failing)));
        let given = client.unary(plain()).await.unwrap_err();
        assert_eq!(given.code(), code);
        assert_call(&telemetry, &ExpectedCall::client(UNARY).code(name));
        assert_exception(&telemetry, name, &failure().to_string());
    }
}

#[tokio::test]
async fn a_body_that_fails_is_an_exception_and_a_code_is_none() {
    let telemetry = Capture::new();
    let layer = client_layer(&telemetry).with_logger_provider(telemetry.logger_provider());
    let failing = async |_: Request<Body>| {
        let error = io::Error::from(io::ErrorKind::UnexpectedEof);
        Ok::<_, Infallible>(response(frames(vec![Err(error)])))
    };
    let mut client = client_of(layer.clone().layer(service_fn(failing)));
    let requests = told(tokio_stream::empty(), Script::Answer);
    let mut answers = client.bidi(requests).await.unwrap().into_inner();
    let given = answers.message().await.unwrap_err();
    let code = match given.code() {
        Code::Unknown => "UNKNOWN",
        other => panic!("{other:?}"),
    };
    let mut client = client_of(layer.layer(shapes()));
    let failing = told(note(1, ""), Script::Fail(Moment::Instead, Code::Internal));
    client.unary(failing).await.unwrap_err();
    assert_calls(
        &telemetry,
        &[
            ExpectedCall::client(BIDI).code(code),
            ExpectedCall::client(UNARY).code("INTERNAL"),
        ],
    );
    assert_exception(&telemetry, code, "unexpected end of file");
}

#[tokio::test]
async fn a_panic_passes_through() {
    let telemetry = Capture::new();
    let layer = client_layer(&telemetry).with_logger_provider(telemetry.logger_provider());
    let mut client = client_of(layer.layer(shapes()));
    let panicking = client.unary(told(note(1, ""), Script::Panic(Moment::Instead)));
    let panicked = AssertUnwindSafe(panicking).catch_unwind().await;
    assert_eq!(
        panicked.unwrap_err().downcast_ref(),
        Some(&"the handler panics as told")
    );
    assert_call(&telemetry, &ExpectedCall::client(UNARY).panicked());
    assert_exception(&telemetry, "panic", "the call panicked");
}

// Sampling.

#[tokio::test]
async fn attributes_can_come_late() {
    let telemetry = Capture::new();
    let layer = client_layer(&telemetry)
        .with_late_attributes()
        .with_captured_request_metadata(["x-tenant"]);
    let mut client = client_of(layer.layer(shapes()));
    let request = with_metadata(plain(), &[("x-tenant", "a")]);
    client.unary(request).await.unwrap();
    let started = telemetry.started().remove(0);
    assert_eq!(
        (started.name.as_str(), started.attributes),
        (UNARY, Attributes::new())
    );
    let call = ExpectedCall::client(UNARY).on_span("rpc.request.metadata.x-tenant", ["a"]);
    assert_call(&telemetry, &call);
}

#[tokio::test]
async fn an_unsampled_parent_builds_no_attributes() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let telemetry = Capture::builder().sampler(sampler).build();
    let layer = client_layer(&telemetry)
        .with_message_events()
        .with_span_attributes(|_| panic!("nobody wants them"));
    let sent = Sent::default();
    let channel = layer.layer(keeping(&sent));
    let parent = RemoteParent::unsampled();
    exchange(&channel, request(&format!("/{UNARY}")))
        .with_context(parent.context())
        .await;
    assert_eq!(telemetry.spans(), []);
    assert_metrics(&telemetry, &[ExpectedCall::client(UNARY)], &[]);
    let sent = sent.lock().unwrap().remove(0);
    let carried = values(&sent, "traceparent");
    assert_eq!(carried.len(), 1);
    assert_eq!(carried[0].get(3..35), Some(&*parent.trace_id.to_string()));
    assert_eq!(carried[0].get(53..), Some("00"));
}

#[test]
fn the_layer_and_its_service_go_anywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = GrpcClientLayer::new();
    anywhere(&layer);
    let mut client: GrpcClient<_> = layer.layer(shapes());
    anywhere(&client);
    anywhere(client.get_ref());
    anywhere(client.get_mut());
    anywhere(&client.into_inner());
    anywhere(&AttemptCountLayer::new().layer(layer.layer(shapes())));
}
