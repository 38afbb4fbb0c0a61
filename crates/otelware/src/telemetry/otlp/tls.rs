//! TLS of OTLP connections: rustls with ring, roots from a file or the platform.

use std::path::PathBuf;

use crate::telemetry::environment::Environment;
use crate::telemetry::error::SetupError;
use crate::telemetry::signal::Signal;

/// A file and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::telemetry) struct NamedFile {
    variable: String,
    path: PathBuf,
}

/// The files that secure a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::telemetry) struct TlsFiles {
    authority: Option<NamedFile>,
    identity: Option<(NamedFile, NamedFile)>,
}

impl TlsFiles {
    pub(super) fn read(environment: &Environment, signal: Signal) -> Result<Self, SetupError> {
        let file = |setting| {
            super::text(environment, signal, setting).map(|(variable, path)| NamedFile {
                variable,
                path: path.into(),
            })
        };
        let identity = match (file("CLIENT_CERTIFICATE"), file("CLIENT_KEY")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(present), None) | (None, Some(present)) => {
                let problem = "stands alone; set both the client certificate and the client key";
                return Err(present.error(problem));
            }
        };
        let files = Self {
            authority: file("CERTIFICATE"),
            identity,
        };
        match &files {
            #[cfg(not(feature = "tls"))]
            Self {
                authority: Some(file),
                ..
            }
            | Self {
                identity: Some((file, _)),
                ..
            } => Err(file.error("needs TLS; enable the feature \"tls\" of otelware")),
            _ => Ok(files),
        }
    }
}

impl NamedFile {
    fn error(&self, problem: &str) -> SetupError {
        SetupError::Certificate(format!(
            "{}: {:?} {problem}",
            self.variable,
            self.path.display().to_string()
        ))
    }
}

#[cfg(feature = "tls")]
pub(super) use enabled::TlsMaterial;

#[cfg(feature = "tls")]
mod enabled {
    use rustls::RootCertStore;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::{NamedFile, SetupError, TlsFiles};
    use crate::telemetry::otlp::endpoint::Endpoint;

    /// The files' contents, checked to be PEM of the right kind.
    pub(in crate::telemetry::otlp) struct TlsMaterial {
        files: TlsFiles,
        authority: Option<Pem<Vec<CertificateDer<'static>>>>,
        identity: Option<(
            Pem<Vec<CertificateDer<'static>>>,
            Pem<PrivateKeyDer<'static>>,
        )>,
    }

    struct Pem<T> {
        #[cfg_attr(not(feature = "otlp-grpc"), allow(dead_code))]
        text: Vec<u8>,
        parsed: T,
    }

    impl TlsMaterial {
        pub(in crate::telemetry::otlp) fn load(files: &TlsFiles) -> Result<Self, SetupError> {
            Ok(Self {
                files: files.clone(),
                authority: files.authority.as_ref().map(certificates).transpose()?,
                identity: match &files.identity {
                    Some((certificate, key)) => {
                        Some((certificates(certificate)?, private_key(key)?))
                    }
                    None => None,
                },
            })
        }

