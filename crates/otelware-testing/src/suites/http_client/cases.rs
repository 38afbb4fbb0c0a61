//! The cases of the suite. Each panics where the client fails it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt;
use opentelemetry::KeyValue;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt as _;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanKind, TraceContextExt, TraceId};
use opentelemetry_sdk::trace::Sampler;

use super::case::{Case, request};
use super::expected::{expect_duration, expect_size};
use super::subject::{HttpClientUnderTest, Policy, ResponseBody};
use crate::suites::Peer;
use crate::suites::SECRET_KEYS;
use crate::{
    BAGGAGE, Capture, RemoteParent, TRACEPARENT, TRACESTATE, attributes, expect_log, expect_span,
};

/// A GET, answered and read to its end.
pub async fn a_get_is_a_span_and_a_duration<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let answer = case
        .exchange(case.request("GET", "/status/200?q=a+b"))
        .await;
    assert_eq!(
        answer.expect("an answer"),
        (200, Bytes::from_static(b"short"))
    );
    case.finds(&case.expected("GET", "/status/200?q=a+b")).await;
    case.telemetry.assert_in_flight_zero();
}

/// Requests with bodies.
pub async fn a_post_and_a_put_are_told_apart<C: HttpClientUnderTest>() {
    for method in ["POST", "PUT"] {
        let case = Case::<C>::new().await;
        let request = case
            .request(method, "/echo")
            .map(|_| Bytes::from_static(b"hello"));
        let answer = case.exchange(request).await;
        assert_eq!(
            answer.expect("an answer"),
            (200, Bytes::from_static(b"hello"))
        );
        case.finds(&case.expected(method, "/echo")).await;
    }
}

/// The response is held, not read.
pub async fn a_head_ends_with_its_head<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let response = case.send(case.request("HEAD", "/status/200")).await;
    assert_eq!(case.telemetry.open_spans(), 0);
    case.finds(&case.expected("HEAD", "/status/200")).await;
    drop(response);
}

/// The responses are held, not read.
pub async fn a_response_that_has_no_body_ends_with_its_head<C: HttpClientUnderTest>() {
    for status in [204, 304] {
        let case = Case::<C>::new().await;
        let path = format!("/status/{status}");
        let response = case.send(case.request("GET", &path)).await;
        assert_eq!(case.telemetry.open_spans(), 0);
        case.finds(&case.expected("GET", &path).status(status))
            .await;
        drop(response);
    }
}

/// From 400 upwards, both on the span and on the metric.
pub async fn error_statuses_are_errors<C: HttpClientUnderTest>() {
    for status in [400, 401, 404, 418, 500, 503, 599] {
        let case = Case::<C>::new().await;
        let path = format!("/status/{status}");
        let answer = case.exchange(case.request("GET", &path)).await;
        assert_eq!(answer.expect("an answer").0, status);
        let expected = case.expected("GET", &path).status(status);
        case.finds(&expected.error(status.to_string())).await;

        // It stays an error where nobody wants its body.
        let case = Case::<C>::new().await;
        drop(case.send(case.request("GET", &path)).await);
        let expected = case.expected("GET", &path).status(status);
        case.finds(&expected.error(status.to_string())).await;
    }
}

/// Below 400.
pub async fn other_statuses_are_no_errors<C: HttpClientUnderTest>() {
    for status in [201, 300, 399] {
        let case = Case::<C>::new().await;
        let path = format!("/status/{status}");
        let answer = case.exchange(case.request("GET", &path)).await;
        assert_eq!(answer.expect("an answer").0, status);
        case.finds(&case.expected("GET", &path).status(status))
            .await;
    }
}

/// Its own name is only on the span.
pub async fn an_unknown_method_is_other<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    case.exchange(case.request("PROPFIND", "/echo"))
        .await
        .expect("an answer");
    let expected = case.expected("_OTHER", "/echo").name("HTTP");
    case.finds(&expected.attribute("http.request.method_original", "PROPFIND"))
        .await;
    assert_eq!(case.peer.only_received().method.as_str(), "PROPFIND");
}

/// The server gets them nevertheless.
pub async fn sensitive_query_values_are_redacted<C: HttpClientUnderTest>() {
    for key in SECRET_KEYS {
        let case = Case::<C>::new().await;
        let path = format!("/echo?color=blue&{key}=s3cr3t&size=1");
        case.exchange(case.request("GET", &path))
            .await
            .expect("an answer");
        let redacted = format!("/echo?color=blue&{key}=REDACTED&size=1");
        case.finds(&case.expected("GET", &redacted)).await;
        case.telemetry.assert_never_contains("s3cr3t");
        assert_eq!(case.peer.only_received().target, path);
    }
}

