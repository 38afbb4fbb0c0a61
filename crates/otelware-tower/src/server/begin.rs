//! The beginning of a request: what its head says.

use super::access_log::AccessLog;
use super::call::{RESERVED, ServerCall};
use super::names::Route;
use super::options::{PeerAddress, RequestView};
use super::route;
use super::running::{Running, Server};
use super::scheme::Scheme;
use http::{Request, header};
use otelware::http::{
    NoBody, address_value, is_grpc, not_reserved, protocol_version, push_server_host,
};
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::trace::{Link, SpanKind};
use otelware::operation::{
    Family, Label, Operation, Signals, Start, bounded, extend_replacing, is_doubled, recent_value,
};
use otelware::propagation::{self, HeaderExtractor, Inbound, Trust};
use otelware::semconv::attribute;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

impl ServerCall {
    /// Begins a request. `None` where another layer observes it: one further out, or, if the
    /// options say so, the one for gRPC.
    pub(super) fn begin<B>(server: &Arc<Server>, request: &Request<B>) -> Option<Operation<Self>> {
        let options = server.options();
        let is_grpc = is_grpc(request);
        if is_grpc && options.without_grpc {
            return None;
        }
        if is_doubled(Family::HttpServer) {
            // The outer layer may not know the route that this one was put on.
            if let Some(route) = matched_route(request.extensions()) {
                route::set_route(route);
            }
            return None;
        }
        let running = Running::of(server);
        if is_grpc
            && let Some(route) = matched_route(request.extensions())
            && running.names.route(route).is_some_and(Route::leaves_grpc)
        {
            return None;
        }
        let view = RequestView {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        let signals = options
            .filter
            .as_ref()
            .map_or(Signals::ALL, |filter| filter(view));
        let trust = options
            .trust
            .as_ref()
            .map_or(Trust::Trusted, |trust| trust(view));
        let Inbound { parent, link } = options.providers.with_propagator(|propagator| {
            propagation::extract(propagator, &HeaderExtractor(request.headers()), trust)
        });

        let method = running.known_methods.label(request.method());
        let own_route = options.route.as_ref().and_then(|hook| hook(view));
        let route = match own_route.as_deref() {
            Some(route) => Some(route),
            None => matched_route(request.extensions()),
        };
        let named = route.and_then(|route| running.names.route(route));
        let route = match named {
            Some(named) => Some(named.label()),
            None => route.map(Label::new),
        };
        let peer = || peer_address(request.extensions());
        let original = options
            .proxies
            .original(|| peer().map(|peer| peer.ip()), request.headers());
        let scheme = match original.as_ref().and_then(|original| original.scheme) {
            Some(scheme) => Scheme::new(scheme),
            None => request
                .uri()
                .scheme_str()
                .map_or(options.scheme, Scheme::new),
        };
        let own_name = options.span_name.as_ref().and_then(|hook| hook(view));
        let has_own_name = own_name.is_some();
        let name = match own_name {
            Some(name) => Cow::Owned(name),
            None => match named {
                Some(named) => named.name(method),
                None => running.names.of(method, route.as_ref()),
            },
        };
        let mut call = Self {
            server: server.clone(),
            method,
            route,
            late_route: false,
            is_grpc,
            has_own_name,
            no_body: NoBody::of(request.method()),
            scheme,
            version: request.version(),
            status: None,
            announced: None,
            response_bytes: None,
            extras: None,
        };
        if options.access_log {
            call.extras_mut().access_log = Some(AccessLog::new(view));
        }
        if let Some(hook) = &options.metric_attributes
            && signals.metrics()
        {
            call.extras_mut().metric_attributes = hook(view);
        }
        let in_flight = match &running.active {
            Some(active) if signals.metrics() => Some(call.count(active)),
            _ => None,
        };
        let start = Start {
            name,
            kind: SpanKind::Server,
            family: Family::HttpServer,
            parent,
            links: link.map(Link::with_context).into_iter().collect(),
            signals,
            cancellation: options.cancellation,
            in_flight,
            minimum_duration: None,
        };
        Some(running.instrumentation.start(start, call, |call, list| {
            list.push(KeyValue::new(
                attribute::HTTP_REQUEST_METHOD,
                method.as_str(),
            ));
            if method.is_other() {
                let original = recent_value(view.method.as_str());
                list.push(KeyValue::new(
                    attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                    original,
                ));
            }
            let path = bounded(view.uri.path()).to_owned();
            list.push(KeyValue::new(attribute::URL_PATH, path));
            if let Some(query) = view.uri.query() {
                let query = bounded(&options.redaction.query(query)).to_owned();
                list.push(KeyValue::new(attribute::URL_QUERY, query));
            }
            list.push(KeyValue::new(attribute::URL_SCHEME, scheme.as_str()));
            if let Some(route) = &call.route {
                list.push(KeyValue::new(attribute::HTTP_ROUTE, route.value()));
            }
            if let Some(version) = protocol_version(view.version) {
                list.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
            }
            push_host(
                list,
                original.as_ref().and_then(|original| original.host),
                view,
            );
            if let Some(agent) = view.headers.get(header::USER_AGENT) {
                list.push(KeyValue::new(
                    attribute::USER_AGENT_ORIGINAL,
                    recent_value(agent),
                ));
            }
            push_client(list, original.and_then(|original| original.client), peer());
            if !options.request_headers.is_empty() {
                list.extend(options.request_headers.attributes(view.headers));
            }
            if let Some(hook) = &options.span_attributes {
                extend_replacing(list, not_reserved(hook(view), &RESERVED));
            }
            if options.response_attributes.is_some() {
                call.extras_mut().begun_with =
                    list.iter().map(|attribute| attribute.key.clone()).collect();
            }
        }))
    }
}

/// `server.address` and `server.port`: of the original request where a proxy is believed, else of
/// `:authority` or `Host`.
fn push_host(list: &mut Vec<KeyValue>, original: Option<&str>, request: RequestView<'_>) {
    let host = original
        .or_else(|| request.uri.authority().map(http::uri::Authority::as_str))
        .map(str::as_bytes)
        .or_else(|| Some(request.headers.get(header::HOST)?.as_bytes()));
    if let Some(host) = host {
        push_server_host(list, host);
    }
}

/// `client.address` and `network.peer.*`.
fn push_client(list: &mut Vec<KeyValue>, original: Option<&str>, peer: Option<SocketAddr>) {
    let peer = peer.map(|peer| (address_value(peer.ip()), i64::from(peer.port())));
    let client = match original {
        Some(client) => Some(recent_value(client)),
        None => peer.as_ref().map(|(address, _)| address.clone()),
    };
    if let Some(client) = client {
        list.push(KeyValue::new(attribute::CLIENT_ADDRESS, client));
    }
    if let Some((address, port)) = peer {
        list.push(KeyValue::new(attribute::NETWORK_PEER_ADDRESS, address));
        list.push(KeyValue::new(attribute::NETWORK_PEER_PORT, port));
    }
}

#[cfg(feature = "axum")]
fn matched_route(extensions: &http::Extensions) -> Option<&str> {
    extensions
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_route(_: &http::Extensions) -> Option<&str> {
    None
}

fn peer_address(extensions: &http::Extensions) -> Option<SocketAddr> {
    if let Some(PeerAddress(peer)) = extensions.get() {
        return Some(*peer);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = extensions.get() {
        return Some(*peer);
    }
    None
}
