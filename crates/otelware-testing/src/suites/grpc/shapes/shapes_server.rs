//! The server that tonic-prost-build generates.

#![allow(
    unused_variables,
    dead_code,
    missing_docs,
    clippy::wildcard_imports,
    clippy::let_unit_value
)]
use tonic::codegen::*;
/// Generated trait containing gRPC methods that should be implemented for use with ShapesServer.
#[async_trait]
pub trait Shapes: std::marker::Send + std::marker::Sync + 'static {
    /// One request, one response.
    async fn unary(
        &self,
        request: tonic::Request<super::Note>,
    ) -> std::result::Result<tonic::Response<super::Note>, tonic::Status>;
    /// Many requests, one response.
    async fn client_stream(
        &self,
        request: tonic::Request<tonic::Streaming<super::Note>>,
    ) -> std::result::Result<tonic::Response<super::Note>, tonic::Status>;
    /// Server streaming response type for the ServerStream method.
    type ServerStreamStream: tonic::codegen::tokio_stream::Stream<Item = std::result::Result<super::Note, tonic::Status>>
        + std::marker::Send
        + 'static;
    /// One request, many responses.
    async fn server_stream(
        &self,
        request: tonic::Request<super::Note>,
    ) -> std::result::Result<tonic::Response<Self::ServerStreamStream>, tonic::Status>;
    /// Server streaming response type for the Bidi method.
    type BidiStream: tonic::codegen::tokio_stream::Stream<Item = std::result::Result<super::Note, tonic::Status>>
        + std::marker::Send
        + 'static;
    /// Many requests, many responses.
    async fn bidi(
        &self,
        request: tonic::Request<tonic::Streaming<super::Note>>,
    ) -> std::result::Result<tonic::Response<Self::BidiStream>, tonic::Status>;
}
/// A method of each shape.
#[derive(Debug)]
pub struct ShapesServer<T> {
    inner: Arc<T>,
    accept_compression_encodings: EnabledCompressionEncodings,
    send_compression_encodings: EnabledCompressionEncodings,
    max_decoding_message_size: Option<usize>,
    max_encoding_message_size: Option<usize>,
}
impl<T> ShapesServer<T> {
    pub fn new(inner: T) -> Self {
        Self::from_arc(Arc::new(inner))
    }
    pub fn from_arc(inner: Arc<T>) -> Self {
        Self {
            inner,
            accept_compression_encodings: Default::default(),
            send_compression_encodings: Default::default(),
            max_decoding_message_size: None,
            max_encoding_message_size: None,
        }
    }
    pub fn with_interceptor<F>(inner: T, interceptor: F) -> InterceptedService<Self, F>
    where
        F: tonic::service::Interceptor,
    {
        InterceptedService::new(Self::new(inner), interceptor)
    }
    /// Enable decompressing requests with the given encoding.
    #[must_use]
    pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.accept_compression_encodings.enable(encoding);
        self
    }
    /// Compress responses with the given encoding, if the client supports it.
    #[must_use]
    pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.send_compression_encodings.enable(encoding);
        self
    }
    /// Limits the maximum size of a decoded message.
    ///
    /// Default: `4MB`
    #[must_use]
    pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
        self.max_decoding_message_size = Some(limit);
        self
    }
    /// Limits the maximum size of an encoded message.
    ///
    /// Default: `usize::MAX`
    #[must_use]
    pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
        self.max_encoding_message_size = Some(limit);
        self
    }
}
impl<T, B> tonic::codegen::Service<http::Request<B>> for ShapesServer<T>
where
    T: Shapes,
    B: Body + std::marker::Send + 'static,
    B::Error: Into<StdError> + std::marker::Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, req: http::Request<B>) -> Self::Future {
        match req.uri().path() {
            "/otelware.test.Shapes/Unary" => {
                #[allow(non_camel_case_types)]
                struct UnarySvc<T: Shapes>(pub Arc<T>);
                impl<T: Shapes> tonic::server::UnaryService<super::Note> for UnarySvc<T> {
                    type Response = super::Note;
                    type Future = BoxFuture<tonic::Response<Self::Response>, tonic::Status>;
                    fn call(&mut self, request: tonic::Request<super::Note>) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let fut = async move { <T as Shapes>::unary(&inner, request).await };
                        Box::pin(fut)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let fut = async move {
                    let method = UnarySvc(inner);
                    let codec = tonic_prost::ProstCodec::default();
                    let mut grpc = tonic::server::Grpc::new(codec)
                        .apply_compression_config(
                            accept_compression_encodings,
                            send_compression_encodings,
                        )
                        .apply_max_message_size_config(
                            max_decoding_message_size,
                            max_encoding_message_size,
                        );
                    let res = grpc.unary(method, req).await;
                    Ok(res)
                };
                Box::pin(fut)
            }
            "/otelware.test.Shapes/ClientStream" => {
                #[allow(non_camel_case_types)]
                struct ClientStreamSvc<T: Shapes>(pub Arc<T>);
                impl<T: Shapes> tonic::server::ClientStreamingService<super::Note> for ClientStreamSvc<T> {
                    type Response = super::Note;
                    type Future = BoxFuture<tonic::Response<Self::Response>, tonic::Status>;
                    fn call(
                        &mut self,
                        request: tonic::Request<tonic::Streaming<super::Note>>,
                    ) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let fut =
                            async move { <T as Shapes>::client_stream(&inner, request).await };
                        Box::pin(fut)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let fut = async move {
                    let method = ClientStreamSvc(inner);
                    let codec = tonic_prost::ProstCodec::default();
                    let mut grpc = tonic::server::Grpc::new(codec)
                        .apply_compression_config(
                            accept_compression_encodings,
                            send_compression_encodings,
                        )
                        .apply_max_message_size_config(
                            max_decoding_message_size,
                            max_encoding_message_size,
                        );
                    let res = grpc.client_streaming(method, req).await;
                    Ok(res)
                };
                Box::pin(fut)
            }
            "/otelware.test.Shapes/ServerStream" => {
                #[allow(non_camel_case_types)]
                struct ServerStreamSvc<T: Shapes>(pub Arc<T>);
                impl<T: Shapes> tonic::server::ServerStreamingService<super::Note> for ServerStreamSvc<T> {
                    type Response = super::Note;
                    type ResponseStream = T::ServerStreamStream;
                    type Future = BoxFuture<tonic::Response<Self::ResponseStream>, tonic::Status>;
                    fn call(&mut self, request: tonic::Request<super::Note>) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let fut =
                            async move { <T as Shapes>::server_stream(&inner, request).await };
                        Box::pin(fut)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let fut = async move {
                    let method = ServerStreamSvc(inner);
                    let codec = tonic_prost::ProstCodec::default();
                    let mut grpc = tonic::server::Grpc::new(codec)
                        .apply_compression_config(
                            accept_compression_encodings,
                            send_compression_encodings,
                        )
                        .apply_max_message_size_config(
                            max_decoding_message_size,
                            max_encoding_message_size,
                        );
                    let res = grpc.server_streaming(method, req).await;
                    Ok(res)
                };
                Box::pin(fut)
            }
            "/otelware.test.Shapes/Bidi" => {
                #[allow(non_camel_case_types)]
                struct BidiSvc<T: Shapes>(pub Arc<T>);
                impl<T: Shapes> tonic::server::StreamingService<super::Note> for BidiSvc<T> {
                    type Response = super::Note;
                    type ResponseStream = T::BidiStream;
                    type Future = BoxFuture<tonic::Response<Self::ResponseStream>, tonic::Status>;
                    fn call(
                        &mut self,
                        request: tonic::Request<tonic::Streaming<super::Note>>,
                    ) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let fut = async move { <T as Shapes>::bidi(&inner, request).await };
                        Box::pin(fut)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let fut = async move {
                    let method = BidiSvc(inner);
                    let codec = tonic_prost::ProstCodec::default();
                    let mut grpc = tonic::server::Grpc::new(codec)
                        .apply_compression_config(
                            accept_compression_encodings,
                            send_compression_encodings,
                        )
                        .apply_max_message_size_config(
                            max_decoding_message_size,
                            max_encoding_message_size,
                        );
                    let res = grpc.streaming(method, req).await;
                    Ok(res)
                };
                Box::pin(fut)
            }
            _ => Box::pin(async move {
                let mut response = http::Response::new(tonic::body::Body::default());
                let headers = response.headers_mut();
                headers.insert(
                    tonic::Status::GRPC_STATUS,
                    (tonic::Code::Unimplemented as i32).into(),
                );
                headers.insert(
                    http::header::CONTENT_TYPE,
                    tonic::metadata::GRPC_CONTENT_TYPE,
                );
                Ok(response)
            }),
        }
    }
}
impl<T> Clone for ShapesServer<T> {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        Self {
            inner,
            accept_compression_encodings: self.accept_compression_encodings,
            send_compression_encodings: self.send_compression_encodings,
            max_decoding_message_size: self.max_decoding_message_size,
            max_encoding_message_size: self.max_encoding_message_size,
        }
    }
}
/// Generated gRPC service name
pub const SERVICE_NAME: &str = "otelware.test.Shapes";
impl<T> tonic::server::NamedService for ShapesServer<T> {
    const NAME: &'static str = SERVICE_NAME;
}