/// Those of the URL.
pub async fn credentials_are_redacted<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let address = case.peer.address();
    let url = format!("http://alice:s3cr3t@{address}/echo");
    case.exchange(request("GET", &url))
        .await
        .expect("an answer");
    let mut expected = case.expected("GET", "/echo");
    if C::CAPABILITIES.sees_credentials {
        expected = expected.url(format!("http://REDACTED:REDACTED@{address}/echo"));
    }
    case.finds(&expected).await;
    case.telemetry.assert_never_contains("s3cr3t");
    case.telemetry.assert_never_contains("alice");
}

/// A case whose peer is gone.
async fn refused<C: HttpClientUnderTest>(exceptions: bool) -> Case<C> {
    let case = Case::<C>::with(|setup| setup.exceptions = exceptions).await;
    case.peer.stop().await;
    let answer = case.exchange(case.request("GET", "/echo?sig=s3cr3t")).await;
    assert!(answer.is_err(), "{answer:?}");
    case
}

/// And its text is nowhere.
pub async fn a_refused_connection_is_an_error<C: HttpClientUnderTest>() {
    let case = refused::<C>(false).await;
    let expected = case.expected("GET", "/echo?sig=REDACTED").no_response();
    case.finds(&expected.error("connection_refused")).await;
}

/// Of severity `WARN`, within the span, without the URL's secrets.
pub async fn errors_are_events_where_a_logger_provider_is_given<C: HttpClientUnderTest>() {
    let case = refused::<C>(true).await;
    case.telemetry.settle().await;
    let span = case.telemetry.span("GET");
    let expected = case.expected("GET", "/echo?sig=REDACTED").no_response();
    span.assert(expected.error("connection_refused").span::<C>());
    let expected = expect_log(Severity::Warn)
        .event_name("http.client.request.exception")
        .in_span(&span)
        .attribute("exception.type", "connection_refused")
        .any_value("exception.message")
        .scope(C::SCOPE_NAME, C::SCOPE_VERSION, C::SCHEMA_URL);
    case.telemetry
        .event("http.client.request.exception")
        .assert(expected);
    case.telemetry.assert_never_contains("s3cr3t");
}

/// One of the client, beneath its instrumentation.
pub async fn a_timeout_is_an_error<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.timeout = Some(Duration::from_millis(20))).await;
    let answer = case.exchange(case.request("GET", "/hang")).await;
    assert!(answer.is_err(), "{answer:?}");
    let expected = case.expected("GET", "/hang").no_response();
    case.finds(&expected.error("timeout")).await;
}

/// Its status stays unset and it has no `error.type`, as the conventions have it.
pub async fn a_request_dropped_before_its_head_is_cancelled<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    tokio::select! {
        answer = case.exchange(case.request("GET", "/hang")) => panic!("no answer is expected: {answer:?}"),
        () = case.peer.has_received(1) => {}
    }
    case.finds(&case.expected("GET", "/hang").no_response())
        .await;
    case.telemetry.assert_in_flight_zero();
}

/// The data of the next frame, which must come.
async fn chunk(response: &mut Response<ResponseBody>) -> Bytes {
    let frame = response.body_mut().frame().await.expect("a frame");
    frame.expect("no error").into_data().expect("data")
}

/// As [`a_request_dropped_before_its_head_is_cancelled`], with the status code.
pub async fn a_response_dropped_midway_is_cancelled<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let mut response = case.send(case.request("GET", "/stream")).await;
    assert_eq!(chunk(&mut response).await, "first");
    assert_eq!(case.telemetry.open_spans(), 1);
    drop(response);
    assert_eq!(case.telemetry.open_spans(), 0);
    case.finds(&case.expected("GET", "/stream")).await;
    case.telemetry.assert_in_flight_zero();
}

/// And not before.
pub async fn a_response_ends_with_its_body<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let mut response = case.send(case.request("GET", "/stream")).await;
    assert_eq!(case.telemetry.open_spans(), 1);
    assert_eq!(chunk(&mut response).await, "first");
    assert_eq!(
        (case.telemetry.open_spans(), case.telemetry.spans().len()),
        (1, 0)
    );
    case.peer.release();
    let rest = response.body_mut().collect().await.expect("no error");
    assert_eq!(rest.to_bytes(), "second");
    assert_eq!(case.telemetry.open_spans(), 0);
    case.finds(&case.expected("GET", "/stream")).await;
    drop(response);
}

