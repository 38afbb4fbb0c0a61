//! Calls that arrive at a server: a request with a framed message into the service, the response's body to its trailers.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;

use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::transport::server::TcpConnectInfo;

use crate::Error;
use crate::grpc::{Grpc, MESSAGES, ORIGIN, Shape, drive, framed};
use crate::telemetry::{Counts, Telemetry, Traceparent};
use crate::work::Work;

/// Calls of one method, straight into a service.
#[derive(Debug)]
pub(crate) struct ServerCalls<S> {
    service: S,
    uri: Uri,
    request: Bytes,
    answer: Answer,
    telemetry: Telemetry,
    expected: Counts,
}

/// What a response's body held.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    frames: u64,
    bytes: usize,
    status: HeaderValue,
}

impl<S> ServerCalls<S> {
    pub(crate) fn new(
        service: S,
        shape: Shape,
        telemetry: Telemetry,
        expected: Counts,
    ) -> Result<Self, Error> {
        let frames = match shape {
            Shape::Unary => 1,
            Shape::Stream => MESSAGES,
        };
        Ok(Self {
            service,
            uri: format!("{}{}", ORIGIN, shape.path()).parse()?,
            request: framed(&super::hello()),
            answer: Answer {
                frames,
                bytes: frames as usize * framed(&super::greeting()).len(),
                status: HeaderValue::from_static("0"),
            },
            telemetry,
            expected,
        })
    }

    /// The request as tonic's server hands it on.
    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::new(Full::new(self.request.clone())));
        *request.method_mut() = Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "application/grpc"),
            (header::TE, "trailers"),
            (header::USER_AGENT, "tonic/0.14.9"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(traceparent) = Traceparent::Sampled.value() {
            headers.insert("traceparent", HeaderValue::from_static(traceparent));
        }
        request.extensions_mut().insert(TcpConnectInfo {
            local_addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051))),
            remote_addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 41_000))),
        });
        request
    }
}

impl<S: Grpc> ServerCalls<S> {
    async fn call(&mut self) -> Option<Answer> {
        let request = self.request();
        std::future::poll_fn(|context| self.service.poll_ready(context))
            .await
            .ok()?;
        let response = self.service.call(request).await.ok()?;
        let mut body = pin!(response.into_body());
        let (mut frames, mut bytes) = (0, 0);
        // As HTTP/2 does: trailers are the last frame, nothing is asked for behind them.
        while let Some(frame) = body.frame().await {
            match frame.ok()?.into_data() {
                Ok(data) => {
                    frames += 1;
                    bytes += data.len();
                }
                Err(frame) => {
                    let mut trailers = frame.into_trailers().ok()?;
                    return Some(Answer {
                        frames,
                        bytes,
                        status: trailers.remove("grpc-status")?,
                    });
                }
            }
        }
        None
    }
}

impl<S: Grpc> Work for ServerCalls<S> {
    fn once(&mut self) -> bool {
        drive::to_the_end(self.call()).is_some_and(|answer| answer == self.answer)
    }

    fn settle(&self) -> Result<(), Error> {
        self.telemetry.flush()
    }

    fn verify(&self, operations: u64) -> Result<(), Error> {
        self.telemetry.verify(self.expected.times(operations))
    }
}
