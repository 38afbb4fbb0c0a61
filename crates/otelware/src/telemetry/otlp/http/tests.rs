#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use otelware_testing::otlp::OtlpReceiver;

use super::*;
use crate::telemetry::environment::Environment;
use crate::telemetry::signal::Signal;

/// An export of nothing: one `resource_spans`, which is empty.
const EXPORT: &[u8] = &[0x0a, 0];

/// Sends an export to `endpoint`.
async fn send(
    endpoint: &str,
    more: &[(&str, &str)],
    proxies: &Matcher,
) -> Result<Response<Bytes>, String> {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
    let mut environment = Environment::from_iter(variables.iter().chain(more).copied());
    let settings = OtlpSettings::read(&mut environment, Signal::Traces).unwrap();
    let account = Arc::new(Account::new(Signal::Traces, 1, "OTEL_BSP_MAX_QUEUE_SIZE"));
    let client = ExportClient::new(&settings, proxies, &account).unwrap();
    let request = Request::post("http://from-elsewhere/")
        .header("content-type", "application/x-protobuf")
        .header("x-from-elsewhere", "1")
        .body(Bytes::from_static(EXPORT))
        .unwrap();
    let response = client.send_bytes(request).await;
    response.map_err(|error| chain(error.as_ref()))
}

fn no_proxies() -> Matcher {
    Matcher::builder().build()
}

/// The head of a request.
fn read_head(stream: &TcpStream) -> String {
    BufReader::with_capacity(1, stream)
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .map(|line| line + "\n")
        .collect()
}

/// Reads the export and writes `response`, which the client may refuse to read.
fn answer(mut stream: TcpStream, response: &[u8]) {
    stream.read_exact(&mut [0; EXPORT.len()]).unwrap();
    let _refused = stream.write_all(response);
}

