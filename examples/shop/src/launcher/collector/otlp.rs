//! The three services of OTLP over gRPC.

use super::{ServiceSpan, Shared, service};
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
use std::sync::Arc;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

pub(super) async fn serve(listener: TcpListener, state: Shared) {
    let gzip = CompressionEncoding::Gzip;
    let served = Server::builder()
        .add_service(TraceServiceServer::new(state.clone()).accept_compressed(gzip))
        .add_service(LogsServiceServer::new(state.clone()).accept_compressed(gzip))
        .add_service(MetricsServiceServer::new(state).accept_compressed(gzip))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
    // It ends only with the listener, and then there is nobody to tell.
    drop(served.await);
}

#[tonic::async_trait]
impl TraceService for Shared {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut state = self.lock();
        for resource in request.into_inner().resource_spans {
            let service: Arc<str> = service(resource.resource.as_ref()).into();
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            let mut count = 0;
            for span in spans {
                count += 1;
                let service = Arc::clone(&service);
                state.traces.accept(ServiceSpan { service, span });
            }
            if let Some(account) = state.account(&service) {
                account.spans += count;
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Shared {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut state = self.lock();
        for resource in request.into_inner().resource_logs {
            let records = resource
                .scope_logs
                .iter()
                .map(|scope| scope.log_records.len());
            let count = records.sum::<usize>() as u64;
            if let Some(account) = state.account(service(resource.resource.as_ref())) {
                account.logs += count;
            }
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Shared {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut state = self.lock();
        for resource in request.into_inner().resource_metrics {
            let service = service(resource.resource.as_ref()).to_owned();
            if let Some(account) = state.account(&service) {
                account.metrics += 1;
                state.metrics.accept(service, resource);
            }
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
