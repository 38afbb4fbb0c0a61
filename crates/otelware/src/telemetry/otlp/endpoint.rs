//! Where OTLP goes.

use std::fmt;

use ::http::Uri;

use super::Protocol;
use crate::telemetry::environment::Environment;
use crate::telemetry::error::SetupError;
use crate::telemetry::signal::Signal;

/// A checked URL and the variable it comes from.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::telemetry) struct Endpoint {
    url: String,
    /// As it was written, for messages.
    written: String,
    variable: Option<String>,
}

impl Endpoint {
    /// The endpoint of a signal (specification, "OpenTelemetry Protocol Exporter": Endpoint URLs for OTLP/HTTP, and the
    /// Insecure option for OTLP/gRPC).
    pub(super) fn read(
        environment: &mut Environment,
        signal: Signal,
        protocol: Protocol,
    ) -> Result<Self, SetupError> {
        let [own, general] = super::names(signal, "ENDPOINT");
        let (variable, url, for_all) = match (environment.text(&own), environment.text(&general)) {
            (Some(url), _) => (Some(own), url, false),
            (None, Some(url)) => (Some(general), url, true),
            (None, None) => (None, default(protocol).to_owned(), true),
        };
        let written = url.clone();
        let url = if protocol.is_grpc() {
            with_scheme(environment, signal, url)
        } else if for_all {
            // Only the endpoint for all signals gets a path for each signal.
            with_path(&url, signal)
        } else {
            url
        };
        let endpoint = Self {
            url,
            written,
            variable,
        };
        endpoint.check()?;
        Ok(endpoint)
    }

    /// The URL to send to.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The URL without credentials, for messages.
    pub(in crate::telemetry) fn shown(&self) -> String {
        redacted(&self.url)
    }

    /// Whether it asks for TLS.
    pub(super) fn is_https(&self) -> bool {
        self.url
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("https://"))
    }

    /// An error that names the variable.
    pub(super) fn error(&self, problem: &str) -> SetupError {
        let source = self.variable.as_deref().unwrap_or("the default endpoint");
        SetupError::Endpoint(format!("{source}: {:?} {problem}", redacted(&self.written)))
    }

    fn check(&self) -> Result<(), SetupError> {
        const ADVICE: &str =
            "is not a URL of an OTLP endpoint; write http://host:port or https://host:port";
        let uri: Uri = self.url.parse().map_err(|_| self.error(ADVICE))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let port = uri.authority().map_or("", |authority| {
            let after_host = authority
                .as_str()
                .rsplit_once(']')
                .map_or(authority.as_str(), |(_, port)| port);
            after_host.rsplit_once(':').map_or("", |(_, port)| port)
        });
        let port_is_wrong = !port.is_empty() && uri.port_u16().is_none();
        if !matches!(scheme, "http" | "https") || host.is_empty() || port_is_wrong {
            return Err(self.error(ADVICE));
        }
        if self.is_https() && !cfg!(feature = "tls") {
            return Err(
                self.error("needs TLS; enable the feature \"tls\" of otelware or write http://")
            );
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("url", &self.shown())
            .field("variable", &self.variable)
            .finish()
    }
}

fn default(protocol: Protocol) -> &'static str {
    if protocol.is_grpc() {
        "http://localhost:4317"
    } else {
        "http://localhost:4318"
    }
}

fn with_scheme(environment: &mut Environment, signal: Signal, url: String) -> String {
    let has_scheme = url
        .split_once("://")
        .is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    if has_scheme {
        return url;
    }
    let insecure = super::boolean(environment, signal, "INSECURE").unwrap_or(false);
    format!("{}://{url}", if insecure { "http" } else { "https" })
}

fn with_path(url: &str, signal: Signal) -> String {
    let (base, query) = match url.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (url, String::new()),
    };
    let base = base.strip_suffix('/').unwrap_or(base);
    format!("{base}/v1/{signal}{query}")
}

/// `url` with `***` for user name and password, and without its query, which carries keys at some vendors.
///
/// A password that is not percent-encoded may hold `/`, `?`, `#` and `@`: whatever can be a part of it is hidden, even
/// where that hides a path.
fn redacted(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (format!("{scheme}://"), rest)
        }
        _ => (String::new(), url),
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (shown, query) = rest.split_at(end);
    let authority = shown.split('/').next().unwrap_or_default();
    let has_credentials = rest.rsplit_once('@').is_some_and(|(before, _)| {
        scheme.is_empty() || before.contains(':') || authority.contains('@')
    });
    match shown.rsplit_once('@') {
        _ if !has_credentials => format!("{scheme}{shown}"),
        Some((_, shown)) if !query.contains('@') => format!("{scheme}***@{shown}"),
        _ => format!("{scheme}***"),
    }
}

