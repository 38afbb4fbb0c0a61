//! Carriers: where propagation fields stand in a message.
//!
//! All of them obey the same rules: names are compared without regard to case; a repeated field gives all its values to
//! `get_all`; a repeated `traceparent` counts as absent, as nobody can say which one is meant; `set` replaces every
//! value of a field; an empty value removes the field, and is never written.

mod env;
#[cfg(feature = "http")]
mod headers;
mod strings;

pub use env::EnvExtractor;
#[cfg(feature = "http")]
pub use headers::{HeaderExtractor, HeaderInjector};
pub use strings::{MapExtractor, MapInjector, PairsExtractor, PairsInjector};

use std::borrow::Cow;

use super::trace_context::TRACEPARENT;

/// Joins the values of a repeated field as RFC 9110, section 5.3 allows for `tracestate` and `baggage`.
///
/// For carriers whose `get_all` cannot return the values one by one. Empty values are left out, and without a value
/// there is nothing to return.
///
/// ```
/// use otelware::propagation::joined;
///
/// assert_eq!(joined(["a=1", "", "b=2"]).as_deref(), Some("a=1,b=2"));
/// assert_eq!(joined([]), None);
/// ```
pub fn joined<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let mut values = values.into_iter().filter(|value| !value.is_empty());
    let mut joined = Cow::Borrowed(values.next()?);
    for value in values {
        let joined = joined.to_mut();
        joined.push(',');
        joined.push_str(value);
    }
    Some(joined)
}

/// The value of a field that must not be repeated, such as `traceparent`; `None` if it is repeated or absent.
///
/// ```
/// use otelware::propagation::only;
///
/// assert_eq!(only(["00-…"]), Some("00-…"));
/// assert_eq!(only(["00-…", "00-…"]), None);
/// ```
pub fn only<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut values = values.into_iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// What `get` returns for the field `name` with these values.
fn value_of<'a>(name: &str, mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.eq_ignore_ascii_case(TRACEPARENT) {
        only(values)
    } else {
        values.next()
    }
}

/// What `get_all` returns for a field with these values.
fn all_of<'a>(values: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn one_value_is_joined_without_a_copy() {
        assert!(matches!(joined(["", "a=1"]), Some(Cow::Borrowed("a=1"))));
        assert_eq!(joined(["", ""]), None);
    }
}
