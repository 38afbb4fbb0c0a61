//! Whether a server's layer sees the messages of requests.

use crate::message::{Meter, RequestBody};
use bytes::Bytes;
use http::Request;
use http_body::Body;

/// Marks a layer that sees the messages of requests.
#[derive(Debug)]
pub struct ObserveBodies;

/// Marks a layer that passes the bodies of requests on as they are.
#[derive(Debug)]
pub struct PassBodies;

/// What becomes of the body of a request; [`ObserveBodies`] or [`PassBodies`].
pub trait RequestBodies<B>: sealed::Sealed {
    /// The body that the inner service gets.
    type Body;

    /// The request for the inner service.
    #[doc(hidden)]
    fn wrap(request: Request<B>, meter: impl FnOnce() -> Option<Meter>) -> Request<Self::Body>;
}

impl<B> RequestBodies<B> for PassBodies {
    type Body = B;

    #[inline]
    fn wrap(request: Request<B>, _: impl FnOnce() -> Option<Meter>) -> Request<B> {
        request
    }
}

impl<B: Body<Data = Bytes>> RequestBodies<B> for ObserveBodies {
    type Body = RequestBody<B>;

    fn wrap(request: Request<B>, meter: impl FnOnce() -> Option<Meter>) -> Request<Self::Body> {
        request.map(|body| RequestBody::of_server(body, meter()))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ObserveBodies {}
    impl Sealed for super::PassBodies {}
}