        /// What HTTP connections use.
        ///
        /// The provider is named here, because a process has no default one unless somebody installs it.
        #[cfg(feature = "otlp-http")]
        pub(in crate::telemetry::otlp) fn for_http(
            &self,
            endpoint: &Endpoint,
        ) -> Result<rustls::ClientConfig, SetupError> {
            let mut roots = RootCertStore::empty();
            match &self.authority {
                Some(authority) => {
                    roots.add_parsable_certificates(authority.parsed.iter().cloned());
                }
                None if endpoint.is_https() => {
                    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                    if roots.is_empty() {
                        return Err(no_roots(endpoint));
                    }
                }
                None => {}
            }
            let builder = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
                rustls::crypto::ring::default_provider(),
            ))
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Exporter(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots);
            match &self.identity {
                Some((certificate, key)) => builder
                    .with_client_auth_cert(certificate.parsed.clone(), key.parsed.clone_key())
                    .map_err(|error| self.identity_error(&error)),
                None => Ok(builder.with_no_client_auth()),
            }
        }

        /// What gRPC connections use.
        #[cfg(feature = "otlp-grpc")]
        pub(in crate::telemetry::otlp) fn for_grpc(
            &self,
            endpoint: &Endpoint,
        ) -> Result<tonic::transport::ClientTlsConfig, SetupError> {
            use tonic::transport::{Certificate, ClientTlsConfig, Identity};

            let mut config = ClientTlsConfig::new();
            match &self.authority {
                Some(authority) => {
                    config = config.ca_certificate(Certificate::from_pem(&authority.text));
                }
                None if endpoint.is_https() => {
                    if rustls_native_certs::load_native_certs().certs.is_empty() {
                        return Err(no_roots(endpoint));
                    }
                    config = config.with_native_roots();
                }
                None => {}
            }
            if let Some((certificate, key)) = &self.identity {
                rustls::sign::CertifiedKey::from_der(
                    certificate.parsed.clone(),
                    key.parsed.clone_key(),
                    &rustls::crypto::ring::default_provider(),
                )
                .map_err(|error| self.identity_error(&error))?;
                config = config.identity(Identity::from_pem(&certificate.text, &key.text));
            }
            Ok(config)
        }

        fn identity_error(&self, error: &rustls::Error) -> SetupError {
            let problem =
                format!("cannot be used: {error}; give the private key of the client certificate");
            match &self.files.identity {
                Some((_, key)) => key.error(&problem),
                None => SetupError::Certificate(problem),
            }
        }
    }

    fn no_roots(endpoint: &Endpoint) -> SetupError {
        endpoint.error(
            "asks for TLS, and this machine has no root certificates; install them or set \
             OTEL_EXPORTER_OTLP_CERTIFICATE",
        )
    }

    fn text(file: &NamedFile) -> Result<Vec<u8>, SetupError> {
        std::fs::read(&file.path).map_err(|error| {
            file.error(&format!(
                "cannot be read: {error}; give the path of a PEM file"
            ))
        })
    }

    fn certificates(file: &NamedFile) -> Result<Pem<Vec<CertificateDer<'static>>>, SetupError> {
        let text = text(file)?;
        let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let mut roots = RootCertStore::empty();
        match parsed {
            Ok(parsed)
                if !parsed.is_empty()
                    && parsed.iter().all(|one| roots.add(one.clone()).is_ok()) =>
            {
                Ok(Pem { text, parsed })
            }
            _ => Err(file
                .error("holds no certificate; give a PEM file with -----BEGIN CERTIFICATE-----")),
        }
    }

    fn private_key(file: &NamedFile) -> Result<Pem<PrivateKeyDer<'static>>, SetupError> {
        let text = text(file)?;
        match PrivateKeyDer::from_pem_slice(&text) {
            Ok(parsed) => Ok(Pem { text, parsed }),
            Err(_) => Err(file
                .error("holds no private key; give a PEM file with -----BEGIN PRIVATE KEY-----")),
        }
    }
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<(), String> {
        let environment = Environment::from_iter(variables.iter().copied());
        TlsFiles::read(&environment, Signal::Traces)
            .and_then(|files| TlsMaterial::load(&files).map(drop))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_checked_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = write("good.pem", &cert.pem());
        let key = write("key.pem", &signing_key.serialize_pem());
        let text = write("text.pem", "hello");
        let broken = write(
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        );
        let missing = directory.path().join("missing.pem").display().to_string();

        const CA: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
        const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE";
        const KEY: &str = "OTEL_EXPORTER_OTLP_CLIENT_KEY";
        assert_eq!(load(&[]), Ok(()));
        assert_eq!(
            load(&[(CA, &certificate), (CERTIFICATE, &certificate), (KEY, &key)]),
            Ok(())
        );
        for file in [&text, &broken, &key] {
            assert_eq!(
                load(&[(CA, file)]),
                Err(format!(
                    "{CA}: {file:?} holds no certificate; give a PEM file with -----BEGIN CERTIFICATE-----"
                ))
            );
        }
        assert_eq!(
            load(&[(CERTIFICATE, &certificate), (KEY, &certificate)]),
            Err(format!(
                "{KEY}: {certificate:?} holds no private key; give a PEM file with -----BEGIN PRIVATE KEY-----"
            ))
        );
        assert_eq!(
            load(&[(CA, &missing)]),
            Err(format!(
                "{CA}: {missing:?} cannot be read: No such file or directory (os error 2); give the path of a PEM file"
            ))
        );
        let alone = "stands alone; set both the client certificate and the client key";
        assert_eq!(load(&[(KEY, &key)]), Err(format!("{KEY}: {key:?} {alone}")));
        assert_eq!(
            load(&[(CERTIFICATE, &certificate)]),
            Err(format!("{CERTIFICATE}: {certificate:?} {alone}"))
        );
    }
}
