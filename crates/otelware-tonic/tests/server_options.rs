//! What the server's layer can be told: filters, trust, metadata, hooks, and what ends mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full};
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::logs::Severity;
use otelware::operation::{Cancellation, Signals};
use otelware::propagation::{CompositePropagator, Trust};
use otelware_testing::opentelemetry_sdk::trace::Sampler;
use otelware_testing::suites::grpc::shapes::shapes_server::ShapesServer;
use otelware_testing::suites::grpc::{Handlers, Moment, Script};
use otelware_testing::{Attributes, Capture, RemoteParent, expect_log, expect_up_down_counter};
use otelware_tonic::GrpcServerLayer;
use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use support::*;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, ServiceExt, service_fn};

// Filters and trust.

#[tokio::test]
async fn filters_choose_the_signals_and_the_context_flows() {
    let telemetry = Capture::new();
    let by_metadata = listed_layer(&telemetry).with_filter(|call| {
        match call.metadata.get("x-signals").map(|value| value.as_bytes()) {
            Some(b"none") => Signals::NONE,
            Some(b"metrics") => Signals::METRICS,
            Some(b"traces") => Signals::TRACES,
            _ => Signals::ALL,
        }
    });
    let mut client = client_of(by_metadata.layer(shapes()));
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let mut carried = Vec::new();
    for signals in ["none", "metrics", "traces", "all"] {
        let metadata = [
            ("x-signals", signals),
            ("traceparent", &traceparent),
            ("baggage", "a=1"),
        ];
        let request = with_metadata(told(note(1, ""), Script::Context), &metadata);
        let answer = client.unary(request).await.unwrap().into_inner();
        assert_eq!(line(&answer, "baggage"), Some("a=1"), "{signals}");
        carried.push(line(&answer, "traceparent").unwrap().to_owned());
    }
    let call = ExpectedCall::server(UNARY);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    for span in &spans {
        span.assert(call.span().child_of(&parent));
    }
    let own = [spans[0].traceparent(), spans[1].traceparent()];
    let [traces, all] = own;
    assert_eq!(carried, [traceparent.clone(), traceparent, traces, all]);
    assert_metrics(&telemetry, &[call.clone(), call], &[]);
}

#[tokio::test]
async fn a_filter_that_says_no_leaves_nothing() {
    let telemetry = Capture::new();
    let layer = server_layer(&telemetry)
        .with_filter(|_| false)
        .with_message_counts()
        .with_message_events();
    client_of(layer.layer(shapes()))
        .unary(plain())
        .await
        .unwrap();
    let found = (
        telemetry.spans(),
        telemetry.started(),
        telemetry.metrics(),
        telemetry.logs(),
    );
    assert_eq!(found, (vec![], vec![], vec![], vec![]));
}

#[tokio::test]
async fn health_checks_and_reflection_can_be_left_out() {
    let telemetry = Capture::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let services = seen.clone();
    let service = server_layer(&telemetry)
        .with_filter(move |call| {
            services.lock().unwrap().push(call.service().to_owned());
            !call.is_health_check() && !call.is_reflection()
        })
        .layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(fine())
        }));
    let paths = [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/shop.Health/Check",
    ];
    for path in paths {
        exchange(&service, request(path)).await;
    }
    assert_call(
        &telemetry,
        &ExpectedCall::server("shop.Health/Check").learned(),
    );
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "grpc.health.v1.Health",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "shop.Health",
        ]
    );
}

#[tokio::test]
async fn the_public_gets_a_new_trace_with_a_link_and_without_baggage() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_trust(Trust::Public);
    let mut client = client_of(layer.layer(shapes()));
    let parent = RemoteParent::unsampled();
    let traceparent = parent.traceparent();
    let metadata = [("traceparent", traceparent.as_str()), ("baggage", "a=1")];
    for metadata in [&metadata[..], &metadata[1..]] {
        let request = with_metadata(told(note(1, ""), Script::Context), metadata);
        let answer = client.unary(request).await.unwrap().into_inner();
        assert_eq!(line(&answer, "baggage"), None);
    }
    let call = ExpectedCall::server(UNARY);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    spans[0].assert(call.span().link_to(&parent));
    spans[1].assert(call.span());
    assert!(telemetry.trace(parent.trace_id).is_empty());
    assert_metrics(&telemetry, &[call.clone(), call], &[]);
}

