//! OTLP over TLS, with authorities and client certificates made here. No process-wide crypto provider is installed.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http", feature = "tls"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::path::Path;
use std::sync::Arc;

use otelware::telemetry::{Environment, SetupError, Telemetry, TelemetryBuilder};
use otelware_testing::otlp::{Answer, OtlpReceiver};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use telemetry_support::{emit, wait};
use tempfile::TempDir;

struct Pair {
    certificate: String,
    key: String,
}

/// An authority, and a server's and a client's certificate from it.
struct Authority {
    certificate: String,
    server: Pair,
    client: Pair,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            Pair {
                certificate: params.signed_by(&key, &issuer).unwrap().pem(),
                key: key.serialize_pem(),
            }
        };
        Self {
            certificate: issuer.pem(),
            server: issue("localhost"),
            client: issue("client"),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path_text(&path)
    }

    /// A server that asks for a certificate of this authority.
    fn server(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap())
            .unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(self.server.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(self.server.key.as_bytes()).unwrap(),
            )
            .unwrap()
    }

    /// A client for the endpoint on `port`, with its own certificate if `identified`.
    fn client(&self, protocol: &str, port: u16, identified: bool) -> TelemetryBuilder {
        let mut variables = vec![
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("https://localhost:{port}"),
            ),
            (
                "OTEL_EXPORTER_OTLP_CERTIFICATE",
                self.file("authority.pem", &self.certificate),
            ),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "300".to_owned()),
        ];
        if identified {
            let certificate = self.file("client.pem", &self.client.certificate);
            variables.push(("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate));
            variables.push((
                "OTEL_EXPORTER_OTLP_CLIENT_KEY",
                self.file("client.key", &self.client.key),
            ));
        }
        Telemetry::builder("orders")
            .without_globals()
            .with_environment(Environment::from_iter(variables))
    }
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn http_with_authority_and_client_certificate() {
    let authority = Authority::new();
    let endpoint = OtlpReceiver::builder()
        .tls(authority.server())
        .http(Answer::Status(200));
    let port = endpoint.address().port();

    let telemetry = authority
        .client("http/protobuf", port, true)
        .install()
        .unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(
        endpoint.received().paths(),
        ["/v1/logs", "/v1/metrics", "/v1/traces"]
    );

    let anonymous = authority
        .client("http/protobuf", port, false)
        .install()
        .unwrap();
    emit(&anonymous);
    assert_eq!(wait(anonymous.shutdown()).unwrap_err().failures().len(), 3);
    assert_eq!(endpoint.received().requests.len(), 3);
}

#[test]
fn grpc_with_authority_and_client_certificate() {
    let authority = Authority::new();
    let endpoint = OtlpReceiver::builder().tls(authority.server()).grpc();
    let port = endpoint.address().port();

    let telemetry = authority.client("grpc", port, true).install().unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(endpoint.received().paths(), ["logs", "metrics", "traces"]);

    let anonymous = authority.client("grpc", port, false).install().unwrap();
    emit(&anonymous);
    assert_eq!(wait(anonymous.shutdown()).unwrap_err().failures().len(), 3);
    assert_eq!(endpoint.received().requests.len(), 3);
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let endpoint = OtlpReceiver::builder()
        .tls(other.server())
        .http(Answer::Status(200));
    let telemetry = authority
        .client("http/protobuf", endpoint.address().port(), true)
        .install()
        .unwrap();
    emit(&telemetry);
    let error = wait(telemetry.shutdown()).unwrap_err();
    assert!(
        error.to_string().contains("invalid peer certificate"),
        "{error}"
    );
    assert_eq!(endpoint.received().requests.len(), 0);
}

#[test]
fn a_key_of_another_certificate_is_an_error_at_once() {
    let authority = Authority::new();
    let key = authority.file("server.key", &authority.server.key);
    for protocol in ["grpc", "http/protobuf"] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "https://localhost:1".to_owned(),
            ),
            (
                "OTEL_EXPORTER_OTLP_CERTIFICATE",
                authority.file("ca.pem", &authority.certificate),
            ),
            (
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
                authority.file("client.pem", &authority.client.certificate),
            ),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", key.clone()),
        ];
        let builder = Telemetry::builder("orders")
            .without_globals()
            .with_environment(Environment::from_iter(variables));
        let error = builder.install().unwrap_err();
        assert!(matches!(&error, SetupError::Certificate(_)), "{error}");
        let beginning = format!("OTEL_EXPORTER_OTLP_CLIENT_KEY: {key:?} cannot be used: ");
        assert!(error.to_string().starts_with(&beginning), "{error}");
    }
}
