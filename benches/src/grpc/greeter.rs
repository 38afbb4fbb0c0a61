//! What `tonic-prost-build` generates for the service below, by hand, so that no build script is needed.
//!
//! ```proto
//! package shop;
//! service Greeter {
//!   rpc SayHello (Hello) returns (Greeting);
//!   rpc Watch (Hello) returns (stream Greeting);
//! }
//! message Hello { string name = 1; }
//! message Greeting { string text = 1; }
//! ```

use tonic::client::GrpcService;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::*;

#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Hello {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Greeting {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(crate) struct GreeterClient<T> {
    inner: tonic::client::Grpc<T>,
}

impl<T> GreeterClient<T>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    pub(crate) fn with_origin(inner: T, origin: http::Uri) -> Self {
        let inner = tonic::client::Grpc::with_origin(inner, origin);
        Self { inner }
    }

    pub(crate) async fn say_hello(
        &mut self,
        request: impl tonic::IntoRequest<Hello>,
    ) -> Result<tonic::Response<Greeting>, tonic::Status> {
        self.inner.ready().await.map_err(|error| {
            tonic::Status::unknown(format!("Service was not ready: {}", error.into()))
        })?;
        let codec = tonic_prost::ProstCodec::default();
        let path = PathAndQuery::from_static("/shop.Greeter/SayHello");
        let mut request = request.into_request();
        request
            .extensions_mut()
            .insert(GrpcMethod::new("shop.Greeter", "SayHello"));
        self.inner.unary(request, path, codec).await
    }

    pub(crate) async fn watch(
        &mut self,
        request: impl tonic::IntoRequest<Hello>,
    ) -> Result<tonic::Response<tonic::codec::Streaming<Greeting>>, tonic::Status> {
        self.inner.ready().await.map_err(|error| {
            tonic::Status::unknown(format!("Service was not ready: {}", error.into()))
        })?;
        let codec = tonic_prost::ProstCodec::default();
        let path = PathAndQuery::from_static("/shop.Greeter/Watch");
        let mut request = request.into_request();
        request
            .extensions_mut()
            .insert(GrpcMethod::new("shop.Greeter", "Watch"));
        self.inner.server_streaming(request, path, codec).await
    }
}

#[async_trait]
pub(crate) trait Greeter: Send + Sync + 'static {
    async fn say_hello(
        &self,
        request: tonic::Request<Hello>,
    ) -> Result<tonic::Response<Greeting>, tonic::Status>;

    type WatchStream: tokio_stream::Stream<Item = Result<Greeting, tonic::Status>> + Send + 'static;

    async fn watch(
        &self,
        request: tonic::Request<Hello>,
    ) -> Result<tonic::Response<Self::WatchStream>, tonic::Status>;
}

#[derive(Debug)]
pub(crate) struct GreeterServer<T> {
    inner: Arc<T>,
    accept_compression_encodings: EnabledCompressionEncodings,
    send_compression_encodings: EnabledCompressionEncodings,
    max_decoding_message_size: Option<usize>,
    max_encoding_message_size: Option<usize>,
}

impl<T> GreeterServer<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner: Arc::new(inner),
            accept_compression_encodings: EnabledCompressionEncodings::default(),
            send_compression_encodings: EnabledCompressionEncodings::default(),
            max_decoding_message_size: None,
            max_encoding_message_size: None,
        }
    }
}

impl<T, B> Service<http::Request<B>> for GreeterServer<T>
where
    T: Greeter,
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        match request.uri().path() {
            "/shop.Greeter/SayHello" => {
                struct SayHello<T>(Arc<T>);
                impl<T: Greeter> tonic::server::UnaryService<Hello> for SayHello<T> {
                    type Response = Greeting;
                    type Future = BoxFuture<tonic::Response<Self::Response>, tonic::Status>;
                    fn call(&mut self, request: tonic::Request<Hello>) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let future =
                            async move { <T as Greeter>::say_hello(&inner, request).await };
                        Box::pin(future)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let future = async move {
                    let method = SayHello(inner);
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
                    Ok(grpc.unary(method, request).await)
                };
                Box::pin(future)
            }
            "/shop.Greeter/Watch" => {
                struct Watch<T>(Arc<T>);
                impl<T: Greeter> tonic::server::ServerStreamingService<Hello> for Watch<T> {
                    type Response = Greeting;
                    type ResponseStream = T::WatchStream;
                    type Future = BoxFuture<tonic::Response<Self::ResponseStream>, tonic::Status>;
                    fn call(&mut self, request: tonic::Request<Hello>) -> Self::Future {
                        let inner = Arc::clone(&self.0);
                        let future = async move { <T as Greeter>::watch(&inner, request).await };
                        Box::pin(future)
                    }
                }
                let accept_compression_encodings = self.accept_compression_encodings;
                let send_compression_encodings = self.send_compression_encodings;
                let max_decoding_message_size = self.max_decoding_message_size;
                let max_encoding_message_size = self.max_encoding_message_size;
                let inner = self.inner.clone();
                let future = async move {
                    let method = Watch(inner);
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
                    Ok(grpc.server_streaming(method, request).await)
                };
                Box::pin(future)
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

impl<T> Clone for GreeterServer<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            accept_compression_encodings: self.accept_compression_encodings,
            send_compression_encodings: self.send_compression_encodings,
            max_decoding_message_size: self.max_decoding_message_size,
            max_encoding_message_size: self.max_encoding_message_size,
        }
    }
}

impl<T> tonic::server::NamedService for GreeterServer<T> {
    const NAME: &'static str = "shop.Greeter";
}