#[cfg(all(test, feature = "otlp-grpc", feature = "otlp-http", feature = "tls"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const METRICS: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
    const TRACES_INSECURE: &str = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";

    fn read(variables: &[(&str, &str)], protocol: Protocol) -> Result<String, String> {
        let mut environment = Environment::from_iter(variables.iter().copied());
        match Endpoint::read(&mut environment, Signal::Traces, protocol) {
            Ok(endpoint) => Ok(endpoint.url),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn http() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], "http://localhost:4318/v1/traces"),
            (
                &[(ALL, "http://collector:4318")],
                "http://collector:4318/v1/traces",
            ),
            (
                &[(ALL, "http://collector:4318/")],
                "http://collector:4318/v1/traces",
            ),
            (&[(ALL, "https://host/otlp")], "https://host/otlp/v1/traces"),
            (
                &[(ALL, "https://host/otlp/")],
                "https://host/otlp/v1/traces",
            ),
            (
                &[(ALL, "https://host/otlp?key=1")],
                "https://host/otlp/v1/traces?key=1",
            ),
            (
                &[(TRACES, "http://collector:4318")],
                "http://collector:4318",
            ),
            (
                &[(TRACES, "http://collector/own/path")],
                "http://collector/own/path",
            ),
            (
                &[(TRACES, "http://own"), (ALL, "http://general")],
                "http://own",
            ),
            (
                &[(TRACES, " "), (ALL, "http://general")],
                "http://general/v1/traces",
            ),
            (
                &[(METRICS, "http://other")],
                "http://localhost:4318/v1/traces",
            ),
            (&[(ALL, "http://[::1]:4318")], "http://[::1]:4318/v1/traces"),
        ];
        for (variables, url) in table {
            assert_eq!(
                read(variables, Protocol::HttpProtobuf),
                Ok((*url).to_owned()),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn grpc() {
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[], "http://localhost:4317"),
            (&[(ALL, "http://collector:4317")], "http://collector:4317"),
            (
                &[(ALL, "http://collector:4317"), (INSECURE, "false")],
                "http://collector:4317",
            ),
            (
                &[(ALL, "https://collector:4317"), (INSECURE, "true")],
                "https://collector:4317",
            ),
            (&[(ALL, "collector:4317")], "https://collector:4317"),
            (
                &[(ALL, "collector:4317"), (INSECURE, "TRUE")],
                "http://collector:4317",
            ),
            (
                &[
                    (ALL, "collector:4317"),
                    (INSECURE, "true"),
                    (TRACES_INSECURE, "false"),
                ],
                "https://collector:4317",
            ),
            (
                &[
                    (TRACES, "own:4317"),
                    (ALL, "http://general"),
                    (INSECURE, "true"),
                ],
                "http://own:4317",
            ),
        ];
        for (variables, url) in table {
            assert_eq!(
                read(variables, Protocol::Grpc),
                Ok((*url).to_owned()),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn wrong() {
        let advice =
            "is not a URL of an OTLP endpoint; write http://host:port or https://host:port";
        for (variable, value, shown) in [
            (ALL, "collector:4318", "collector:4318"),
            (ALL, "ftp://collector", "ftp://collector"),
            (TRACES, "http://", "http://"),
            (TRACES, "http://host:99999", "http://host:99999"),
            (TRACES, "http://host name", "http://host name"),
            (TRACES, "http://me:secret@:1?key=secret", "http://***@:1"),
        ] {
            assert_eq!(
                read(&[(variable, value)], Protocol::HttpJson),
                Err(format!("{variable}: {shown:?} {advice}"))
            );
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        for (url, shown) in [
            (
                "http://user:secret@host:1/path?key=secret",
                "http://***@host:1/path",
            ),
            ("user:secret@host", "***@host"),
            ("http://host/a@b", "http://host/a@b"),
            ("http://host/a?mail=a@b", "http://host/a"),
            ("http://user:p/ss@host/path", "http://***@host/path"),
            ("http://user:1/2@host", "http://***@host"),
            ("http://user:p@ss/w@host", "http://***@host"),
            ("http://user:p?ss@host", "http://***"),
            ("http://user:p#ss@host", "http://***"),
            ("http://user:pass@host?key=a@secret", "http://***"),
            ("user:p://ss@host", "***@host"),
            ("http//user@host", "***@host"),
            ("https://host", "https://host"),
        ] {
            assert_eq!(redacted(url), shown);
        }
        let endpoint = Endpoint {
            url: "http://user:secret@host".to_owned(),
            written: String::new(),
            variable: None,
        };
        assert_eq!(
            format!("{endpoint:?}"),
            r#"Endpoint { url: "http://***@host", variable: None }"#
        );
    }
}