/// The server closes the connection before the end that it announced.
pub async fn a_response_that_breaks_off_is_an_error<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let response = case.send(case.request("GET", "/cut")).await;
    case.peer.release();
    let body = response.into_body().collect().await;
    assert!(body.is_err(), "{body:?}");
    let expected = case.expected("GET", "/cut");
    case.finds(&expected.error("unexpected_eof")).await;
}

/// Out of the client, into the caller.
pub async fn a_panic_is_recorded_and_passed_on<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.panics = true).await;
    let sending = case.exchange(case.request("GET", "/echo"));
    let panicked = AssertUnwindSafe(sending).catch_unwind().await;
    assert!(panicked.is_err(), "{panicked:?}");
    let expected = case.expected("GET", "/echo").no_response();
    case.finds(&expected.error("panic")).await;
    case.telemetry.assert_in_flight_zero();
}

/// Followed beneath the instrumentation: one span with the first URL. Else: a status as any other.
pub async fn redirects_are_as_the_client_has_them<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let follows = C::CAPABILITIES.follows_redirects;
    let status = if follows { 200 } else { 302 };
    let answer = case
        .exchange(case.request("GET", "/redirect?sig=s3cr3t"))
        .await;
    assert_eq!(answer.expect("an answer").0, status);
    let expected = case.expected("GET", "/redirect?sig=REDACTED");
    let span = case.finds(&expected.status(status)).await;
    let received = case.peer.received();
    let targets: Vec<_> = received.iter().map(|received| &*received.target).collect();
    let all = ["/redirect?sig=s3cr3t", "/echo"];
    assert_eq!(targets, all[..if follows { 2 } else { 1 }]);
    for received in &received {
        assert_eq!(received.header(TRACEPARENT), [span.traceparent()]);
    }
}

/// Each sending has its span and its headers; the ordinal is on those after the first.
pub async fn resent_requests_are_counted<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.retries = true).await;
    let answer = case.exchange(case.request("GET", "/busy-once")).await;
    assert_eq!(answer.expect("an answer").0, 200);
    case.telemetry.settle().await;
    let spans = case.telemetry.spans();
    assert_eq!(spans.len(), 2, "{}", case.telemetry.tree());
    let first = case.expected("GET", "/busy-once").status(503).error("503");
    let second = case.expected("GET", "/busy-once");
    let resent = second.clone().attribute("http.request.resend_count", 1);
    let expected = expect_duration::<C>()
        .point(first.duration_attributes(), 1)
        .point(second.duration_attributes(), 1);
    case.telemetry
        .metric("http.client.request.duration")
        .assert(expected);
    let received = case.peer.received();
    for (number, expected) in [first, resent].iter().enumerate() {
        spans[number].assert(expected.span::<C>());
        assert_eq!(
            received[number].header(TRACEPARENT),
            [spans[number].traceparent()]
        );
    }
    case.telemetry.assert_in_flight_zero();

    // The next request starts anew.
    case.telemetry.reset();
    let answer = case.exchange(case.request("GET", "/echo")).await;
    assert_eq!(answer.expect("an answer").0, 200);
    case.telemetry.settle().await;
    let expected = case.expected("GET", "/echo");
    case.telemetry.span("GET").assert(expected.span::<C>());
}

/// A request that is sent again, or that came in before.
pub async fn stale_tracing_headers_are_replaced<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let mut request = case.request("GET", "/echo");
    let stale = RemoteParent::sampled().with_trace_state("old=1");
    for (name, value) in stale.headers() {
        let value = HeaderValue::try_from(value).expect("a value");
        request.headers_mut().append(name, value.clone());
        request.headers_mut().append(name, value);
    }
    case.exchange(request).await.expect("an answer");
    let span = case.finds(&case.expected("GET", "/echo")).await;
    let received = case.peer.only_received();
    assert_eq!(received.header(TRACEPARENT), [span.traceparent()]);
    assert_eq!(received.header(TRACESTATE), [""; 0]);
}

