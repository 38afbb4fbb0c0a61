//! A peer in memory: it takes the whole request and answers at once, the status in trailers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Bytes};
use tower_service::Service;

use crate::grpc::pace::Pace;
use crate::grpc::{MESSAGES, Shape, framed};

/// Stands where a channel does.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    message: Bytes,
    messages: u64,
}

impl Answers {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            message: framed(&super::greeting()),
            messages: match shape {
                Shape::Unary => 1,
                Shape::Stream => MESSAGES,
            },
        }
    }
}

impl Service<Request<Body>> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let body = Body::new(Messages {
            message: self.message.clone(),
            pace: Pace::new(self.messages),
            ended: false,
        });
        Box::pin(async move {
            let mut sent = request.into_body();
            while let Some(Ok(_)) = sent.frame().await {}
            let mut response = Response::new(body);
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/grpc"),
            );
            Ok(response)
        })
    }
}

/// The same message again and again, each in a frame of its own, then trailers.
#[derive(Debug)]
struct Messages {
    message: Bytes,
    pace: Pace,
    ended: bool,
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if ready!(self.pace.poll_next(context)).is_some() {
            return Poll::Ready(Some(Ok(Frame::data(self.message.clone()))));
        }
        self.ended = true;
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}