#[tokio::test]
async fn trust_may_depend_on_the_call() {
    let telemetry = Capture::new();
    let by_metadata = listed_layer(&telemetry).with_trust_of(|call| {
        match call.metadata.contains_key("x-internal") && call.service() == "otelware.test.Shapes" {
            true => Trust::Trusted,
            false => Trust::Public,
        }
    });
    let mut client = client_of(by_metadata.layer(shapes()));
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let metadata = [
        ("traceparent", traceparent.as_str()),
        ("baggage", "a=1"),
        ("x-internal", "1"),
    ];
    for (metadata, baggage) in [(&metadata[..], Some("a=1")), (&metadata[..2], None)] {
        let request = with_metadata(told(note(1, ""), Script::Context), metadata);
        let answer = client.unary(request).await.unwrap().into_inner();
        assert_eq!(line(&answer, "baggage"), baggage);
    }
    let call = ExpectedCall::server(UNARY);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    spans[0].assert(call.span().child_of(&parent));
    spans[1].assert(call.span().link_to(&parent));
}

// Metadata.

#[tokio::test]
async fn named_metadata_of_requests_is_captured_and_secrets_are_redacted() {
    let telemetry = Capture::new();
    let service = listed_layer(&telemetry)
        .with_captured_request_metadata([
            "X-Tenant",
            "x-tenant",
            "x-shop-*",
            "authorization",
            "*-bin",
            "absent",
            "bad name",
        ])
        .layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(fine())
        }));
    let mut request = request(&format!("/{UNARY}"));
    request.headers_mut().extend(header_map(&[
        ("x-tenant", "a"),
        ("x-tenant", "b"),
        ("x-shop-id", "7"),
        ("x-shop-token", "s3cr3t"),
        ("authorization", "Bearer s3cr3t"),
        ("trace-bin", "AAEC"),
        ("password-bin", "czNjcjN0"),
        ("x-other", "not named"),
    ]));
    exchange(&service, request).await;
    let call = ExpectedCall::server(UNARY);
    let captured = call
        .clone()
        .on_span("rpc.request.metadata.x-tenant", ["a", "b"])
        .on_span("rpc.request.metadata.x-shop-id", ["7"])
        .on_span("rpc.request.metadata.x-shop-token", ["REDACTED"])
        .on_span("rpc.request.metadata.authorization", ["REDACTED"])
        .on_span("rpc.request.metadata.trace-bin", ["AAEC"])
        .on_span("rpc.request.metadata.password-bin", ["REDACTED"]);
    telemetry.span(UNARY).assert(captured.span());
    assert_metrics(&telemetry, &[call], &[]);
    // Samplers see it.
    assert_eq!(
        telemetry.started()[0].attribute("rpc.request.metadata.x-tenant"),
        Some(&["a", "b"].into())
    );
    telemetry.assert_never_contains("s3cr3t");
    telemetry.assert_never_contains("czNjcjN0");
}

#[tokio::test]
async fn metadata_of_responses_is_captured_from_both_ends_of_them() {
    let telemetry = Capture::new();
    let answering = async |_: Request<Full<Bytes>>| {
        let ending = trailers(&[
            ("grpc-status", "0"),
            ("x-a", "2"),
            ("x-late", "3"),
            ("sum-bin", "AwQ"),
            ("x-token", "s3cr3t"),
            ("other", "not named"),
        ]);
        let mut response = response(frames::<Infallible>(vec![ending]));
        response.headers_mut().extend(header_map(&[
            ("x-a", "1"),
            ("sum-bin", "AAEC"),
            ("set-cookie", "id=s3cr3t"),
        ]));
        Ok::<_, Infallible>(response)
    };
    let service = listed_layer(&telemetry)
        .with_captured_response_metadata(["x-a", "X-*", "*-bin", "set-cookie"])
        .layer(service_fn(answering));
    exchange(&service, request(&format!("/{UNARY}"))).await;
    let call = ExpectedCall::server(UNARY);
    let captured = call
        .clone()
        .on_span("rpc.response.metadata.x-a", ["1", "2"])
        .on_span("rpc.response.metadata.x-late", ["3"])
        .on_span("rpc.response.metadata.sum-bin", ["AAEC", "AwQ"])
        .on_span("rpc.response.metadata.set-cookie", ["REDACTED"])
        .on_span("rpc.response.metadata.x-token", ["REDACTED"]);
    telemetry.span(UNARY).assert(captured.span());
    assert_metrics(&telemetry, &[call], &[]);
    telemetry.assert_never_contains("s3cr3t");
}

