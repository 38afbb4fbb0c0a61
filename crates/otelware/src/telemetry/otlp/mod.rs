//! OTLP: its settings, and the exporters built from them (specification, "OpenTelemetry Protocol Exporter").

mod endpoint;
mod exporters;
#[cfg(feature = "otlp-grpc")]
mod grpc;
mod headers;
#[cfg(feature = "otlp-http")]
mod http;
mod tls;

use std::time::Duration;

use self::endpoint::Endpoint;
pub(super) use self::exporters::OtlpExporters;
use self::headers::Headers;
use self::tls::TlsFiles;
use super::environment::{Choices, Environment};
use super::error::SetupError;
use super::settings;
use super::signal::Signal;

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    #[cfg(feature = "otlp-grpc")]
    Grpc,
    #[cfg(feature = "otlp-http")]
    HttpProtobuf,
    #[cfg(feature = "otlp-http")]
    HttpJson,
}

impl Protocol {
    fn is_grpc(self) -> bool {
        match self {
            #[cfg(feature = "otlp-grpc")]
            Self::Grpc => true,
            #[cfg(feature = "otlp-http")]
            Self::HttpProtobuf | Self::HttpJson => false,
        }
    }
}

const PROTOCOLS: &[(&str, Protocol)] = &[
    #[cfg(feature = "otlp-grpc")]
    ("grpc", Protocol::Grpc),
    #[cfg(feature = "otlp-http")]
    ("http/protobuf", Protocol::HttpProtobuf),
    #[cfg(feature = "otlp-http")]
    ("http/json", Protocol::HttpJson),
];

#[cfg(feature = "otlp-http")]
const DEFAULT_PROTOCOL: Protocol = Protocol::HttpProtobuf;
#[cfg(not(feature = "otlp-http"))]
const DEFAULT_PROTOCOL: Protocol = Protocol::Grpc;

/// How requests are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    #[cfg(feature = "gzip")]
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

/// `None` stands for `none`.
const COMPRESSIONS: &[(&str, Option<Compression>)] = &[
    #[cfg(feature = "gzip")]
    ("gzip", Some(Compression::Gzip)),
    #[cfg(feature = "zstd")]
    ("zstd", Some(Compression::Zstd)),
    ("none", None),
];

impl From<Compression> for opentelemetry_otlp::Compression {
    fn from(compression: Compression) -> Self {
        match compression {
            #[cfg(feature = "gzip")]
            Compression::Gzip => Self::Gzip,
            #[cfg(feature = "zstd")]
            Compression::Zstd => Self::Zstd,
        }
    }
}

/// How one signal is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OtlpSettings {
    pub(super) protocol: Protocol,
    pub(super) endpoint: Endpoint,
    pub(super) headers: Headers,
    pub(super) timeout: Duration,
    pub(super) compression: Option<Compression>,
    pub(super) tls: TlsFiles,
}

impl OtlpSettings {
    pub(super) fn read(environment: &mut Environment, signal: Signal) -> Result<Self, SetupError> {
        let protocol = choice(environment, signal, "PROTOCOL", &|| {
            Choices::new(PROTOCOLS).elsewhere(&["grpc", "http/protobuf", "http/json"])
        })
        .unwrap_or(DEFAULT_PROTOCOL);
        let compression = choice(environment, signal, "COMPRESSION", &|| {
            Choices::new(COMPRESSIONS).elsewhere(&["gzip", "zstd"])
        });
        Ok(Self {
            protocol,
            endpoint: Endpoint::read(environment, signal, protocol)?,
            headers: Headers::read(environment, signal)?,
            timeout: time_limit(environment, signal),
            compression: compression.flatten(),
            tls: TlsFiles::read(environment, signal)?,
        })
    }
}

/// The names of an OTLP variable: the signal's own, which comes first, and the one for all signals.
fn names(signal: Signal, setting: &str) -> [String; 2] {
    [
        format!("OTEL_EXPORTER_OTLP_{}_{setting}", signal.in_variables()),
        format!("OTEL_EXPORTER_OTLP_{setting}"),
    ]
}

/// An OTLP variable's name and value.
fn text(environment: &Environment, signal: Signal, setting: &str) -> Option<(String, String)> {
    names(signal, setting)
        .into_iter()
        .find_map(|name| environment.text(&name).map(|value| (name, value)))
}

fn choice<'a, T: Copy>(
    environment: &mut Environment,
    signal: Signal,
    setting: &str,
    choices: &dyn Fn() -> Choices<'a, T>,
) -> Option<T> {
    names(signal, setting)
        .into_iter()
        .find_map(|name| environment.choice(&name, &choices()))
}

fn boolean(environment: &mut Environment, signal: Signal, setting: &str) -> Option<bool> {
    names(signal, setting)
        .into_iter()
        .find_map(|name| environment.boolean(&name))
}

fn time_limit(environment: &mut Environment, signal: Signal) -> Duration {
    let [own, general] = names(signal, "TIMEOUT");
    let general = settings::timeout(environment, &general, Duration::from_secs(10));
    settings::timeout(environment, &own, general)
}
