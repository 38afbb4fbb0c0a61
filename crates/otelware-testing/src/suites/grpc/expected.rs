//! What a call must leave behind.

use opentelemetry::trace::{SpanContext, SpanKind};
use tonic::Code;

use super::shapes::Shape;
use crate::{Attributes, ExpectedSpan, Scope, Span, SpanIdentity, Value, attributes, expect_span};

/// Where a call went, as both sides know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    /// Where the client connects to, on 127.0.0.1.
    pub(super) server: u16,
    /// Where the server sees the connection come from, on 127.0.0.1.
    pub(super) peer: Option<u16>,
}

/// The end of a call, as one side knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A code that was sent, or made of an error of the transport.
    Code(Code),
    /// The call was dropped.
    Dropped,
    /// The handler panicked.
    Panicked,
}

#[derive(Clone, Debug)]
enum Parent {
    /// A span of this process.
    Local(SpanContext),
    /// A span of another process.
    Remote(SpanContext),
    /// There is none.
    None,
}

/// Everything that one call must leave behind: a span and a duration on each side.
#[derive(Clone, Debug)]
#[must_use]
pub(super) struct ExpectedCall {
    method: String,
    known: bool,
    parent: Parent,
    pub(super) exported: bool,
    pub(super) client: Option<End>,
    pub(super) server: Option<End>,
}

impl ExpectedCall {
    /// A call of the method of this shape, made in this span of the test, that succeeds.
    pub(super) fn new(shape: Shape, parent: &impl SpanIdentity) -> Self {
        Self {
            method: shape.method().to_owned(),
            known: true,
            parent: Parent::Local(parent.span_context()),
            exported: true,
            client: Some(End::Code(Code::Ok)),
            server: Some(End::Code(Code::Ok)),
        }
    }

    /// A call that a client makes which is not under test, in no span.
    pub(super) fn of_others(shape: Shape) -> Self {
        Self {
            method: shape.method().to_owned(),
            known: true,
            parent: Parent::None,
            exported: true,
            client: None,
            server: Some(End::Code(Code::Ok)),
        }
    }

    /// A parent in another process.
    pub(super) fn child_of_remote(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Parent::Remote(parent.span_context());
        self
    }

    /// No parent after all.
    pub(super) fn root(mut self) -> Self {
        self.parent = Parent::None;
        self
    }

    /// No span is exported, since it is not sampled.
    pub(super) fn without_spans(mut self) -> Self {
        self.exported = false;
        self
    }

    /// This path, which the server has no method for.
    pub(super) fn unimplemented(mut self, path: &str) -> Self {
        path.trim_start_matches('/').clone_into(&mut self.method);
        self.known = false;
        self.both(End::Code(Code::Unimplemented))
    }

    /// How both sides see the end.
    pub(super) fn both(self, end: End) -> Self {
        self.client(end).server(end)
    }

    /// How the client sees the end.
    pub(super) fn client(mut self, end: End) -> Self {
        self.client = Some(end);
        self
    }

    /// How the server sees the end.
    pub(super) fn server(mut self, end: End) -> Self {
        self.server = Some(end);
        self
    }

    /// The call never reaches the server.
    pub(super) fn no_server(mut self) -> Self {
        self.server = None;
        self
    }

    /// Whether this span is part of the call.
    pub(super) fn is_of(&self, span: &Span) -> bool {
        match &self.parent {
            Parent::Local(parent) | Parent::Remote(parent) => span.trace_id == parent.trace_id(),
            Parent::None => span.parent_span_id.is_none(),
        }
    }

    /// The whole span of the client.
    pub(super) fn client_span(&self, end: End, scope: &Scope, address: Address) -> ExpectedSpan {
        let span = with_scope(expect_span(&self.method), scope)
            .kind(SpanKind::Client)
            .attributes(self.client_attributes(address))
            .attributes(client_end(end));
        let span = if client_end(end).contains_key("error.type") {
            span.error()
        } else {
            span
        };
        match &self.parent {
            Parent::Local(parent) | Parent::Remote(parent) => span.child_of(parent),
            Parent::None => span,
        }
    }

    /// The whole span of the server, whose client's span is known if that was under test.
    pub(super) fn server_span(
        &self,
        end: End,
        scope: &Scope,
        address: Address,
        client: Option<&Span>,
    ) -> ExpectedSpan {
        let name = if self.known { &self.method } else { "grpc" };
        let mut span = with_scope(expect_span(name), scope)
            .kind(SpanKind::Server)
            .attributes(self.server_attributes())
            .attributes(server_end(end))
            .attribute("server.address", "127.0.0.1")
            .attribute("server.port", address.server)
            .attribute("network.peer.address", "127.0.0.1");
        if let Some(port) = address.peer {
            span = span.attribute("network.peer.port", port);
        }
        if !self.known {
            span = span.attribute("rpc.method_original", self.method.as_str());
        }
        if server_end(end).contains_key("error.type") {
            span = span.error();
        }
        match (client, &self.parent) {
            (Some(client), _) => span.remote_child_of(client),
            (None, Parent::Remote(parent)) => span.child_of(parent),
            (None, _) => span,
        }
    }

    /// The attributes of the client's calls in flight.
    pub(super) fn client_attributes(&self, address: Address) -> Attributes {
        attributes! {
            "rpc.system.name" => "grpc",
            "rpc.method" => self.method.as_str(),
            "server.address" => "127.0.0.1",
            "server.port" => address.server,
        }
    }

    /// The attributes of the server's calls in flight.
    pub(super) fn server_attributes(&self) -> Attributes {
        let method = if self.known { &self.method } else { "_OTHER" };
        attributes! {
            "rpc.system.name" => "grpc",
            "rpc.method" => method,
        }
    }

    /// The attributes of the client's duration.
    pub(super) fn client_duration(&self, end: End, address: Address) -> Attributes {
        let mut attributes = self.client_attributes(address);
        attributes.extend(client_end(end));
        attributes
    }

    /// The attributes of the server's duration.
    pub(super) fn server_duration(&self, end: End) -> Attributes {
        let mut attributes = self.server_attributes();
        attributes.extend(server_end(end));
        attributes
    }
}

fn with_scope(span: ExpectedSpan, scope: &Scope) -> ExpectedSpan {
    let version = scope.version.as_deref().unwrap_or_default();
    let schema_url = scope.schema_url.as_deref().unwrap_or_default();
    span.scope(&scope.name, version, schema_url)
}

/// What the end of a call says at a client: every code but `OK` is an error.
fn client_end(end: End) -> Attributes {
    match end {
        End::Code(code) => coded(code, code != Code::Ok),
        End::Dropped => coded(Code::Cancelled, false),
        End::Panicked => attributes! { "error.type" => "panic" },
    }
}

/// What the end of a call says at a server: errors are the codes that are its own fault.
fn server_end(end: End) -> Attributes {
    match end {
        End::Code(code) => {
            let error = matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            );
            coded(code, error)
        }
        End::Dropped => coded(Code::Cancelled, false),
        End::Panicked => attributes! { "error.type" => "panic" },
    }
}

fn coded(code: Code, error: bool) -> Attributes {
    let mut attributes = attributes! { "rpc.status_code" => canonical(code) };
    if error {
        attributes.insert("error.type".to_owned(), Value::from(canonical(code)));
    }
    attributes
}

/// The name that the gRPC specification has for a code.
fn canonical(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
