//! The instrumentation scope of spans, metrics and logs.

use std::fmt;

use opentelemetry::InstrumentationScope;

use crate::value::{Attributes, inline, pairs};

/// An instrumentation scope: the library that made a span, metric or log.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scope {
    /// The name of the library.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// The schema URL of the conventions it follows.
    pub schema_url: Option<String>,
    /// Attributes of the scope.
    pub attributes: Attributes,
}

impl Scope {
    /// A scope as instrumentations announce it.
    pub fn new(name: &str, version: &str, schema_url: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            schema_url: Some(schema_url.to_owned()),
            attributes: Attributes::new(),
        }
    }
}

impl From<&InstrumentationScope> for Scope {
    fn from(scope: &InstrumentationScope) -> Self {
        Self {
            name: scope.name().to_owned(),
            version: scope.version().map(ToOwned::to_owned),
            schema_url: scope.schema_url().map(ToOwned::to_owned),
            attributes: pairs(scope.attributes()).collect(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("(no version)");
        let schema_url = self.schema_url.as_deref().unwrap_or("(no schema URL)");
        write!(formatter, "{} {version} {schema_url}", self.name)?;
        if !self.attributes.is_empty() {
            write!(formatter, " {}", inline(&self.attributes))?;
        }
        Ok(())
    }
}
