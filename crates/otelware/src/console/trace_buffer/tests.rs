use super::*;
use crate::console::test_support::{SpanDataExt as _, span};

const SECOND: Duration = Duration::from_secs(1);

/// What a test compares: the trace's number, the spans' names and the completeness.
type Shape = (u128, Vec<String>, Completeness);

fn shapes(releases: Vec<Release>) -> Vec<Shape> {
    releases
        .into_iter()
        .map(|release| {
            let trace_id = release
                .spans
                .first()
                .map(|span| span.span_context.trace_id().to_bytes())
                .unwrap_or_default();
            let names = release
                .spans
                .iter()
                .map(|span| span.name.to_string())
                .collect();
            (u128::from_be_bytes(trace_id), names, release.completeness)
        })
        .collect()
}

fn shape<const COUNT: usize>(
    trace: u128,
    names: [&str; COUNT],
    completeness: Completeness,
) -> Shape {
    (trace, names.map(str::to_owned).to_vec(), completeness)
}

fn child(trace: u128, name: &'static str) -> SpanData {
    span(2, 1, name, (0, 1)).in_trace(trace)
}

fn root(trace: u128, name: &'static str) -> SpanData {
    span(1, 0, name, (0, 1)).in_trace(trace)
}

#[test]
fn a_trace_waits_for_its_root() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits::default());
    assert_eq!(
        shapes(buffer.accept(vec![child(1, "a"), child(2, "b")], now)),
        []
    );
    assert_eq!(shapes(buffer.accept(vec![child(1, "c")], now)), []);
    let released = buffer.accept(vec![root(1, "root")], now);
    assert_eq!(
        shapes(released),
        [shape(1, ["a", "c", "root"], Completeness::Complete)]
    );
    assert_eq!(
        shapes(buffer.drain()),
        [shape(2, ["b"], Completeness::RootMissing)]
    );
    assert_eq!(shapes(buffer.drain()), []);
}

#[test]
fn a_span_with_a_remote_parent_is_a_root_and_its_batch_stays_together() {
    let mut buffer = TraceBuffer::new(Limits::default());
    let batch = vec![
        child(1, "remote").with_remote_parent(),
        child(1, "later in the batch"),
    ];
    let released = buffer.accept(batch, Instant::now());
    assert_eq!(
        shapes(released),
        [shape(
            1,
            ["remote", "later in the batch"],
            Completeness::Complete
        )]
    );
}

#[test]
fn late_spans_continue_their_trace() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits::default());
    assert_eq!(
        shapes(buffer.accept(vec![root(1, "root")], now)),
        [shape(1, ["root"], Completeness::Complete)]
    );
    let late = buffer.accept(vec![child(1, "late"), child(1, "later")], now);
    assert_eq!(
        shapes(late),
        [shape(1, ["late", "later"], Completeness::Continued)]
    );
    let second_root = buffer.accept(vec![root(1, "second root")], now);
    assert_eq!(
        shapes(second_root),
        [shape(1, ["second root"], Completeness::Continued)]
    );
}

#[test]
fn a_trace_without_root_is_released_at_its_age() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits::default());
    assert_eq!(shapes(buffer.accept(vec![child(1, "a")], now)), []);
    assert_eq!(
        shapes(buffer.accept(vec![child(2, "b")], now + 4 * SECOND)),
        []
    );
    let aged = buffer.accept(Vec::new(), now + 5 * SECOND);
    assert_eq!(shapes(aged), [shape(1, ["a"], Completeness::RootMissing)]);
    let root = buffer.accept(vec![root(1, "root")], now + 6 * SECOND);
    assert_eq!(shapes(root), [shape(1, ["root"], Completeness::Continued)]);
}

#[test]
fn the_oldest_trace_makes_room_for_another() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits {
        traces: 2,
        ..Limits::default()
    });
    let released = buffer.accept(
        vec![child(1, "a"), child(2, "b"), child(1, "c"), child(3, "d")],
        now,
    );
    assert_eq!(
        shapes(released),
        [shape(1, ["a", "c"], Completeness::BufferFull)]
    );
    assert_eq!(
        (
            buffer.waiting.len(),
            buffer.positions.len(),
            buffer.span_count
        ),
        (2, 2, 2)
    );
}

#[test]
fn the_oldest_trace_makes_room_for_more_spans() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits {
        spans: 3,
        ..Limits::default()
    });
    let released = buffer.accept(
        vec![child(1, "a"), child(2, "b"), child(2, "c"), child(2, "d")],
        now,
    );
    assert_eq!(
        shapes(released),
        [shape(1, ["a"], Completeness::BufferFull)]
    );
    // Its own trace is the oldest now, and goes with all that it has; what comes after continues it.
    let released = buffer.accept(vec![child(2, "e"), child(2, "f")], now);
    assert_eq!(
        shapes(released),
        [
            shape(2, ["b", "c", "d", "e"], Completeness::BufferFull),
            shape(2, ["f"], Completeness::Continued)
        ]
    );
    assert_eq!(
        (
            buffer.waiting.len(),
            buffer.positions.len(),
            buffer.span_count
        ),
        (0, 0, 0)
    );
}

#[test]
fn the_memory_of_printed_traces_is_bounded() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits {
        traces: 2,
        ..Limits::default()
    });
    for trace in 1..=3 {
        assert_eq!(
            shapes(buffer.accept(vec![root(trace, "r")], now)),
            [shape(trace, ["r"], Completeness::Complete)]
        );
    }
    assert_eq!(
        (buffer.printed.ids.len(), buffer.printed.order.len()),
        (2, 2)
    );
    assert_eq!(shapes(buffer.accept(vec![child(1, "forgotten")], now)), []);
    assert_eq!(
        shapes(buffer.accept(vec![child(3, "remembered")], now)),
        [shape(3, ["remembered"], Completeness::Continued)]
    );
}

#[test]
fn where_starts_are_told_a_trace_waits_for_all_its_spans() {
    let now = Instant::now();
    let mut buffer = TraceBuffer::new(Limits::default());
    let trace_id = root(1, "").span_context.trace_id();
    // A service that calls itself: the inner request is a local root too, and ends first.
    buffer.started(trace_id);
    buffer.started(trace_id);
    buffer.ended(trace_id);
    assert_eq!(shapes(buffer.accept(vec![root(1, "inner")], now)), []);
    buffer.ended(trace_id);
    assert_eq!(
        shapes(buffer.accept(vec![root(1, "outer")], now)),
        [shape(1, ["inner", "outer"], Completeness::Complete)]
    );
    assert!(buffer.open.is_empty());
}

#[test]
fn open_traces_are_bounded() {
    let limits = Limits {
        spans: 10,
        ..Limits::default()
    };
    let mut buffer = TraceBuffer::new(limits);
    for trace in 1..1_000 {
        buffer.started(root(trace, "").span_context.trace_id());
    }
    assert_eq!(buffer.open.len(), 10);
}
