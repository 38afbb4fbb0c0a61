//! The service `interop.Interop`, whose messages are plain bytes. It sets the baggage of each call as attributes of its span.

use bytes::{Buf, BufMut, Bytes};
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::opentelemetry::{Context, KeyValue};
use std::convert::Infallible;
use std::future::pending;
use std::task::Poll;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, tokio_stream};
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};

/// The methods, `interop.Interop/` before each: the request comes back, it comes back three times, there is nothing,
/// there never is an answer.
pub(crate) const METHODS: [&str; 4] = ["Unary", "Stream", "Missing", "Endless"];

#[derive(Clone, Debug)]
pub(crate) struct Interop;

impl NamedService for Interop {
    const NAME: &'static str = "interop.Interop";
}

impl Service<http::Request<Body>> for Interop {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(BytesCodec);
            Ok(match request.uri().path() {
                "/interop.Interop/Unary" => grpc.unary(Unary, request).await,
                "/interop.Interop/Stream" => grpc.server_streaming(Stream, request).await,
                "/interop.Interop/Missing" => grpc.unary(Missing, request).await,
                "/interop.Interop/Endless" => grpc.unary(Endless, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

fn show_baggage() {
    let context = Context::current();
    for (key, (value, _)) in context.baggage() {
        let attribute = KeyValue::new(format!("baggage.{key}"), value.clone());
        context.span().set_attribute(attribute);
    }
}

struct Unary;

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async {
            show_baggage();
            Ok(Response::new(request.into_inner()))
        })
    }
}

struct Stream;

impl ServerStreamingService<Bytes> for Stream {
    type Response = Bytes;
    type ResponseStream = tokio_stream::Iter<std::array::IntoIter<Result<Bytes, Status>, 3>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async {
            show_baggage();
            let message = request.into_inner();
            let messages = [Ok(message.clone()), Ok(message.clone()), Ok(message)];
            Ok(Response::new(tokio_stream::iter(messages)))
        })
    }
}

struct Missing;

impl UnaryService<Bytes> for Missing {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        Box::pin(async {
            show_baggage();
            Err(Status::not_found("there is nothing here"))
        })
    }
}

struct Endless;

impl UnaryService<Bytes> for Endless {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        Box::pin(async {
            show_baggage();
            pending().await
        })
    }
}

/// Messages that are their bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
