//! The client that tonic-prost-build generates.

#![allow(
    unused_variables,
    dead_code,
    missing_docs,
    clippy::wildcard_imports,
    clippy::let_unit_value
)]
use tonic::codegen::http::Uri;
use tonic::codegen::*;
/// A method of each shape.
#[derive(Debug, Clone)]
pub struct ShapesClient<T> {
    inner: tonic::client::Grpc<T>,
}
impl<T> ShapesClient<T>
where
    T: tonic::client::GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + std::marker::Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + std::marker::Send,
{
    pub fn new(inner: T) -> Self {
        let inner = tonic::client::Grpc::new(inner);
        Self { inner }
    }
    pub fn with_origin(inner: T, origin: Uri) -> Self {
        let inner = tonic::client::Grpc::with_origin(inner, origin);
        Self { inner }
    }
    pub fn with_interceptor<F>(inner: T, interceptor: F) -> ShapesClient<InterceptedService<T, F>>
    where
        F: tonic::service::Interceptor,
        T::ResponseBody: Default,
        T: tonic::codegen::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<
                    <T as tonic::client::GrpcService<tonic::body::Body>>::ResponseBody,
                >,
            >,
        <T as tonic::codegen::Service<http::Request<tonic::body::Body>>>::Error:
            Into<StdError> + std::marker::Send + std::marker::Sync,
    {
        ShapesClient::new(InterceptedService::new(inner, interceptor))
    }
    /// Compress requests with the given encoding.
    ///
    /// This requires the server to support it otherwise it might respond with an
    /// error.
    #[must_use]
    pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.inner = self.inner.send_compressed(encoding);
        self
    }
    /// Enable decompressing responses.
    #[must_use]
    pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.inner = self.inner.accept_compressed(encoding);
        self
    }
    /// Limits the maximum size of a decoded message.
    ///
    /// Default: `4MB`
    #[must_use]
    pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
        self.inner = self.inner.max_decoding_message_size(limit);
        self
    }
    /// Limits the maximum size of an encoded message.
    ///
    /// Default: `usize::MAX`
    #[must_use]
    pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
        self.inner = self.inner.max_encoding_message_size(limit);
        self
    }
    /// One request, one response.
    pub async fn unary(
        &mut self,
        request: impl tonic::IntoRequest<super::Note>,
    ) -> std::result::Result<tonic::Response<super::Note>, tonic::Status> {
        self.inner
            .ready()
            .await
            .map_err(|e| tonic::Status::unknown(format!("Service was not ready: {}", e.into())))?;
        let codec = tonic_prost::ProstCodec::default();
        let path = http::uri::PathAndQuery::from_static("/otelware.test.Shapes/Unary");
        let mut req = request.into_request();
        req.extensions_mut()
            .insert(GrpcMethod::new("otelware.test.Shapes", "Unary"));
        self.inner.unary(req, path, codec).await
    }
    /// Many requests, one response.
    pub async fn client_stream(
        &mut self,
        request: impl tonic::IntoStreamingRequest<Message = super::Note>,
    ) -> std::result::Result<tonic::Response<super::Note>, tonic::Status> {
        self.inner
            .ready()
            .await
            .map_err(|e| tonic::Status::unknown(format!("Service was not ready: {}", e.into())))?;
        let codec = tonic_prost::ProstCodec::default();
        let path = http::uri::PathAndQuery::from_static("/otelware.test.Shapes/ClientStream");
        let mut req = request.into_streaming_request();
        req.extensions_mut()
            .insert(GrpcMethod::new("otelware.test.Shapes", "ClientStream"));
        self.inner.client_streaming(req, path, codec).await
    }
    /// One request, many responses.
    pub async fn server_stream(
        &mut self,
        request: impl tonic::IntoRequest<super::Note>,
    ) -> std::result::Result<tonic::Response<tonic::codec::Streaming<super::Note>>, tonic::Status>
    {
        self.inner
            .ready()
            .await
            .map_err(|e| tonic::Status::unknown(format!("Service was not ready: {}", e.into())))?;
        let codec = tonic_prost::ProstCodec::default();
        let path = http::uri::PathAndQuery::from_static("/otelware.test.Shapes/ServerStream");
        let mut req = request.into_request();
        req.extensions_mut()
            .insert(GrpcMethod::new("otelware.test.Shapes", "ServerStream"));
        self.inner.server_streaming(req, path, codec).await
    }
    /// Many requests, many responses.
    pub async fn bidi(
        &mut self,
        request: impl tonic::IntoStreamingRequest<Message = super::Note>,
    ) -> std::result::Result<tonic::Response<tonic::codec::Streaming<super::Note>>, tonic::Status>
    {
        self.inner
            .ready()
            .await
            .map_err(|e| tonic::Status::unknown(format!("Service was not ready: {}", e.into())))?;
        let codec = tonic_prost::ProstCodec::default();
        let path = http::uri::PathAndQuery::from_static("/otelware.test.Shapes/Bidi");
        let mut req = request.into_streaming_request();
        req.extensions_mut()
            .insert(GrpcMethod::new("otelware.test.Shapes", "Bidi"));
        self.inner.streaming(req, path, codec).await
    }
}
