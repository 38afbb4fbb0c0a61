//! No endpoint listens, and then one does.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use otelware_testing::otlp::{Answer, OtlpReceiver};

use crate::client::{Connection, get, traceparent};
use crate::process::serve;
use crate::propagation::hex;

const WARM_UP: usize = 20;
const REQUESTS: usize = 200;

/// An address on which nobody listens.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// How long one request takes.
fn time(connection: &mut Connection) -> Duration {
    let started = Instant::now();
    let response = connection.get("/orders/7", &[]).unwrap();
    assert_eq!(
        (response.status, response.body.as_str()),
        (200, "order 7: 2 in stock\n")
    );
    started.elapsed()
}

fn quantile(sorted: &[Duration], quantile: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * quantile).round() as usize]
}

#[test]
fn an_outage_leaves_the_service_alone_counts_its_drops_and_exports_resume() {
    let endpoint = free_address();
    // The batch that is being sent is tried again and again; meanwhile the small queue fills.
    let observed = serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{endpoint}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "60"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ]);
    let plain = serve(&[("OTEL_SDK_DISABLED", "true")]);

    // Interleaved, so that whatever else the machine does meets both alike.
    let mut connections =
        [&observed, &plain].map(|service| Connection::open(service.listening_address()).unwrap());
    for connection in &mut connections {
        for _ in 0..WARM_UP {
            time(connection);
        }
    }
    let mut latencies = [Vec::new(), Vec::new()];
    for _ in 0..REQUESTS {
        for (connection, latencies) in connections.iter_mut().zip(&mut latencies) {
            latencies.push(time(connection));
        }
    }
    drop(connections);
    plain.stop();
    let [[median, slow], [plain_median, plain_slow]] = latencies.map(|mut latencies| {
        latencies.sort();
        [0.5, 0.99].map(|fraction| quantile(&latencies, fraction))
    });
    assert!(median < plain_median * 3, "{median:?}, {plain_median:?}");
    let bound = Duration::from_millis(100).max(plain_slow * 3);
    assert!(slow < bound, "{slow:?}, {plain_slow:?}");

    let reported = observed.wait_for("the warning about drops", || {
        drops_reported(&observed.stderr())
    });
    assert!(reported > 0);

    let receiver = OtlpReceiver::builder()
        .address(endpoint)
        .http(Answer::Status(200));
    let mut sent = 0;
    observed.wait_for(
        "spans that began after the endpoint appeared, logs and metrics",
        || {
            sent += 1;
            get(
                observed.listening_address(),
                "/orders/7",
                &[&traceparent(sent)],
            );
            let received = receiver.received();
            let is_later =
                |trace_id: &[u8]| (1..=sent).any(|trace| hex(trace_id) == format!("{trace:032x}"));
            let later = received.spans().iter().any(|span| is_later(&span.trace_id));
            (later && !received.logs.is_empty() && !received.metrics.is_empty()).then_some(())
        },
    );

    let ended = observed.stop();
    let requests = WARM_UP + REQUESTS + usize::try_from(sent).unwrap();
    let [exported, failed, dropped, pending] = spans_accounted_for(&ended.stderr);
    assert_eq!(exported, receiver.received().spans().len());
    assert_eq!(exported + failed + dropped, 3 * requests);
    assert_eq!(pending, 0);
    assert!(dropped >= reported, "{dropped}, {reported}");
}

/// The count in the warning that the first drop brings; another may come in between.
fn drops_reported(stderr: &str) -> Option<usize> {
    const BEGINNING: &str = " WARN otelware: traces: ";
    const END: &str = " dropped so far, because the export queue is full (capacity 60): the endpoint is away or slower \
                       than the service. OTEL_BSP_MAX_QUEUE_SIZE sets the capacity";
    let dropped = stderr.lines().find_map(|line| {
        let (_, warning) = line.split_once(BEGINNING)?;
        warning.strip_suffix(END)
    })?;
    let (count, unit) = dropped.split_once(' ').unwrap();
    assert_eq!(unit, if count == "1" { "span" } else { "spans" });
    Some(count.parse().unwrap())
}

/// The four counts of spans in the last line that the service writes.
fn spans_accounted_for(stderr: &str) -> [usize; 4] {
    let line = stderr
        .lines()
        .find(|line| line.contains("spans=SignalHealth"))
        .unwrap();
    ["exported: ", "failed: ", "dropped: ", "pending: "].map(|count| {
        let (_, rest) = line.split_once(count).unwrap();
        rest.split(',').next().unwrap().parse().unwrap()
    })
}
