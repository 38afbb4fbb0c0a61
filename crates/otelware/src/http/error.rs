//! Classes of transport errors.

use crate::operation::{ErrorType, io_error_type};
use crate::semconv::value;
use std::any::Any;
use std::error::Error;
use std::io;

type BoxError = Box<dyn Error + Send + Sync>;

/// The class of an error of a service or a body: `timeout` where a timer of tower ran out, the
/// kind of an input/output error beneath it, else the name of the error's type.
pub fn error_type<E: 'static>(error: &E) -> ErrorType {
    let any: &dyn Any = error;
    if let Some(error) = any.downcast_ref::<BoxError>() {
        return error_type_of(&**error);
    }
    if let Some(error) = any.downcast_ref::<io::Error>() {
        return error_type_of(error);
    }
    ErrorType::of::<E>()
}

/// The class of an error that may stand for another one: the first of its sources that is known.
pub fn error_type_of(error: &(dyn Error + 'static)) -> ErrorType {
    known_error_type(error).unwrap_or_else(|| value::OTHER.into())
}

/// The class of the first error known, of this one and its sources.
pub fn known_error_type(error: &(dyn Error + 'static)) -> Option<ErrorType> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // An error of another kind may hide in one of the kind `Other`.
            match (error.kind(), error.get_ref()) {
                (io::ErrorKind::Other, Some(inner)) => {
                    next = Some(inner);
                    continue;
                }
                (kind, _) => return Some(io_error_type(kind)),
            }
        }
        if let Some(class) = class_of_text(&error.to_string()) {
            return Some(class.into());
        }
        next = error.source();
    }
    None
}

/// The fixed texts of errors whose types are private, or whose crates are no dependencies of this
/// one.
fn class_of_text(text: &str) -> Option<&'static str> {
    match text {
        // tower, tokio, reqwest, tower-http
        "request timed out"
        | "deadline has elapsed"
        | "operation timed out"
        | "data was not received within the designated timeout" => Some(value::TIMEOUT),
        // tower
        "service overloaded" => Some("overloaded"),
        // hyper-util, reqwest
        "dns error" => Some("name_resolution_error"),
        // hyper
        "connection closed before message completed" => Some("connection_closed"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("secret text")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn errors_are_classed_by_their_known_sources_or_their_type() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let boxed: BoxError = Box::new(Outer(refused()));
        assert_eq!(error_type(&boxed).as_str(), "connection_refused");
        assert_eq!(error_type(&refused()).as_str(), "connection_refused");
        assert_eq!(error_type(&Outer(refused())).as_str(), "Outer");
        let hidden: BoxError = Box::new(io::Error::other(Outer(refused())));
        assert_eq!(error_type(&hidden).as_str(), "connection_refused");
        let text: BoxError = "s3cr3t".into();
        assert_eq!(error_type(&text).as_str(), "_OTHER");
        let timer: BoxError = "request timed out".into();
        assert_eq!(error_type(&timer).as_str(), "timeout");
        let closed: BoxError = "connection closed before message completed".into();
        assert_eq!(error_type(&closed).as_str(), "connection_closed");
        assert_eq!(known_error_type(&*text), None);
    }
}
