//! What telemetry of one request is expected.

use std::net::SocketAddr;

use opentelemetry::trace::SpanKind;

use super::subject::HttpClientUnderTest;
use crate::{
    Attributes, ExpectedMetric, ExpectedSpan, HTTP_SECONDS, Value, attributes, expect_histogram,
    expect_span, expect_up_down_counter,
};

/// The telemetry of a request that a [`Peer`](crate::suites::Peer) answered, unless told otherwise.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    name: String,
    method: String,
    url: String,
    peer: SocketAddr,
    status: Option<u16>,
    error_type: Option<String>,
    template: Option<&'static str>,
    more: Attributes,
}

impl Expected {
    pub(super) fn new(method: &str, peer: SocketAddr, path: &str) -> Self {
        Self {
            name: method.to_owned(),
            method: method.to_owned(),
            url: format!("http://{peer}{path}"),
            peer,
            status: Some(200),
            error_type: None,
            template: None,
            more: Attributes::new(),
        }
    }

    pub(super) fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(super) fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(super) fn no_response(mut self) -> Self {
        self.status = None;
        self
    }

    pub(super) fn error(mut self, error_type: impl Into<String>) -> Self {
        self.error_type = Some(error_type.into());
        self
    }

    pub(super) fn template(mut self, template: &'static str) -> Self {
        self.template = Some(template);
        self
    }

    /// One more attribute of the span.
    pub(super) fn attribute(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn span<C: HttpClientUnderTest>(&self) -> ExpectedSpan {
        let mut span = expect_span(&self.name)
            .kind(SpanKind::Client)
            .scope(C::SCOPE_NAME, C::SCOPE_VERSION, C::SCHEMA_URL)
            .attributes(self.duration_attributes())
            .attributes(self.more.clone())
            .attribute("url.full", self.url.as_str());
        if self.status.is_some() && C::CAPABILITIES.knows_peer {
            span = span
                .attribute("network.peer.address", self.peer.ip().to_string())
                .attribute("network.peer.port", self.peer.port());
        }
        if self.error_type.is_some() {
            span = span.error();
        }
        span
    }

    /// The attributes of `http.client.active_requests`, which are those known at the start.
    pub(super) fn active_attributes(&self) -> Attributes {
        let mut attributes = attributes! {
            "http.request.method" => self.method.as_str(),
            "server.address" => self.peer.ip().to_string(),
            "server.port" => self.peer.port(),
        };
        if let Some(template) = self.template {
            attributes.insert("url.template".to_owned(), template.into());
        }
        attributes
    }

    /// The attributes of all other metrics.
    pub(super) fn duration_attributes(&self) -> Attributes {
        let mut attributes = self.active_attributes();
        if let Some(status) = self.status {
            attributes.extend(attributes! {
                "http.response.status_code" => status,
                "network.protocol.version" => "1.1",
            });
        }
        if let Some(error_type) = &self.error_type {
            attributes.extend(attributes! { "error.type" => error_type.as_str() });
        }
        attributes
    }
}

/// `http.client.request.duration` without points.
pub(super) fn expect_duration<C: HttpClientUnderTest>() -> ExpectedMetric {
    expect_histogram("http.client.request.duration")
        .unit("s")
        .description("Duration of HTTP client requests.")
        .boundaries(&HTTP_SECONDS)
        .scope(C::SCOPE_NAME, C::SCOPE_VERSION, C::SCHEMA_URL)
}

/// `http.client.active_requests` without points.
pub(super) fn expect_active<C: HttpClientUnderTest>() -> ExpectedMetric {
    expect_up_down_counter("http.client.active_requests")
        .unit("{request}")
        .description("Number of active HTTP requests.")
        .scope(C::SCOPE_NAME, C::SCOPE_VERSION, C::SCHEMA_URL)
}

/// `http.client.request.body.size` or `http.client.response.body.size` without points.
pub(super) fn expect_size<C: HttpClientUnderTest>(direction: &str) -> ExpectedMetric {
    expect_histogram(format!("http.client.{direction}.body.size"))
        .unit("By")
        .description(format!("Size of HTTP client {direction} bodies."))
        .scope(C::SCOPE_NAME, C::SCOPE_VERSION, C::SCHEMA_URL)
}
