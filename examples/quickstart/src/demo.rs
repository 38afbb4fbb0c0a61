//! What the service is asked when it demonstrates itself.

use otelware_reqwest::reqwest_middleware::Error;
use std::net::SocketAddr;

/// Sends the requests, one after the other, as a client without instrumentation of its own would.
pub(crate) async fn send_requests(address: SocketAddr) -> Result<(), Error> {
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://{address}{path}");
    // A trace that began elsewhere, with baggage, as the W3C headers tell of it.
    let elsewhere = client
        .get(url("/orders/7"))
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
        )
        .header("tracestate", "shop=edge")
        .header("baggage", "tenant=acme");
    let requests = [
        elsewhere,
        client.get(url("/orders/404")),
        client.post(url("/orders/8/pay")),
        client.post(url("/orders/13/pay")),
        client.get(url("/report?token=s3cr3t")),
        client.get(url("/bug")),
        client.get(url("/nowhere")),
    ];
    for request in requests {
        request.send().await?.bytes().await?;
    }
    Ok(())
}