/// It is sent with its own context, and without empty headers.
pub async fn a_request_without_a_parent_is_a_root<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    case.exchange(case.request("GET", "/echo"))
        .await
        .expect("an answer");
    let expected = case.expected("GET", "/echo");
    let span = case
        .finds_with(&expected, |span| span.no_parent().trace_state(""))
        .await;
    let received = case.peer.only_received();
    assert_eq!(received.header(TRACEPARENT), [span.traceparent()]);
    assert_eq!(received.header(TRACESTATE), [""; 0]);
    assert_eq!(received.header(BAGGAGE), [""; 0]);
}

/// Be it of this process or of another one.
pub async fn a_request_is_a_child_of_the_current_span<C: HttpClientUnderTest>() {
    let case = Case::<C>::new().await;
    let parent = RemoteParent::sampled()
        .with_random_flag()
        .with_trace_state("a=1,b=2");
    let sending = case.exchange(case.request("GET", "/echo"));
    sending
        .with_context(parent.context())
        .await
        .expect("an answer");
    let expected = case.expected("GET", "/echo");
    let as_child =
        |span: crate::ExpectedSpan| span.child_of(&parent).flags(3).trace_state("a=1,b=2");
    let span = case.finds_with(&expected, as_child).await;
    let received = case.peer.only_received();
    assert_eq!(received.header(TRACEPARENT), [span.traceparent()]);
    assert_eq!(received.header(TRACESTATE), ["a=1,b=2"]);

    let case = Case::<C>::new().await;
    let parent = case.local_parent("checkout");
    let sending = case.exchange(case.request("GET", "/echo"));
    sending
        .with_context(parent.clone())
        .await
        .expect("an answer");
    parent.span().end();
    case.telemetry.settle().await;
    assert_eq!(case.telemetry.tree(), "INTERNAL checkout\n  CLIENT GET\n");
    let parent = case.telemetry.span("checkout");
    parent.assert(expect_span("checkout").kind(SpanKind::Internal));
    let expected = case.expected("GET", "/echo");
    let span = case.telemetry.span("GET");
    span.assert(expected.span::<C>().child_of(&parent));
    case.measured(&expected, 1);
}

/// There is no span, but the decision is passed on and the request is measured.
pub async fn an_unsampled_parent_goes_on_and_is_measured<C: HttpClientUnderTest>() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let telemetry = Capture::builder().sampler(sampler).build();
    let case = Case::<C>::capturing(telemetry, Peer::start().await, |_| {});
    let parent = RemoteParent::unsampled().with_trace_state("a=1");
    let sending = case.exchange(case.request("GET", "/status/404"));
    sending
        .with_context(parent.context())
        .await
        .expect("an answer");
    case.telemetry.settle().await;
    assert_eq!(case.telemetry.spans(), []);
    let expected = case.expected("GET", "/status/404").status(404);
    case.measured(&expected.error("404"), 1);
    let received = case.peer.only_received();
    let traceparent = received.header(TRACEPARENT).join(",");
    let parts: Vec<_> = traceparent.split('-').collect();
    let [version, trace_id, span_id, flags] = parts[..] else {
        panic!("{traceparent}");
    };
    let expected = ("00", parent.trace_id.to_string(), 16, "00");
    assert_eq!(
        (version, trace_id.to_owned(), span_id.len(), flags),
        expected
    );
    assert_eq!(received.header(TRACESTATE), ["a=1"]);
}

/// Sends a request within a span and with baggage of `tenant=7`, and returns what the peer has got
/// of `traceparent` and `baggage`, and the `traceparent` of the request's span.
async fn with_baggage<C: HttpClientUnderTest>(
    policy: Policy,
) -> (Vec<String>, Vec<String>, String) {
    let case = Case::<C>::with(|setup| setup.policy = policy).await;
    let parent = RemoteParent::sampled();
    let context = parent
        .context()
        .with_baggage([KeyValue::new("tenant", "7")]);
    let sending = case.exchange(case.request("GET", "/echo"));
    sending.with_context(context).await.expect("an answer");
    let expected = case.expected("GET", "/echo");
    let span = case
        .finds_with(&expected, |span| span.child_of(&parent))
        .await;
    let received = case.peer.only_received();
    (
        received.header(TRACEPARENT),
        received.header(BAGGAGE),
        span.traceparent(),
    )
}

/// Beside trace context.
pub async fn baggage_goes_on<C: HttpClientUnderTest>() {
    let (traceparent, baggage, own) = with_baggage::<C>(Policy::Everything).await;
    assert_eq!(
        (traceparent, baggage),
        (vec![own], vec!["tenant=7".to_owned()])
    );
}

