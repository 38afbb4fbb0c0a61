//! Health checks, which are no calls of the shop's.

use otelware_testing::otlp::OtlpReceiver;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::measurements::{HistogramSeen, histograms};
use crate::process::{OrdersServer, run_client};
use crate::telemetry::traces;

/// What the server says of two services.
async fn check_health(channel: Channel) -> [Result<ServingStatus, Code>; 2] {
    let mut client = HealthClient::new(channel);
    [
        client.check(request("shop.v1.Orders")).await,
        client.check(request("shop.v1.Unknown")).await,
    ]
    .map(|answer| match answer {
        Ok(answer) => Ok(answer.into_inner().status()),
        Err(status) => Err(status.code()),
    })
}

#[test]
fn health_checks_are_answered_and_leave_no_telemetry() {
    let receiver = OtlpReceiver::http();
    let server = OrdersServer::start(&receiver);
    assert_eq!(
        server.call(check_health),
        [Ok(ServingStatus::Serving), Err(Code::NotFound)]
    );
    // Calls of the shop's as well, so that there is telemetry to be looked through.
    run_client(&receiver, &server);
    server.stop();

    let received = receiver.received();
    assert_eq!(traces(&received).len(), 1);
    let calls =
        |histogram: HistogramSeen| -> u64 { histogram.points.iter().map(|(count, _)| count).sum() };
    let calls: Vec<u64> = histograms(&received).into_iter().map(calls).collect();
    assert_eq!(
        calls,
        [3, 3],
        "those of the client, and the same at the server"
    );
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}
