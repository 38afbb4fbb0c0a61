//! The beginning of a call at its server: what its head says.

use crate::attempts;
use crate::call::{Call, RESERVED};
use crate::deadline::Deadline;
use crate::method::Method;
use crate::options::Options;
use crate::running::{Running, Shared};
use crate::view::CallView;
use http::{Method as HttpMethod, Request, Version, header};
use otelware::http::{address_value, has_grpc_content_type, not_reserved, push_server_host};
use otelware::opentelemetry::trace::{Link, SpanKind};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{
    Family, Operation, Signals, Start, extend_replacing, innermost, is_doubled,
};
use otelware::propagation::{self, HeaderExtractor, Inbound, Trust};
use otelware::semconv::attribute;
use std::net::SocketAddr;
use std::sync::Arc;

/// Begins a call. `None` where the request is none of gRPC, or another layer observes it already.
pub(super) fn begin<B>(shared: &Arc<Shared>, request: &Request<B>) -> Option<Operation<Call>> {
    if is_doubled(Family::RpcServer) {
        return None;
    }
    let running = Running::of(shared);
    let path = request.uri().path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let method = match running.methods.find(path) {
        Some(known) => Method::Known(known),
        None if can_be_grpc(request) => running.methods.unknown(path),
        None => return None,
    };
    let options = shared.options();
    let view = CallView {
        method: path,
        uri: request.uri(),
        metadata: request.headers(),
        extensions: request.extensions(),
    };
    let signals = options
        .filter
        .as_ref()
        .map_or(Signals::ALL, |filter| filter(view));
    let Inbound { parent, link } = inbound(options, view);
    let name = method.span_name();
    let deadline = Deadline::of(view.metadata);
    let mut call = Call::new(shared.clone(), method, deadline, None);
    if let Some(hook) = &options.metric_attributes
        && signals.metrics()
    {
        call.add_metric_attributes(hook(view));
    }
    let start = Start {
        name,
        kind: SpanKind::Server,
        family: Family::RpcServer,
        parent,
        links: link.map(Link::with_context).into_iter().collect(),
        signals,
        cancellation: options.cancellation,
        in_flight: call.in_flight(signals),
    };
    Some(running.instrumentation.start(start, call, |call, list| {
        call.push_identity(list);
        push_host(list, view);
        if let Some(peer) = peer_address(view.extensions) {
            let address = address_value(peer.ip());
            list.push(KeyValue::new(attribute::NETWORK_PEER_ADDRESS, address));
            let port = i64::from(peer.port());
            list.push(KeyValue::new(attribute::NETWORK_PEER_PORT, port));
        }
        attempts::push_received(list, view.metadata);
        if !options.request_metadata.is_empty() {
            list.extend(options.request_metadata.attributes(view.metadata));
        }
        if let Some(hook) = &options.span_attributes {
            extend_replacing(list, not_reserved(hook(view), &RESERVED));
        }
    }))
}

/// What the caller says of the trace. Inside an HTTP server's span, that one has asked already.
fn inbound(options: &Options, view: CallView<'_>) -> Inbound {
    if innermost() == Family::HttpServer {
        return Inbound {
            parent: Context::current(),
            link: None,
        };
    }
    let trust = options
        .trust
        .as_ref()
        .map_or(Trust::Trusted, |trust| trust(view));
    options.providers.with_propagator(|propagator| {
        propagation::extract(propagator, &HeaderExtractor(view.metadata), trust)
    })
}

/// Whether a request to no known method can be one of gRPC: services of tonic's answer requests
/// without a content type too.
fn can_be_grpc<B>(request: &Request<B>) -> bool {
    *request.method() == HttpMethod::POST
        && (has_grpc_content_type(request.headers())
            || request.version() == Version::HTTP_2
                && !request.headers().contains_key(header::CONTENT_TYPE))
}

/// `server.address` and `server.port`: of `:authority`, or of `Host`.
fn push_host(list: &mut Vec<KeyValue>, view: CallView<'_>) {
    let host = match view.uri.authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => view.metadata.get(header::HOST).map(|host| host.as_bytes()),
    };
    if let Some(host) = host {
        push_server_host(list, host);
    }
}

fn peer_address(extensions: &http::Extensions) -> Option<SocketAddr> {
    #[cfg(feature = "server")]
    {
        use tonic::transport::server::TcpConnectInfo;
        if let Some(info) = extensions.get::<TcpConnectInfo>() {
            return info.remote_addr();
        }
        #[cfg(feature = "tls")]
        if let Some(info) =
            extensions.get::<tonic::transport::server::TlsConnectInfo<TcpConnectInfo>>()
        {
            return info.get_ref().remote_addr();
        }
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = extensions.get() {
        return Some(*peer);
    }
    let _ = extensions;
    None
}
