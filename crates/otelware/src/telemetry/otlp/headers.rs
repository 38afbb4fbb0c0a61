//! Headers sent with every OTLP request.

use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::telemetry::environment::Environment;
use crate::telemetry::error::SetupError;
use crate::telemetry::signal::Signal;

/// Headers from `OTEL_EXPORTER_OTLP_HEADERS`; their values are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(in crate::telemetry) struct Headers(pub(super) HeaderMap);

impl Headers {
    /// `name=value` pairs separated by commas, values percent-encoded (specification, "OpenTelemetry Protocol
    /// Exporter": Specifying headers via environment variables).
    pub(super) fn read(environment: &Environment, signal: Signal) -> Result<Self, SetupError> {
        let Some((variable, list)) = super::text(environment, signal, "HEADERS") else {
            return Ok(Self::default());
        };
        let mut headers = HeaderMap::new();
        for (index, element) in list.split(',').map(str::trim).enumerate() {
            if element.is_empty() {
                continue;
            }
            // The element itself is not shown: it may be nothing but a secret.
            let Some((name, value)) = element.split_once('=') else {
                return Err(error(
                    &variable,
                    &format!("element {} has no \"=\"", index + 1),
                ));
            };
            let name = name.trim();
            // "Authorization: Basic …==" has a "=", too: what stands before it is a name only if it can be one.
            let Ok(header_name) = name.parse::<HeaderName>() else {
                return Err(error(
                    &variable,
                    &format!("the name of element {} is not a header name", index + 1),
                ));
            };
            let value: Vec<u8> = percent_decode_str(value.trim()).collect();
            let Ok(mut value) = HeaderValue::from_bytes(&value) else {
                return Err(error(
                    &variable,
                    &format!("the value of {name:?} has characters that a header cannot carry"),
                ));
            };
            value.set_sensitive(true);
            headers.insert(header_name, value);
        }
        Ok(Self(headers))
    }
}

fn error(variable: &str, problem: &str) -> SetupError {
    SetupError::Header(format!(
        "{variable}: {problem}; write name=value pairs separated by commas, such as authorization=Bearer%20token"
    ))
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let environment = Environment::from_iter(variables.iter().copied());
        let headers =
            Headers::read(&environment, Signal::Logs).map_err(|error| error.to_string())?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(headers
            .0
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect())
    }

    const GENERAL: &str = "OTEL_EXPORTER_OTLP_HEADERS";
    const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_HEADERS";

    #[test]
    fn pairs() {
        let pairs = |pairs: &[(&str, &str)]| -> Result<Vec<(String, String)>, String> {
            Ok(pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect())
        };
        assert_eq!(read(&[]), pairs(&[]));
        assert_eq!(
            read(&[(
                GENERAL,
                "Authorization=Bearer%20a=b, x-tenant = shop ,,empty="
            )]),
            pairs(&[
                ("authorization", "Bearer a=b"),
                ("x-tenant", "shop"),
                ("empty", "")
            ])
        );
        assert_eq!(
            read(&[(GENERAL, "a=1"), (LOGS, "b=2")]),
            pairs(&[("b", "2")])
        );
    }

    #[test]
    fn wrong() {
        let advice =
            "write name=value pairs separated by commas, such as authorization=Bearer%20token";
        for (list, problem) in [
            ("a=1,secret", r#"element 2 has no "=""#),
            ("bad name=1", "the name of element 1 is not a header name"),
            ("a=1,=1", "the name of element 2 is not a header name"),
            (
                "Authorization: Basic dXNlcjpwYXNz==",
                "the name of element 1 is not a header name",
            ),
            (
                "a=sec%0Aret",
                r#"the value of "a" has characters that a header cannot carry"#,
            ),
        ] {
            assert_eq!(
                read(&[(LOGS, list)]),
                Err(format!(
                    "OTEL_EXPORTER_OTLP_LOGS_HEADERS: {problem}; {advice}"
                ))
            );
        }
    }

    #[test]
    fn debug_shows_names_only() {
        let environment = Environment::from_iter([(GENERAL, "authorization=secret")]);
        let headers =
            Headers::read(&environment, Signal::Logs).map(|headers| format!("{headers:?}"));
        assert_eq!(headers.ok(), Some(r#"{"authorization"}"#.to_owned()));
    }
}
