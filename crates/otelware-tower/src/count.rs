//! Whether a layer counts the bytes of bodies.

use http::Request;
use otelware::http::CountedBody;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Marks a layer that counts the bytes of request bodies.
#[derive(Debug)]
pub struct CountBodies;

/// Marks a layer that passes request bodies on as they are.
#[derive(Debug)]
pub struct PassBodies;

/// What becomes of the body of a request; [`CountBodies`] or [`PassBodies`].
pub trait RequestBodies<B>: sealed::Sealed {
    /// The body that the inner service gets.
    type Body;

    /// The request for the inner service, whose bytes are counted into what `counter` makes.
    fn wrap(request: Request<B>, counter: impl FnOnce() -> Arc<AtomicU64>) -> Request<Self::Body>;
}

impl<B> RequestBodies<B> for PassBodies {
    type Body = B;

    #[inline]
    fn wrap(request: Request<B>, _: impl FnOnce() -> Arc<AtomicU64>) -> Request<B> {
        request
    }
}

impl<B> RequestBodies<B> for CountBodies {
    type Body = CountedBody<B>;

    fn wrap(request: Request<B>, counter: impl FnOnce() -> Arc<AtomicU64>) -> Request<Self::Body> {
        request.map(|body| CountedBody::new(body, counter()))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::CountBodies {}
    impl Sealed for super::PassBodies {}
}