#[tokio::test]
async fn metadata_of_a_refusal_is_captured() {
    let telemetry = Capture::new();
    let answering = async |_: Request<Full<Bytes>>| {
        let mut status = Status::not_found("no such order");
        let metadata = status.metadata_mut();
        metadata.insert("x-reason", "sold".parse().unwrap());
        metadata.insert("x-secret", "s3cr3t".parse().unwrap());
        Ok::<_, Infallible>(status.into_http::<Body>())
    };
    let service = listed_layer(&telemetry)
        .with_captured_response_metadata(["x-*"])
        .layer(service_fn(answering));
    exchange(&service, request(&format!("/{UNARY}"))).await;
    let call = ExpectedCall::server(UNARY).code("NOT_FOUND");
    let captured = call
        .clone()
        .on_span("rpc.response.metadata.x-reason", ["sold"])
        .on_span("rpc.response.metadata.x-secret", ["REDACTED"]);
    telemetry.span(UNARY).assert(captured.span());
    assert_metrics(&telemetry, &[call], &[]);
}

// Hooks.

#[tokio::test]
async fn hooks_add_to_their_own_signal_and_nothing_twice() {
    let telemetry = Capture::new();
    let hooked = listed_layer(&telemetry)
        .with_span_attributes(|call| {
            vec![
                KeyValue::new("on.span", call.method.to_owned()),
                KeyValue::new("on.span", "again"),
                // It takes the place of the one that is set already.
                KeyValue::new("server.address", "replaced"),
            ]
        })
        .with_metric_attributes(|call| {
            vec![
                KeyValue::new("on.metric", "first"),
                KeyValue::new("on.metric", call.service().to_owned()),
            ]
        });
    let mut client = client_of(hooked.layer(shapes()));
    client.unary(plain()).await.unwrap();
    let call = ExpectedCall::server(UNARY)
        .address(Some(("replaced", Some(PORT))))
        .on_span("on.span", "again")
        .on_metrics("on.metric", "otelware.test.Shapes");
    assert_call(&telemetry, &call);
    let span = telemetry.span(UNARY);
    telemetry
        .metric(SERVER_DURATION)
        .assert_same_reading([&span]);
}

#[tokio::test]
async fn hooks_set_nothing_that_the_layer_itself_tells() {
    let telemetry = Capture::new();
    let hooked = server_layer(&telemetry)
        .with_span_attributes(|_| {
            [
                "error.type",
                "rpc.method",
                "rpc.method_original",
                "rpc.status_code",
                "rpc.system.name",
            ]
            .map(|key| KeyValue::new(key, "ignored"))
            .to_vec()
        })
        .layer(shapes());
    let mut client = client_of(hooked);
    client.unary(plain()).await.unwrap();
    let failing = told(note(1, ""), Script::Fail(Moment::Instead, Code::Internal));
    client.unary(failing).await.unwrap_err();
    let calls = [
        ExpectedCall::server(UNARY).learned(),
        ExpectedCall::server(UNARY).code("INTERNAL"),
    ];
    assert_calls(&telemetry, &calls);
}

#[tokio::test]
async fn hooks_set_no_metadata_that_is_captured() {
    let telemetry = Capture::new();
    let hooked = listed_layer(&telemetry)
        .with_captured_response_metadata(["x-a"])
        .with_span_attributes(|_| vec![KeyValue::new("rpc.response.metadata.x-a", "ignored")]);
    let answering = async |_: Request<Full<Bytes>>| {
        let mut response = fine();
        response.headers_mut().extend(header_map(&[("x-a", "1")]));
        Ok::<_, Infallible>(response)
    };
    let service = hooked.layer(service_fn(answering));
    exchange(&service, request(&format!("/{UNARY}"))).await;
    let call = ExpectedCall::server(UNARY).on_span("rpc.response.metadata.x-a", ["1"]);
    telemetry.span(UNARY).assert(call.span());
}

