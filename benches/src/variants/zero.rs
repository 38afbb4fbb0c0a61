//! A layer that passes everything through.

use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ZeroLayer;

#[derive(Clone, Debug)]
pub(crate) struct Zero<S>(S);

impl<S> Layer<S> for ZeroLayer {
    type Service = Zero<S>;

    fn layer(&self, inner: S) -> Zero<S> {
        Zero(inner)
    }
}

impl<S: Service<Request>, Request> Service<Request> for Zero<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.0.call(request)
    }
}
