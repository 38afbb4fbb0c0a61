//! OTLP over gRPC.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::codec::CompressionEncoding;
use tonic::metadata::KeyAndValueRef;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use super::received::ReceivedRequest;
use super::receiver::{Shared, lock};

pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, received: Shared) {
    let router = router(&received);
    let served = match tls {
        Some(tls) => router.serve_with_incoming(accept(listener, tls)).await,
        None => {
            router
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
        }
    };
    // It ends only with the listener, and then there is nobody to tell.
    drop(served);
}

fn router(received: &Shared) -> Router {
    let collector = Collector(Arc::clone(received));
    let gzip = CompressionEncoding::Gzip;
    Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()).accept_compressed(gzip))
        .add_service(LogsServiceServer::new(collector.clone()).accept_compressed(gzip))
        .add_service(MetricsServiceServer::new(collector).accept_compressed(gzip))
}

/// The connections whose handshake succeeds; a client that is refused sees why.
fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
) -> ReceiverStream<std::io::Result<TlsStream<TcpStream>>> {
    let (connections, accepted) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = tls.accept(stream).await
                && connections.send(Ok(stream)).await.is_err()
            {
                return;
            }
        }
    });
    ReceiverStream::new(accepted)
}

#[derive(Clone)]
struct Collector(Shared);

impl Collector {
    fn note<T>(&self, path: &str, request: &Request<T>) {
        let headers = request.metadata().iter().filter_map(|entry| match entry {
            KeyAndValueRef::Ascii(name, value) => {
                Some((name.to_string(), value.to_str().ok()?.to_owned()))
            }
            KeyAndValueRef::Binary(..) => None,
        });
        lock(&self.0).requests.push(ReceivedRequest {
            path: path.to_owned(),
            headers: headers.collect(),
        });
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note("traces", &request);
        lock(&self.0).traces.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.note("logs", &request);
        lock(&self.0).logs.push(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.note("metrics", &request);
        lock(&self.0).metrics.push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
