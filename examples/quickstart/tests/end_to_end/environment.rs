//! What the environment says, right or wrong.

use otelware_testing::otlp::OtlpReceiver;

use crate::client::get;
use crate::process::{serve, start};
use crate::propagation::hex;

/// The lines of this level, without their time.
fn lines(stderr: &str, level: &str) -> Vec<String> {
    stderr
        .lines()
        .filter_map(|line| line.split_once(level))
        .map(|(_, rest)| rest.to_owned())
        .collect()
}

#[test]
fn wrong_names_are_ignored_with_one_warning_each() {
    let receiver = OtlpReceiver::http();
    let service = serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
        ("OTEL_PROPAGATORS", "b3,nonsense"),
        ("OTEL_TRACES_EXPORTER", "otpl"),
    ]);
    let (trace_id, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let b3 = format!("b3: {trace_id}-{parent}-1");
    assert_eq!(
        get(service.listening_address(), "/stock/7", &[&b3]).status,
        200
    );
    let ended = service.stop();

    assert_eq!(
        lines(&ended.stderr, " WARN "),
        [
            r#"otelware: OTEL_TRACES_EXPORTER: "otpl" is not known and is ignored; allowed: otlp, console, none"#,
            r#"otelware: OTEL_PROPAGATORS: "nonsense" is not known and is ignored; allowed: tracecontext, baggage, b3, b3multi, jaeger, none"#,
        ]
    );
    // What is right beside it counts, and the default stands for what is not.
    let received = receiver.received();
    let ids: Vec<_> = received
        .spans()
        .into_iter()
        .map(|span| (hex(&span.trace_id), hex(&span.parent_span_id)))
        .collect();
    assert_eq!(ids, [(trace_id.to_owned(), parent.to_owned())]);
}

/// What the program says when it refuses to start with this variable.
fn refusal(variable: &str, value: &str) -> String {
    let ended = start(
        &["--serve"],
        &[("LISTEN", "127.0.0.1:0"), (variable, value)],
    )
    .end();
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""));
    ended.stderr
}

#[test]
fn what_cannot_work_ends_the_program_at_once() {
    let refusals = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost 4318"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%0As3cr3t",
        ),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "no-such-file.pem"),
    ]
    .map(|(variable, value)| refusal(variable, value));
    assert_eq!(
        refusals,
        [
            concat!(
                r#"Error: OTEL_EXPORTER_OTLP_ENDPOINT: "localhost 4318" is not a URL of an OTLP endpoint; "#,
                "write http://host:port or https://host:port\n"
            ),
            concat!(
                r#"Error: OTEL_EXPORTER_OTLP_HEADERS: the value of "authorization" has characters that a header "#,
                "cannot carry; write name=value pairs separated by commas, such as authorization=Bearer%20token\n"
            ),
            concat!(
                r#"Error: OTEL_EXPORTER_OTLP_CERTIFICATE: "no-such-file.pem" cannot be read: No such file "#,
                "or directory (os error 2); give the path of a PEM file\n"
            ),
        ]
    );
}
