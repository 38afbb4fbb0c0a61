//! Environment variables as a carrier.

use opentelemetry::propagation::Extractor;

use super::{all_of, value_of};
use crate::propagation::baggage::BAGGAGE;
use crate::propagation::trace_context::{TRACEPARENT, TRACESTATE};

/// Reads `TRACEPARENT`, `TRACESTATE` and `BAGGAGE` from environment variables, for programs that another traced program
/// starts (<https://opentelemetry.io/docs/specs/otel/context/env-carriers/>).
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otelware::propagation::EnvExtractor;
///
/// let environment = [("TRACEPARENT".to_owned(), "00-…".to_owned()), ("HOME".to_owned(), "…".to_owned())];
/// assert_eq!(EnvExtractor::from_variables(environment).get("traceparent"), Some("00-…"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct EnvExtractor {
    variables: Vec<(&'static str, String)>,
}

const FIELDS: [(&str, &str); 3] = [
    ("TRACEPARENT", TRACEPARENT),
    ("TRACESTATE", TRACESTATE),
    ("BAGGAGE", BAGGAGE),
];

impl EnvExtractor {
    /// Keeps the variables that carry context and ignores all others.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables
            .into_iter()
            .filter_map(|(variable, value)| {
                let (_, field) = FIELDS.iter().find(|(name, _)| *name == variable)?;
                (!value.is_empty()).then_some((*field, value))
            })
            .collect();
        Self { variables }
    }

    /// Reads the environment of this process; a variable that is not UTF-8 counts as absent.
    pub fn from_process() -> Self {
        Self::from_variables(
            FIELDS
                .iter()
                .filter_map(|(name, _)| Some(((*name).to_owned(), std::env::var(name).ok()?))),
        )
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.variables
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }
}

impl Extractor for EnvExtractor {
    fn get(&self, key: &str) -> Option<&str> {
        value_of(key, self.values(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.variables.iter().map(|(field, _)| *field).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        all_of(self.values(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_carry_context_are_kept() {
        let environment = [
            ("PATH", "/bin"),
            ("TRACEPARENT", "00-1"),
            ("traceparent", "00-2"),
            ("BAGGAGE", "a=1"),
            ("TRACESTATE", ""),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let extractor = EnvExtractor::from_variables(environment);
        assert_eq!(extractor.keys(), ["traceparent", "baggage"]);
        assert_eq!(extractor.get("Traceparent"), Some("00-1"));
        assert_eq!(extractor.get_all("baggage"), Some(vec!["a=1"]));
        assert_eq!(extractor.get("tracestate"), None);
    }

    #[test]
    fn the_environment_of_this_process_can_be_read() {
        let expected = std::env::var("TRACEPARENT")
            .ok()
            .filter(|value| !value.is_empty());
        assert_eq!(
            EnvExtractor::from_process().get("traceparent"),
            expected.as_deref()
        );
    }
}