/// [`Policy::TraceContextOnly`].
pub async fn trace_context_alone_goes_to_those_that_are_told_no_more<C: HttpClientUnderTest>() {
    let (traceparent, baggage, own) = with_baggage::<C>(Policy::TraceContextOnly).await;
    assert_eq!((traceparent, baggage), (vec![own], vec![]));
}

/// [`Policy::Nothing`].
pub async fn nothing_goes_to_those_that_are_told_nothing<C: HttpClientUnderTest>() {
    let (traceparent, baggage, _) = with_baggage::<C>(Policy::Nothing).await;
    assert_eq!((traceparent, baggage), (vec![], vec![]));
}

/// One span, one measurement, one header.
pub async fn an_instrumentation_within_itself_is_one<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.twice = true).await;
    case.exchange(case.request("GET", "/echo"))
        .await
        .expect("an answer");
    let span = case.finds(&case.expected("GET", "/echo")).await;
    let received = case.peer.only_received();
    assert_eq!(received.header(TRACEPARENT), [span.traceparent()]);
}

/// Fifty of one client, each in a trace of its own.
pub async fn concurrent_requests_keep_their_parents<C: HttpClientUnderTest>() {
    const COUNT: usize = 50;
    let case = Case::<C>::new().await;
    let requests = (0..COUNT).map(|number| {
        let mut parent = RemoteParent::sampled();
        parent.trace_id = TraceId::from(number as u128 + 1);
        let sending = case.exchange(case.request("GET", &format!("/echo?n={number}")));
        async move {
            let answer = sending.with_context(parent.context()).await;
            assert_eq!(answer.expect("an answer").0, 200);
            parent
        }
    });
    let parents = join_all(requests).await;
    case.telemetry.settle().await;
    let received = case.peer.received();
    assert_eq!(
        (case.telemetry.spans().len(), received.len()),
        (COUNT, COUNT)
    );
    for (number, parent) in parents.iter().enumerate() {
        let trace = case.telemetry.trace(parent.trace_id);
        assert_eq!(trace.len(), 1);
        let path = format!("/echo?n={number}");
        let expected = case.expected("GET", &path);
        trace[0].assert(expected.span::<C>().child_of(parent));
        let received = received.iter().find(|received| received.target == path);
        let traceparent = received.expect("a request").header(TRACEPARENT);
        assert_eq!(traceparent, [trace[0].traceparent()]);
    }
    case.measured(&case.expected("GET", "/echo"), COUNT as u64);
    case.telemetry.assert_in_flight_zero();
}

/// In `server.address`; it has in `url.full`.
pub async fn an_ipv6_address_has_no_brackets<C: HttpClientUnderTest>() {
    let case = Case::<C>::capturing(Capture::new(), Peer::start_v6().await, |_| {});
    case.exchange(case.request("GET", "/echo"))
        .await
        .expect("an answer");
    let url = format!("http://[::1]:{}/echo", case.peer.address().port());
    let expected = case.expected("GET", "/echo").url(url);
    assert_eq!(expected.active_attributes()["server.address"], "::1".into());
    case.finds(&expected).await;
}

/// Where the URL has none. Whether something listens there does not matter.
pub async fn the_port_of_the_scheme_is_known<C: HttpClientUnderTest>() {
    for (url, port) in [("http://127.0.0.1/", 80), ("https://127.0.0.1/", 443)] {
        let case = Case::<C>::new().await;
        let _ = case.exchange(request("GET", url)).await;
        case.telemetry.settle().await;
        let started = case.telemetry.started();
        assert_eq!(started.len(), 1, "{}", case.telemetry.dump());
        let expected = attributes! {
            "http.request.method" => "GET",
            "server.address" => "127.0.0.1",
            "server.port" => port,
            "url.full" => url,
        };
        assert_eq!(started[0].attributes, expected);
    }
}