#[tokio::test]
async fn metric_hooks_do_not_replace_how_a_call_ended() {
    let telemetry = Capture::new();
    let hooked = listed_layer(&telemetry).with_metric_attributes(|_| {
        ["error.type", "rpc.status_code"]
            .map(|key| KeyValue::new(key, "replaced"))
            .to_vec()
    });
    let mut client = client_of(hooked.layer(shapes()));
    client.unary(plain()).await.unwrap();
    let failing = told(note(1, ""), Script::Fail(Moment::Instead, Code::Internal));
    client.unary(failing).await.unwrap_err();
    let calls = [
        ExpectedCall::server(UNARY),
        ExpectedCall::server(UNARY).code("INTERNAL"),
    ];
    assert_calls(&telemetry, &calls);
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
        let hooked = listed_layer(&telemetry)
            .with_filter(move |_| signals)
            .with_span_attributes(move |_| {
                on_span.lock().unwrap().push("span");
                Vec::new()
            })
            .with_metric_attributes(move |_| {
                on_metrics.lock().unwrap().push("metrics");
                Vec::new()
            });
        let mut client = client_of(hooked.layer(shapes()));
        client.unary(plain()).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), expected, "{signals:?}");
    }
}

// Calls in flight.

#[tokio::test]
async fn calls_in_flight_are_counted_until_their_streams_end() {
    let telemetry = Capture::new();
    let handlers = handlers();
    let mut client = client_of(listed_layer(&telemetry).layer(ShapesServer::new(handlers.clone())));
    let mut answers = client
        .server_stream(told(note(2, ""), Script::Answer))
        .await
        .unwrap()
        .into_inner();
    let mut hanging = Box::pin(client.unary(told(note(1, ""), Script::Hang(Moment::Instead))));
    assert!((&mut hanging).now_or_never().is_none());
    let calls = [
        ExpectedCall::server(UNARY).cancelled(),
        ExpectedCall::server(SERVER_STREAM),
    ];
    let in_flight = |unary: i64, stream: i64| {
        telemetry.metric(SERVER_ACTIVE).assert(
            expect_up_down_counter(SERVER_ACTIVE)
                .point(calls[0].active_attributes(), unary)
                .point(calls[1].active_attributes(), stream),
        );
    };
    in_flight(1, 1);
    drop(hanging);
    in_flight(0, 1);
    while answers.message().await.unwrap().is_some() {}
    in_flight(0, 0);
    assert_calls(&telemetry, &calls);
}

#[tokio::test]
async fn calls_in_flight_are_not_counted_by_default() {
    let telemetry = Capture::new();
    let layer = GrpcServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default());
    client_of(layer.layer(shapes()))
        .unary(plain())
        .await
        .unwrap();
    let metrics = telemetry.metrics();
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, [SERVER_DURATION]);
    telemetry
        .span(UNARY)
        .assert(ExpectedCall::server(UNARY).span());
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
        let layer = listed_layer(&telemetry).with_cancellation(cancellation);
        let mut client = client_of(layer.layer(shapes()));
        let hanging = told(note(1, ""), Script::Hang(Moment::Instead));
        assert!(client.unary(hanging).now_or_never().is_none());
        let hanging = told(note(1, ""), Script::Hang(Moment::Head));
        drop(client.server_stream(hanging).await.unwrap());
        // That a server answers with the code is another thing.
        let saying = told(note(1, ""), Script::Fail(Moment::Instead, Code::Cancelled));
        client.unary(saying).await.unwrap_err();
        let dropped = |method| {
            let call = ExpectedCall::server(method).cancelled();
            match cancellation {
                Cancellation::Mark => call.error("CANCELLED", false),
                Cancellation::Error => call.error("CANCELLED", true),
                _ => call,
            }
        };
        let said = ExpectedCall::server(UNARY).code("CANCELLED");
        assert_calls(&telemetry, &[dropped(UNARY), dropped(SERVER_STREAM), said]);
    }
}

#[tokio::test]
async fn a_status_of_http_stands_although_its_body_is_left_unread() {
    for (status, expected) in [
        (503, ExpectedCall::server(UNARY).code("UNAVAILABLE")),
        (403, ExpectedCall::server(UNARY).code("PERMISSION_DENIED")),
        (200, ExpectedCall::server(UNARY).cancelled()),
    ] {
        let telemetry = Capture::new();
        let answering = move |_: Request<Full<Bytes>>| {
            let page = Full::new(Bytes::from_static(b"a page"));
            let answer = Response::builder().status(status).body(page).unwrap();
            std::future::ready(Ok::<_, Infallible>(answer))
        };
        let service = listed_layer(&telemetry).layer(service_fn(answering));
        let call = request(&format!("/{UNARY}"));
        drop(service.oneshot(call).await.unwrap());
        assert_call(&telemetry, &expected);
    }
}

