//! What a request must leave behind.

use opentelemetry::trace::{SpanContext, SpanKind};

use crate::{Attributes, ExpectedSpan, Scope, Span, SpanIdentity, Value, expect_span};

/// Everything that one request must leave behind: its span, its duration and its count of
/// requests in flight. What is not said must be absent.
#[derive(Clone, Debug)]
#[must_use]
pub struct ExpectedRequest {
    path: String,
    pub(super) exported: bool,
    pub(super) measured: bool,
    name: Option<String>,
    method: String,
    scheme: String,
    version: String,
    query: Option<String>,
    route: Option<String>,
    host: Option<(String, Option<u16>)>,
    client: Option<String>,
    peer: bool,
    status: Option<u16>,
    error_type: Option<String>,
    failed: bool,
    parent: Option<SpanContext>,
    link: Option<SpanContext>,
    on_span: Vec<(String, Value)>,
    on_metrics: Vec<(String, Value)>,
}

impl ExpectedRequest {
    pub(super) fn new(method: &str, path: &str, host: &str, port: u16) -> Self {
        Self {
            path: path.to_owned(),
            exported: true,
            measured: true,
            name: None,
            method: method.to_owned(),
            scheme: "http".to_owned(),
            version: "1.1".to_owned(),
            query: None,
            route: None,
            host: Some((host.to_owned(), Some(port))),
            client: Some(host.to_owned()),
            peer: true,
            status: None,
            error_type: None,
            failed: false,
            parent: None,
            link: None,
            on_span: Vec::new(),
            on_metrics: Vec::new(),
        }
    }

    /// This span name instead of the one that method and route make.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// This scheme instead of `http`.
    pub fn scheme(mut self, scheme: &str) -> Self {
        scheme.clone_into(&mut self.scheme);
        self
    }

    /// This version of the protocol instead of `1.1`.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// This query.
    pub fn query(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }

    /// This route.
    pub fn route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    /// No route after all.
    pub fn no_route(mut self) -> Self {
        self.route = None;
        self
    }

    /// This `server.address` and port.
    pub fn host(mut self, host: &str, port: impl Into<Option<u16>>) -> Self {
        self.host = Some((host.to_owned(), port.into()));
        self
    }

    /// No `server.address`.
    pub fn no_host(mut self) -> Self {
        self.host = None;
        self
    }

    /// This `client.address`.
    pub fn client(mut self, client: &str) -> Self {
        self.client = Some(client.to_owned());
        self
    }

    /// Nothing known of the peer of the connection.
    pub fn no_peer(mut self) -> Self {
        self.client = None;
        self.peer = false;
        self
    }

    /// This status; those from 500 on are errors.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        if status >= 500 {
            return self.error(&status.to_string());
        }
        self
    }

    /// An error of this class, and the span's status.
    pub fn error(mut self, class: &str) -> Self {
        self.error_type = Some(class.to_owned());
        self.failed = true;
        self
    }

    /// The client went away: a class of error, without the span's status.
    pub fn cancelled(mut self) -> Self {
        self.error_type = Some("cancelled".to_owned());
        self
    }

    /// A parent in another process.
    pub fn child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Some(parent.span_context());
        self
    }

    /// A new trace with a link to this span.
    pub fn linked_to(mut self, span: &impl SpanIdentity) -> Self {
        self.link = Some(span.span_context());
        self
    }

    /// No span is exported, since it is not sampled or not wanted.
    pub fn without_span(mut self) -> Self {
        self.exported = false;
        self
    }

    /// Nothing is measured, since it is not wanted.
    pub fn without_metrics(mut self) -> Self {
        self.measured = false;
        self
    }

    /// One more attribute of the span.
    pub fn on_span(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_span.push((key.to_owned(), value.into()));
        self
    }

    /// One more attribute of all metrics.
    pub fn on_metrics(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_metrics.push((key.to_owned(), value.into()));
        self
    }

    pub(super) fn is_of(&self, span: &Span) -> bool {
        span.attribute("url.path").and_then(Value::as_str) == Some(&self.path)
    }

    pub(super) fn has_query_of(&self, span: &Span) -> bool {
        span.attribute("url.query").and_then(Value::as_str) == self.query.as_deref()
    }

    /// The whole span.
    pub fn span(&self, scope: &Scope) -> ExpectedSpan {
        let method = if self.method == "_OTHER" {
            "HTTP"
        } else {
            &self.method
        };
        let name = match (&self.name, &self.route) {
            (Some(name), _) => name.clone(),
            (None, Some(route)) => format!("{method} {route}"),
            (None, None) => method.to_owned(),
        };
        let mut span = expect_span(name)
            .kind(SpanKind::Server)
            .scope(
                &scope.name,
                scope.version.as_deref().unwrap_or_default(),
                scope.schema_url.as_deref().unwrap_or_default(),
            )
            .attributes(self.request_attributes())
            .attributes(self.end_attributes())
            .attribute("url.path", self.path.as_str())
            .attributes(self.on_span.clone());
        if let Some(query) = &self.query {
            span = span.attribute("url.query", query.as_str());
        }
        if let Some((host, port)) = &self.host {
            span = span.attribute("server.address", host.as_str());
            if let Some(port) = port {
                span = span.attribute("server.port", *port);
            }
        }
        if let Some(client) = &self.client {
            span = span.attribute("client.address", client.as_str());
        }
        if self.peer {
            span = span
                .attribute("network.peer.address", "127.0.0.1")
                .any_value("network.peer.port");
        }
        if self.failed {
            span = span.error();
        }
        if let Some(parent) = &self.parent {
            span = span.child_of(parent);
        }
        if let Some(link) = &self.link {
            span = span.link_to(link);
        }
        span
    }

    /// The attributes of the duration and of the bodies' sizes.
    pub fn metric_attributes(&self) -> Attributes {
        let mut attributes = self.request_attributes();
        attributes.extend(self.end_attributes());
        attributes.extend(self.on_metrics.iter().cloned());
        attributes
    }

    /// The attributes of the count of requests in flight.
    pub fn active_attributes(&self) -> Attributes {
        let mut attributes = self.request_attributes();
        attributes.extend(self.on_metrics.iter().cloned());
        attributes
    }

    fn request_attributes(&self) -> Attributes {
        crate::attributes! {
            "http.request.method" => self.method.as_str(),
            "url.scheme" => self.scheme.as_str(),
        }
    }

    fn end_attributes(&self) -> Attributes {
        let mut attributes = crate::attributes! {
            "network.protocol.version" => self.version.as_str(),
        };
        if let Some(route) = &self.route {
            attributes.insert("http.route".to_owned(), route.as_str().into());
        }
        if let Some(status) = self.status {
            attributes.insert("http.response.status_code".to_owned(), status.into());
        }
        if let Some(class) = &self.error_type {
            attributes.insert("error.type".to_owned(), class.as_str().into());
        }
        attributes
    }
}