/// Serves one connection; gives the head of its first request.
fn serve_once(serve: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let head = read_head(&stream);
        serve(stream);
        head
    });
    (address, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_the_headers_of_the_body_and_of_the_settings_are_sent() {
    let (address, server) = serve_once(|stream| {
        answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    let more = [("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop")];
    let endpoint = format!("http://me:pass%40word@{address}");
    let response = send(&endpoint, &more, &no_proxies()).await.unwrap();
    assert_eq!(
        (response.status(), response.body().as_ref()),
        (StatusCode::OK, b"ok".as_slice())
    );
    let head = server.join().unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /v1/traces HTTP/1.1",
            "authorization: Basic bWU6cGFzc0B3b3Jk",
            "content-length: 2",
            "content-type: application/x-protobuf",
            &format!("host: {address}"),
            "x-tenant: shop",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn headers_come_before_the_credentials_of_the_url() {
    let endpoint = OtlpReceiver::http();
    let url = format!("http://me:secret@{}", endpoint.address());
    let more = [("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20token")];
    send(&url, &more, &no_proxies()).await.unwrap();
    let requests = endpoint.received().requests;
    assert_eq!(requests[0].header("authorization"), ["Bearer token"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn redirects_are_not_followed() {
    let (address, _server) = serve_once(|stream| {
        answer(
            stream,
            b"HTTP/1.1 307 R\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        );
    });
    let response = send(&format!("http://{address}"), &[], &no_proxies()).await;
    assert_eq!(response.unwrap().status(), StatusCode::TEMPORARY_REDIRECT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn responses_are_bounded() {
    for (size, received) in [
        (MAXIMUM_RESPONSE, Ok(MAXIMUM_RESPONSE)),
        (
            MAXIMUM_RESPONSE + 1,
            Err("the response is too large for an OTLP endpoint".to_owned()),
        ),
    ] {
        let (address, _server) = serve_once(move |stream| {
            let mut response = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            response.resize(response.len() + size, b' ');
            answer(stream, &response);
        });
        let response = send(&format!("http://{address}"), &[], &no_proxies()).await;
        assert_eq!(response.map(|response| response.body().len()), received);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endpoint_that_is_silent_is_given_up() {
    let (address, server) = serve_once(|mut stream| {
        // Until the client hangs up.
        let _end = stream.read_to_end(&mut Vec::new());
    });
    let more = [("OTEL_EXPORTER_OTLP_TIMEOUT", "50")];
    let response = send(&format!("http://{address}"), &more, &no_proxies()).await;
    assert_eq!(response.unwrap_err(), "no answer within 50ms");
    assert!(server.join().unwrap().starts_with("POST /v1/traces "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_proxy_forwards_plain_requests() {
    let proxy = OtlpReceiver::http();
    let proxies = Matcher::builder()
        .http(format!("http://me:secret@{}", proxy.address()))
        .build();
    send("http://collector.invalid:4318", &[], &proxies)
        .await
        .unwrap();
    let requests = proxy.received().requests;
    let paths: Vec<&str> = requests.iter().map(|request| &*request.path).collect();
    assert_eq!(paths, ["http://collector.invalid:4318/v1/traces"]);
    assert_eq!(requests[0].header("host"), ["collector.invalid:4318"]);
    assert_eq!(
        requests[0].header("proxy-authorization"),
        ["Basic bWU6c2VjcmV0"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_proxy_is_passed_by_where_it_is_not_wanted() {
    let endpoint = OtlpReceiver::http();
    let proxies = Matcher::builder()
        .all("http://me:secret@proxy.invalid:3128")
        .no("127.0.0.1")
        .build();
    send(&endpoint.endpoint(), &[], &proxies).await.unwrap();
    let requests = endpoint.received().requests;
    assert_eq!(requests[0].path, "/v1/traces");
    assert_eq!(requests[0].header("proxy-authorization"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn other_proxies_are_errors() {
    for url in ["https://127.0.0.1:1", "socks5h://127.0.0.1:1"] {
        let proxies = Matcher::builder().all(url).build();
        let error = send("http://collector.invalid", &[], &proxies).await;
        assert_eq!(
            error.unwrap_err(),
            "client error (Connect): invalid URL, scheme is not http"
        );
    }
}

#[cfg(feature = "tls")]
mod tunnel {
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    /// Passes bytes on until one side ends.
    fn relay(client: &TcpStream, server: &TcpStream) {
        thread::scope(|scope| {
            for (mut from, mut to) in [(client, server), (server, client)] {
                scope.spawn(move || {
                    let _end = std::io::copy(&mut from, &mut to);
                    let _ended = to.shutdown(std::net::Shutdown::Both);
                });
            }
        });
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_proxy_passes_on_what_is_encrypted() {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["collector.invalid".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![cert.der().clone()],
                PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into(),
            )
            .unwrap();
        let endpoint = OtlpReceiver::builder()
            .tls(server)
            .http(otelware_testing::otlp::Answer::Status(200));
        let destination = endpoint.address();
        let (address, proxy) = serve_once(move |mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            relay(&stream, &TcpStream::connect(destination).unwrap());
        });
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("authority.pem");
        std::fs::write(&file, cert.pem()).unwrap();

        let more = [("OTEL_EXPORTER_OTLP_CERTIFICATE", file.to_str().unwrap())];
        let proxies = Matcher::builder()
            .https(format!("http://me:secret@{address}"))
            .build();
        send("https://collector.invalid", &more, &proxies)
            .await
            .unwrap();
        let requests = endpoint.received().requests;
        assert_eq!(requests[0].path, "/v1/traces");
        assert_eq!(requests[0].header("host"), ["collector.invalid"]);
        assert_eq!(requests[0].header("proxy-authorization"), [""; 0]);
        assert_eq!(
            proxy.join().unwrap(),
            "CONNECT collector.invalid:443 HTTP/1.1\nHost: collector.invalid:443\n\
             Proxy-Authorization: Basic bWU6c2VjcmV0\n"
        );
    }
}
