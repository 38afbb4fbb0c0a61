//! How an operation ended.

use crate::semconv::value;
use opentelemetry::StringValue;
use std::borrow::Cow;

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it was to do.
    Success,
    /// It failed.
    Error(ErrorType),
    /// Its future, stream or body was dropped before it was done.
    Cancelled,
    /// The code that it ran panicked.
    Panicked,
}

/// The class of an error, for the attribute `error.type`: from a small, fixed set of values, such
/// as `timeout`, `500` or `connection_refused`, and never the error's text.
///
/// See "Recording errors" in the semantic conventions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ErrorType(Cow<'static, str>);

impl ErrorType {
    /// The class with this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The class named by the type of the error: the last part of the type's path, without generic
    /// arguments (`ParseIntError`); for a type that is merely named `Error`, with its module
    /// (`std::io::Error`). A boxed error of any type is `_OTHER`.
    pub fn of<E: ?Sized>() -> Self {
        let path = std::any::type_name::<E>();
        let plain = path.split('<').next().unwrap_or(path);
        if path.contains("<dyn ") || path.starts_with("dyn ") {
            return Self(Cow::Borrowed(value::OTHER));
        }
        match plain.rsplit("::").next() {
            Some("Error") => {
                let parts = plain.split("::").filter(|part| *part != "error");
                Self(Cow::Owned(parts.collect::<Vec<_>>().join("::")))
            }
            Some(name) => Self(Cow::Borrowed(name)),
            None => Self(Cow::Borrowed(plain)),
        }
    }

    /// The name of the class.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a value of an attribute.
    pub fn value(&self) -> StringValue {
        match &self.0 {
            Cow::Borrowed(name) => (*name).into(),
            Cow::Owned(name) => name.clone().into(),
        }
    }
}

impl From<&'static str> for ErrorType {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl From<String> for ErrorType {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// What becomes of an operation that is dropped before it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancellation {
    /// Nothing is marked: the caller wanted it so. The rule for clients.
    Ignore,
    /// `error.type` is `cancelled` on span and metric; the span's status stays unset: the peer
    /// went away. The rule for servers.
    #[default]
    Mark,
    /// As `Mark`, and the span's status is an error.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_classed_by_its_type() {
        for (class, expected) in [
            (ErrorType::of::<std::num::ParseIntError>(), "ParseIntError"),
            (ErrorType::of::<std::io::Error>(), "std::io::Error"),
            (ErrorType::of::<std::fmt::Error>(), "core::fmt::Error"),
            (ErrorType::of::<Vec<std::io::Error>>(), "Vec"),
            (
                ErrorType::of::<Box<dyn std::error::Error + Send>>(),
                "_OTHER",
            ),
        ] {
            assert_eq!(class.as_str(), expected);
        }
    }
}
