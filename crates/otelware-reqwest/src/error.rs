//! Classes and texts of errors.

use otelware::http::{UrlRedaction, error_type_of, known_error_type};
use otelware::operation::ErrorType;
use otelware::semconv::value;
use reqwest::Url;
use reqwest_middleware::Error;
use std::any::Any;

/// The class of an error of a response's body.
pub(crate) fn class(error: &dyn Any) -> Option<ErrorType> {
    error.downcast_ref().map(class_of_reqwest)
}

/// The class of an error of the client or of a middleware.
pub(crate) fn class_of(error: &Error) -> ErrorType {
    match error {
        Error::Reqwest(error) => class_of_reqwest(error),
        Error::Middleware(error) => match error.downcast_ref() {
            Some(error) => class_of_reqwest(error),
            None => error_type_of(&**error),
        },
    }
}

fn class_of_reqwest(error: &reqwest::Error) -> ErrorType {
    let fixed = match error {
        error if error.is_timeout() => value::TIMEOUT,
        error if error.is_dns() => "name_resolution_error",
        error => match known_error_type(error) {
            Some(class) => return class,
            None if error.is_connect() => "connect",
            None if error.is_builder() => "builder",
            None if error.is_redirect() => "redirect",
            None if error.is_decode() => "decode",
            None if error.is_body() => "body",
            None if error.is_request() => "request",
            None if error.is_upgrade() => "upgrade",
            None => value::OTHER,
        },
    };
    fixed.into()
}

/// The error's text, in which reqwest shows the URL, without secrets of the URL.
pub(crate) fn message(error: &Error, redaction: &UrlRedaction) -> String {
    let text = error.to_string();
    match url_of(error) {
        Some(url) => text.replace(url.as_str(), &redaction.url(url.as_str())),
        None => text,
    }
}

/// The URL of the error, also where a middleware has wrapped it.
fn url_of(error: &Error) -> Option<&Url> {
    match error {
        Error::Reqwest(error) => error.url(),
        Error::Middleware(error) => error.chain().find_map(|cause| {
            match cause.downcast_ref::<reqwest::Error>() {
                Some(error) => error.url(),
                // It tells of its cause's cause only.
                None => cause.downcast_ref().and_then(url_of),
            }
        }),
    }
}
