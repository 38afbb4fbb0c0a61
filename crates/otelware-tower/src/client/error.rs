//! Classes of the errors of hyper and hyper-util.

use otelware::operation::ErrorType;
use std::any::Any;

#[cfg(feature = "hyper-util")]
use {hyper_util::client::legacy, otelware::semconv::value, std::error::Error};

/// The class of an error of hyper or hyper-util, or of one that a box holds.
#[cfg(feature = "hyper-util")]
pub(super) fn class(error: &dyn Any) -> Option<ErrorType> {
    let error: &(dyn Error + 'static) =
        if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
            &**error
        } else if let Some(error) = error.downcast_ref::<legacy::Error>() {
            error
        } else {
            error.downcast_ref::<hyper::Error>()?
        };
    otelware::http::known_error_type(error).or_else(|| hyper_class(error).map(ErrorType::from))
}

/// The class of the first error of hyper or hyper-util, of this one and its sources.
#[cfg(feature = "hyper-util")]
fn hyper_class(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<legacy::Error>() {
            Some(error) if error.is_connect() => return Some("connect"),
            _ => {}
        }
        match error.downcast_ref::<hyper::Error>() {
            Some(error) if error.is_timeout() => return Some(value::TIMEOUT),
            Some(error) if error.is_parse() => return Some("invalid_response"),
            Some(error) if error.is_canceled() => return Some("connection_closed"),
            Some(_) => return Some(value::OTHER),
            None => {}
        }
        next = error.source();
    }
    None
}

/// Without the feature `hyper-util` no errors are known here.
#[cfg(not(feature = "hyper-util"))]
pub(super) fn class(_: &dyn Any) -> Option<ErrorType> {
    None
}
