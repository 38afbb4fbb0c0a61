//! The durations of the calls, as both processes tell of them.

use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otelware_testing::otlp::{OtlpReceiver, Received};

use crate::process::{OrdersServer, run_client};
use crate::telemetry::{Attributes, attributes, expected, number, scope, service, text};

/// What the semantic conventions advise for durations of calls, in seconds.
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// A histogram of one process.
#[derive(Debug, PartialEq)]
pub(crate) struct HistogramSeen {
    service: String,
    scope: [String; 3],
    name: String,
    unit: String,
    boundaries: Vec<f64>,
    /// How many measurements there are of each set of attributes, in the order of method and code.
    pub(crate) points: Vec<(u64, Attributes)>,
}

/// All metrics, which must be histograms, in the order of service and name.
pub(crate) fn histograms(received: &Received) -> Vec<HistogramSeen> {
    let mut all = Vec::new();
    for resource in received
        .metrics
        .iter()
        .flat_map(|export| &export.resource_metrics)
    {
        for metrics in &resource.scope_metrics {
            for metric in &metrics.metrics {
                let Some(Data::Histogram(histogram)) = &metric.data else {
                    panic!("{metric:?}");
                };
                let points = &histogram.data_points;
                let mut counts: Vec<(u64, Attributes)> = points
                    .iter()
                    .map(|point| (point.count, attributes(&point.attributes)))
                    .collect();
                counts.sort_by_key(|(_, attributes)| format!("{attributes:?}"));
                all.push(HistogramSeen {
                    service: service(resource.resource.as_ref()),
                    scope: scope(metrics.scope.as_ref(), &metrics.schema_url),
                    name: metric.name.clone(),
                    unit: metric.unit.clone(),
                    boundaries: points[0].explicit_bounds.clone(),
                    points: counts,
                });
            }
        }
    }
    all.sort_by(|one, other| (&one.service, &one.name).cmp(&(&other.service, &other.name)));
    all
}

#[test]
fn each_process_measures_its_side_of_the_calls() {
    let receiver = OtlpReceiver::http();
    let server = OrdersServer::start(&receiver);
    run_client(&receiver, &server);
    let port = server.address().port();
    server.stop();

    let call = |method: &str, status_code: &str| {
        expected([
            ("rpc.system.name", text("grpc")),
            ("rpc.method", text(method)),
            ("rpc.status_code", text(status_code)),
        ])
    };
    let at_the_client = |mut attributes: Attributes| {
        attributes.extend(expected([
            ("server.address", text("127.0.0.1")),
            ("server.port", number(port)),
        ]));
        attributes
    };
    let placed = || call("shop.v1.Orders/PlaceOrder", "OK");
    let refused = || call("shop.v1.Orders/PlaceOrder", "NOT_FOUND");
    let watched = || call("shop.v1.Orders/WatchOrder", "OK");
    let mut failed = at_the_client(refused());
    failed.insert("error.type".to_owned(), text("NOT_FOUND"));
    let histogram = |service: &str, name: &str, points: Vec<Attributes>| HistogramSeen {
        service: service.to_owned(),
        scope: [
            "otelware-tonic",
            env!("CARGO_PKG_VERSION"),
            "https://opentelemetry.io/schemas/1.45.0",
        ]
        .map(str::to_owned),
        name: name.to_owned(),
        unit: "s".to_owned(),
        boundaries: BOUNDARIES.to_vec(),
        points: points
            .into_iter()
            .map(|attributes| (1, attributes))
            .collect(),
    };
    assert_eq!(
        histograms(&receiver.received()),
        [
            histogram(
                "customer",
                "rpc.client.call.duration",
                vec![failed, at_the_client(placed()), at_the_client(watched())],
            ),
            histogram(
                "orders",
                "rpc.server.call.duration",
                vec![refused(), placed(), watched()],
            ),
        ]
    );
}