#[tokio::test]
async fn messages_of_errors_are_shown_where_that_is_wanted() {
    for shown in [false, true] {
        let telemetry = Capture::new();
        let mut layer = listed_layer(&telemetry);
        if shown {
            layer = layer.with_status_messages();
        }
        let mut client = client_of(layer.layer(shapes()));
        let fail = |moment, code| told(note(1, ""), Script::Fail(moment, code));
        for code in [Code::Internal, Code::NotFound] {
            let failing = fail(Moment::Instead, code);
            client.unary(failing).await.unwrap_err();
        }
        let failing = fail(Moment::Head, Code::DataLoss);
        let mut answers = client.server_stream(failing).await.unwrap().into_inner();
        answers.message().await.unwrap_err();

        let calls = [
            ExpectedCall::server(UNARY).code("INTERNAL"),
            ExpectedCall::server(UNARY).code("NOT_FOUND"),
            ExpectedCall::server(SERVER_STREAM).code("DATA_LOSS"),
        ];
        let message = if shown { "as told" } else { "" };
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 3);
        spans[0].assert(calls[0].span().error_description(message));
        spans[1].assert(calls[1].span());
        spans[2].assert(calls[2].span().error_description(message));
        assert_metrics(&telemetry, &calls, &[]);
        if !shown {
            telemetry.assert_never_contains("as told");
        }
    }
}

#[tokio::test]
async fn exceptions_are_log_events_where_a_logger_is_given() {
    let telemetry = Capture::new();
    let logging = listed_layer(&telemetry).with_logger_provider(telemetry.logger_provider());
    // A panic.
    let mut client = client_of(logging.clone().layer(shapes()));
    let panicking = client.unary(told(note(1, ""), Script::Panic(Moment::Instead)));
    AssertUnwindSafe(panicking)
        .catch_unwind()
        .await
        .unwrap_err();
    // A code is no exception.
    let failing = told(note(1, ""), Script::Fail(Moment::Instead, Code::Internal));
    client.unary(failing).await.unwrap_err();
    let failing = told(note(1, ""), Script::Fail(Moment::Head, Code::Internal));
    let mut answers = client.server_stream(failing).await.unwrap().into_inner();
    answers.message().await.unwrap_err();
    // A body that fails.
    let service = logging.layer(service_fn(async |_: Request<Full<Bytes>>| {
        let chunk = Ok(Frame::data(framed(b"half", false)));
        let error = io::Error::from(io::ErrorKind::UnexpectedEof);
        Ok::<_, Infallible>(response(frames(vec![chunk, Err(error)])))
    }));
    let answer = service.oneshot(request(&format!("/{BIDI}"))).await.unwrap();
    assert_eq!(
        answer.into_body().collect().await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );

    let calls = [
        ExpectedCall::server(UNARY).panicked(),
        ExpectedCall::server(UNARY).code("INTERNAL"),
        ExpectedCall::server(SERVER_STREAM).code("INTERNAL"),
        ExpectedCall::server(BIDI)
            .no_code()
            .error("unexpected_eof", true),
    ];
    assert_calls(&telemetry, &calls);
    let spans = telemetry.spans();
    let logs = telemetry.logs();
    assert_eq!(logs.len(), 2, "a code is no exception");
    for (log, span, class, message) in [
        (&logs[0], &spans[0], "panic", "the call panicked"),
        (
            &logs[1],
            &spans[3],
            "unexpected_eof",
            "unexpected end of file",
        ),
    ] {
        let (scope, version, schema) = SCOPE;
        log.assert(
            expect_log(Severity::Error)
                .event_name("rpc.server.call.exception")
                .in_span(span)
                .attribute("exception.type", class)
                .attribute("exception.message", message)
                .scope(scope, version, schema),
        );
    }
}

// Sampling.

