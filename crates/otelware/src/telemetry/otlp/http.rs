//! OTLP over HTTP.

mod connector;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ::http::uri::InvalidUri;
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};

use self::connector::Connector;
use super::endpoint::Endpoint;
use super::headers::Headers;
use super::{OtlpSettings, Protocol, exporters};
use crate::telemetry::account::Account;
use crate::telemetry::error::SetupError;

/// Far more than any OTLP response; an endpoint that sends more is not one.
const MAXIMUM_RESPONSE: usize = 1024 * 1024;

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
        .with_http_client(ExportClient::new(settings, &Matcher::from_env(), account)?);
    Ok(match settings.compression {
        Some(compression) => builder.with_compression(compression.into()),
        None => builder,
    })
}

/// Sends over connections that live on the exporters' runtime, which has to be the current one.
///
/// This is hyper and not reqwest: features of an application's reqwest are for the application to choose.
#[derive(Debug)]
struct ExportClient {
    client: Client<HttpsConnector, Full<Bytes>>,
    endpoint: Uri,
    headers: Headers,
    timeout: Duration,
    account: Arc<Account>,
}

impl ExportClient {
    fn new(
        settings: &OtlpSettings,
        proxies: &Matcher,
        account: &Arc<Account>,
    ) -> Result<Self, SetupError> {
        let (endpoint, authorization) = without_credentials(&settings.endpoint)?;
        let connector = Connector::new(&endpoint, proxies);
        let proxy_authorization = connector.proxy_authorization(&endpoint).cloned();
        let mut headers = settings.headers.clone();
        for (name, value) in [
            (header::AUTHORIZATION, authorization),
            (header::PROXY_AUTHORIZATION, proxy_authorization),
        ] {
            if let Some(value) = value {
                headers.0.entry(name).or_insert(value);
            }
        }
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .build(secured(connector, settings)?),
            endpoint,
            headers,
            timeout: settings.timeout,
            account: Arc::clone(account),
        })
    }

    /// Redirects are not followed: what is sent is for the endpoint alone.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers(&parts.headers);
        let (parts, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, MAXIMUM_RESPONSE).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => "the response is too large for an OTLP endpoint".into(),
            false => error,
        })?;
        Ok(Response::from_parts(parts, body.to_bytes()))
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
        let sent = tokio::time::timeout(self.timeout, self.send(request)).await;
        let result = sent
            .unwrap_or_else(|_elapsed| Err(format!("no answer within {:?}", self.timeout).into()));
        let error = result.as_ref().err().map(|error| chain(error.as_ref()));
        self.account.attempts().reached(error);
        result
    }
}

#[cfg(feature = "tls")]
type HttpsConnector = hyper_rustls::HttpsConnector<Connector>;
#[cfg(not(feature = "tls"))]
type HttpsConnector = Connector;

#[cfg(feature = "tls")]
fn secured(connector: Connector, settings: &OtlpSettings) -> Result<HttpsConnector, SetupError> {
    let material = super::tls::TlsMaterial::load(&settings.tls)?;
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(material.for_http(&settings.endpoint)?)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(connector))
}

#[cfg(not(feature = "tls"))]
fn secured(connector: Connector, _settings: &OtlpSettings) -> Result<HttpsConnector, SetupError> {
    Ok(connector)
}

/// The URL without user name and password, and these as a header.
fn without_credentials(endpoint: &Endpoint) -> Result<(Uri, Option<HeaderValue>), SetupError> {
    let invalid = |error: &dyn Error| endpoint.error(&format!("cannot be used: {error}"));
    let uri: Uri = endpoint
        .url()
        .parse()
        .map_err(|error: InvalidUri| invalid(&error))?;
    // A proxy's URL has the same form.
    let read = Matcher::builder().all(endpoint.url()).build();
    let Some(read) = read.intercept(&uri) else {
        return Ok((uri, None));
    };
    let mut parts = uri.into_parts();
    parts.authority = read.uri().authority().cloned();
    let uri = Uri::from_parts(parts).map_err(|error| invalid(&error))?;
    Ok((uri, read.basic_auth().cloned()))
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
