//! No endpoint listens, and then one does.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use otelware_testing::otlp::{Answer, OtlpReceiver};

use crate::client::{Connection, get, traceparent};
use crate::process::{Service, eventually};
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
    let observed = Service::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{endpoint}")),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "300"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "60"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "50"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
    ]);
    let plain = Service::start(&[("OTEL_SDK_DISABLED", "true")]);

    // Interleaved, so that whatever else the machine does meets both alike.
    let mut connections =
        [&observed, &plain].map(|service| Connection::open(service.address()).unwrap());
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

    // The first drop is reported at once.
    let warning = " WARN otelware: traces: 1 span dropped so far, because the export queue is full (capacity 60): the \
                   endpoint is away or slower than the service. OTEL_BSP_MAX_QUEUE_SIZE sets the capacity\n";
    eventually("the warning about drops", || {
        observed.stderr().contains(warning).then_some(())
    });

    let receiver = OtlpReceiver::builder()
        .address(endpoint)
        .http(Answer::Status(200));
    let mut sent = 0;
    eventually("a span that began after the endpoint appeared", || {
        sent += 1;
        get(observed.address(), "/orders/7", &[&traceparent(sent)]);
        let received = receiver.received();
        let arrived = received
            .spans()
            .into_iter()
            .any(|span| (1..=sent).any(|trace| hex(&span.trace_id) == format!("{trace:032x}")));
        arrived.then_some(())
    });

    let ended = observed.stop();
    let requests = WARM_UP + REQUESTS + usize::try_from(sent).unwrap();
    let [exported, failed, dropped, pending] = spans_accounted_for(&ended.stderr);
    assert_eq!(exported, receiver.received().spans().len());
    assert_eq!(exported + failed + dropped, 3 * requests);
    assert_eq!(pending, 0);
    assert!(dropped > 0);
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