/// With captured headers and the template.
pub async fn samplers_see_what_is_known_at_the_start<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| {
        setup.request_headers = vec!["x-tenant"];
        setup.url_template = Some("/echo");
    })
    .await;
    let mut request = case.request("PROPFIND", "/echo?sig=s3cr3t");
    request
        .headers_mut()
        .insert("x-tenant", HeaderValue::from_static("a"));
    case.exchange(request).await.expect("an answer");
    case.telemetry.settle().await;
    let started = case.telemetry.started();
    assert_eq!(started.len(), 1, "{}", case.telemetry.dump());
    assert_eq!(
        (&*started[0].name, &started[0].kind),
        ("HTTP /echo", &SpanKind::Client)
    );
    let expected = attributes! {
        "http.request.header.x-tenant" => ["a"],
        "http.request.method" => "_OTHER",
        "http.request.method_original" => "PROPFIND",
        "server.address" => "127.0.0.1",
        "server.port" => case.peer.address().port(),
        "url.full" => case.peer.url("/echo?sig=REDACTED"),
        "url.template" => "/echo",
    };
    assert_eq!(started[0].attributes, expected);
}

/// Values of headers that carry credentials are redacted even where they are named.
pub async fn headers_are_captured_and_secrets_are_not<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| {
        setup.request_headers = vec!["X-Tenant", "Authorization", "x-absent"];
        setup.response_headers = vec!["x-answer", "x-absent"];
    })
    .await;
    let mut request = case.request("GET", "/echo");
    let headers = request.headers_mut();
    headers.append("x-tenant", HeaderValue::from_static("a"));
    headers.append("x-tenant", HeaderValue::from_static("b"));
    headers.append("x-other", HeaderValue::from_static("s3cr3t"));
    let secret = HeaderValue::from_static("Bearer s3cr3t");
    headers.append(header::AUTHORIZATION, secret);
    case.exchange(request).await.expect("an answer");
    let expected = case
        .expected("GET", "/echo")
        .attribute("http.request.header.x-tenant", ["a", "b"])
        .attribute("http.request.header.authorization", ["REDACTED"])
        .attribute("http.response.header.x-answer", ["42"]);
    case.finds(&expected).await;
    case.telemetry.assert_never_contains("s3cr3t");
    assert_eq!(
        case.peer.only_received().header("authorization"),
        ["Bearer s3cr3t"]
    );
}

/// In the span's name and on all metrics.
pub async fn a_url_template_names_the_request<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.url_template = Some("/status/{code}")).await;
    case.exchange(case.request("GET", "/status/201"))
        .await
        .expect("an answer");
    let expected = case.expected("GET", "/status/201").status(201);
    let expected = expected
        .template("/status/{code}")
        .name("GET /status/{code}");
    case.finds(&expected).await;
}

/// Of request and response, on the span and as metrics.
pub async fn body_sizes_are_measured<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.body_sizes = true).await;
    let sent = Bytes::from_static(b"hello world");
    let request = case.request("POST", "/echo").map(|_| sent.clone());
    assert_eq!(
        case.exchange(request).await.expect("an answer"),
        (200, sent)
    );
    let expected = case
        .expected("POST", "/echo")
        .attribute("http.request.body.size", 11)
        .attribute("http.response.body.size", 11);
    case.finds(&expected).await;
    for direction in ["request", "response"] {
        let metric = expect_size::<C>(direction);
        let metric = metric.point_with_sum(expected.duration_attributes(), 1, 11.0);
        case.telemetry
            .metric(&format!("http.client.{direction}.body.size"))
            .assert(metric);
    }
}

/// One of a response whose length nobody knew before.
pub async fn a_streamed_body_is_measured<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.body_sizes = true).await;
    case.peer.release();
    let answer = case.exchange(case.request("GET", "/stream")).await;
    assert_eq!(
        answer.expect("an answer"),
        (200, Bytes::from_static(b"firstsecond"))
    );
    let expected = case
        .expected("GET", "/stream")
        .attribute("http.request.body.size", 0)
        .attribute("http.response.body.size", 11);
    case.finds(&expected).await;
    let metric = expect_size::<C>("response");
    let metric = metric.point_with_sum(expected.duration_attributes(), 1, 11.0);
    case.telemetry
        .metric("http.client.response.body.size")
        .assert(metric);
}

/// It carries the context of its caller.
pub async fn a_filtered_request_goes_on_without_telemetry<C: HttpClientUnderTest>() {
    let case = Case::<C>::with(|setup| setup.filtered = true).await;
    let parent = RemoteParent::sampled();
    let sending = case.exchange(case.request("GET", "/echo"));
    let answer = sending.with_context(parent.context()).await;
    assert_eq!(answer.expect("an answer").0, 200);
    assert_eq!(
        (case.telemetry.started(), case.telemetry.metrics()),
        (vec![], vec![])
    );
    let received = case.peer.only_received();
    assert_eq!(received.header(TRACEPARENT), [parent.traceparent()]);
}