#[tokio::test]
async fn attributes_can_come_late() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry)
        .with_late_attributes()
        .with_captured_request_metadata(["x-tenant"])
        .with_span_attributes(|_| vec![KeyValue::new("on.span", "set")]);
    let mut client = client_of(layer.layer(shapes()));
    let request = with_metadata(plain(), &[("x-tenant", "a")]);
    client.unary(request).await.unwrap();
    let started = telemetry.started().remove(0);
    assert_eq!(
        (started.name.as_str(), started.attributes),
        (UNARY, Attributes::new())
    );
    let call = ExpectedCall::server(UNARY)
        .on_span("rpc.request.metadata.x-tenant", ["a"])
        .on_span("on.span", "set");
    assert_call(&telemetry, &call);
}

/// How often a span's attributes are built for a call under this parent.
async fn built(layer: GrpcServerLayer, parent: &RemoteParent) -> u32 {
    let built = Arc::new(AtomicU32::new(0));
    let counter = built.clone();
    let layer = layer
        .with_span_attributes(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Vec::new()
        })
        .with_message_events();
    let mut client = client_of(layer.layer(shapes()));
    let traceparent = parent.traceparent();
    let request = with_metadata(plain(), &[("traceparent", &traceparent)]);
    client.unary(request).await.unwrap();
    built.load(Ordering::Relaxed)
}

#[tokio::test]
async fn no_attributes_are_built_for_spans_that_nobody_keeps() {
    let parent_based = || Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let never = || Sampler::AlwaysOff;
    for (sampler, late, parent, times) in [
        (parent_based(), false, RemoteParent::sampled(), 1),
        (parent_based(), false, RemoteParent::unsampled(), 0),
        (never(), true, RemoteParent::sampled(), 0),
        (never(), false, RemoteParent::sampled(), 1),
        // This one samples nevertheless.
        (Sampler::AlwaysOn, false, RemoteParent::unsampled(), 1),
    ] {
        let telemetry = Capture::builder().sampler(sampler.clone()).build();
        let mut layer = listed_layer(&telemetry);
        if late {
            layer = layer.with_late_attributes();
        }
        let found = built(layer, &parent).await;
        assert_eq!(found, times, "{sampler:?} {late} {parent:?}");
        assert_metrics(&telemetry, &[ExpectedCall::server(UNARY)], &[]);
        for span in telemetry.spans() {
            span.assert(
                ExpectedCall::server(UNARY)
                    .span()
                    .child_of(&parent)
                    .event("rpc.message", message("RECEIVED", 1, PLAIN, 2))
                    .event("rpc.message", message("SENT", 1, PLAIN, 2)),
            );
        }
    }
}

// Addresses and services.

#[tokio::test]
async fn the_address_is_that_of_the_authority_or_the_host() {
    for (uri, host, address) in [
        ("http://a.example/s.S/M", None, Some(("a.example", None))),
        (
            "http://a.example:1/s.S/M",
            Some("b.example:2"),
            Some(("a.example", Some(1))),
        ),
        ("/s.S/M", Some("b.example:2"), Some(("b.example", Some(2)))),
        ("/s.S/M", Some("not a host"), None),
        ("/s.S/M", None, None),
    ] {
        let telemetry = Capture::new();
        let service = server_layer(&telemetry)
            .with_known_methods(["s.S/M"])
            .layer(reading(vec![]));
        let mut request = Request::post(uri)
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        exchange(&service, request).await;
        assert_call(&telemetry, &ExpectedCall::server("s.S/M").address(address));
    }
}

#[tokio::test]
async fn two_layers_make_one_span() {
    let telemetry = Capture::new();
    let twice = server_layer(&telemetry).layer(listed_layer(&telemetry).layer(shapes()));
    client_of(twice).unary(plain()).await.unwrap();
    assert_call(&telemetry, &ExpectedCall::server(UNARY).learned());
}

#[test]
fn the_layer_and_its_service_go_anywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = GrpcServerLayer::new();
    anywhere(&layer);
    let mut service = layer.layer(shapes());
    anywhere(&service);
    let _: &ShapesServer<Handlers> = service.get_ref();
    let _: &mut ShapesServer<Handlers> = service.get_mut();
    let _: ShapesServer<Handlers> = service.into_inner();
    let layer = layer.with_message_counts();
    anywhere(&layer);
    anywhere(&layer.layer(shapes()));
}
