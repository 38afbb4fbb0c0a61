//! OTLP over gRPC.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::{OtlpSettings, exporters};
use crate::telemetry::account::Account;
use crate::telemetry::error::SetupError;

/// Applies `settings` to the builder of an exporter.
pub(super) fn configure<B: WithExportConfig + WithTonicConfig>(
    builder: B,
    settings: &OtlpSettings,
    account: &Arc<Account>,
) -> Result<B, SetupError> {
    let builder = builder
        .with_endpoint(settings.endpoint.url())
        .with_timeout(settings.timeout)
        .with_retry_policy(exporters::retry_policy())
        .with_interceptor(Attempt {
            metadata: MetadataMap::from_headers(settings.headers.0.clone()),
            timeout: settings.timeout,
            account: Arc::clone(account),
        });
    #[cfg(feature = "tls")]
    let builder = {
        let material = super::tls::TlsMaterial::load(&settings.tls)?;
        let config = material.for_grpc(&settings.endpoint)?;
        if settings.endpoint.is_https() {
            builder.with_tls_config(config)
        } else {
            builder
        }
    };
    Ok(match settings.compression {
        Some(compression) => builder.with_compression(compression.into()),
        None => builder,
    })
}

/// Sees every attempt: decides whether it is made and sets its metadata.
#[derive(Clone)]
struct Attempt {
    metadata: MetadataMap,
    timeout: Duration,
    account: Arc<Account>,
}

impl Interceptor for Attempt {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.account.attempts().may_try() {
            return Err(Status::cancelled("shutting down"));
        }
        // The exporter adds what the process environment says, which is not necessarily what this set-up was given.
        let metadata = request.metadata_mut();
        let user_agent = metadata.remove("user-agent");
        *metadata = self.metadata.clone();
        if let Some(user_agent) = user_agent
            && !metadata.contains_key("user-agent")
        {
            metadata.insert("user-agent", user_agent);
        }
        request.set_timeout(self.timeout);
        Ok(request)
    }
}
