//! The beginning of a call at its server: what its head says.

use crate::attempts;
use crate::call::{Call, allowed};
use crate::deadline::Deadline;
use crate::method::Method;
use crate::observed;
use crate::options::Options;
use crate::running::{Running, Shared};
use crate::view::CallView;
use http::{Method as HttpMethod, Request, header};
use otelware::http::{address_value, has_grpc_content_type, push_server_host};
use otelware::opentelemetry::trace::{Link, SpanKind};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Family, Operation, Signals, Start, claim, extend_replacing, innermost};
use otelware::propagation::{self, HeaderExtractor, Inbound, Trust};
use otelware::semconv::attribute;
use std::net::SocketAddr;
use std::sync::Arc;

/// Begins a call. `None` where the request is none of gRPC, or another layer observes it already.
pub(super) fn begin<B>(shared: &Arc<Shared>, request: &mut Request<B>) -> Option<Operation<Call>> {
    let operation = begin_first(shared, request)?;
    observed::by_server(request.extensions_mut());
    Some(operation)
}

fn begin_first<B>(shared: &Arc<Shared>, request: &Request<B>) -> Option<Operation<Call>> {
    if observed::is_by_server(request.extensions()) {
        return None;
    }
    let running = Running::of(shared);
    let path = request.uri().path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let method = match running.methods.find(path) {
        Some(known) if is_call(request) => Method::Known(known.clone()),
        None if is_call(request) && has_grpc_content_type(request.headers()) => {
            running.methods.unknown(path)
        }
        _ => return None,
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
        minimum_duration: None,
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
            extend_replacing(list, allowed(hook(view)));
        }
    }))
}

/// What the caller says of the trace. Inside an HTTP server's span, that one has asked already.
fn inbound(options: &Options, view: CallView<'_>) -> Inbound {
    if innermost() == Family::HttpServer {
        claim(Family::RpcServer);
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

/// Whether a request to a method is a call of it: tonic's services take any `POST` for one, whatever
/// its content type. gRPC-Web is none yet, but for the layer that translates it.
fn is_call<B>(request: &Request<B>) -> bool {
    *request.method() == HttpMethod::POST
        && !request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|content_type| content_type.as_bytes().starts_with(GRPC_WEB))
}

const GRPC_WEB: &[u8] = b"application/grpc-web";

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
