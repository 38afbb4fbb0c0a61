//! OTLP over HTTP.

use std::error::Error;
use std::sync::Arc;

use ::http::{HeaderMap, Request, Response, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use reqwest::redirect::Policy;

use super::headers::Headers;
use super::{OtlpSettings, Protocol, exporters};
use crate::telemetry::account::Account;
use crate::telemetry::error::SetupError;

/// Far more than any OTLP response; an endpoint that sends more is not one.
const MAXIMUM_RESPONSE: usize = 4 * 1024 * 1024;

/// Applies `settings` to the builder of an exporter.
pub(super) fn configure<B: WithExportConfig + WithHttpConfig>(
    builder: B,
    settings: &OtlpSettings,
    account: &Arc<Account>,
) -> Result<B, SetupError> {
    let builder = builder
        .with_endpoint(settings.endpoint.url())
        .with_timeout(settings.timeout)
        .with_protocol(match settings.protocol {
            Protocol::HttpJson => opentelemetry_otlp::Protocol::HttpJson,
            _ => opentelemetry_otlp::Protocol::HttpBinary,
        })
        .with_retry_policy(exporters::retry_policy())
        .with_http_client(ExportClient::new(settings, account)?);
    Ok(match settings.compression {
        Some(compression) => builder.with_compression(compression.into()),
        None => builder,
    })
}

/// Sends over connections that live on the exporters' runtime, which has to be the current one.
#[derive(Debug)]
struct ExportClient {
    client: reqwest::Client,
    headers: Headers,
    account: Arc<Account>,
}

impl ExportClient {
    fn new(settings: &OtlpSettings, account: &Arc<Account>) -> Result<Self, SetupError> {
        let builder = reqwest::Client::builder()
            .timeout(settings.timeout)
            .redirect(Policy::none());
        #[cfg(feature = "tls")]
        let builder = {
            let material = super::tls::TlsMaterial::load(&settings.tls)?;
            builder.tls_backend_preconfigured(material.for_http(&settings.endpoint)?)
        };
        let client = builder.build().map_err(|error| {
            SetupError::Exporter(format!(
                "the HTTP client cannot be built: {}",
                chain(&error)
            ))
        })?;
        Ok(Self {
            client,
            headers: settings.headers.clone(),
            account: Arc::clone(account),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let mut response = self
            .client
            .post(parts.uri.to_string())
            .headers(self.headers(&parts.headers))
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        let mut received = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if received.len() + chunk.len() > MAXIMUM_RESPONSE {
                return Err("the response is too large for an OTLP endpoint".into());
            }
            received.extend_from_slice(&chunk);
        }
        let mut answer = Response::new(Bytes::from(received));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// The exporter's headers about the body, and ours. It adds what the process environment says, which is not
    /// necessarily what this set-up was given.
    fn headers(&self, exporter: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::USER_AGENT,
        ] {
            if let Some(value) = exporter.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in &self.headers.0 {
            headers.insert(name, value.clone());
        }
        headers
    }
}

#[async_trait]
impl HttpClient for ExportClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if !self.account.attempts().may_try() {
            // A status that nobody retries ends the attempts; the account keeps the reason.
            let mut refusal = Response::new(Bytes::new());
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Ok(refusal);
        }
        let result = self.send(request).await;
        let error = result.as_ref().err().map(|error| chain(error.as_ref()));
        self.account.attempts().reached(error);
        result
    }
}

/// An error and its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
