//! The beginning of a call at its client: what its head says.

use crate::address::Address;
use crate::attempts::{self, AttemptCount};
use crate::call::{Call, allowed};
use crate::deadline::Deadline;
use crate::method::{Known, Method, Methods};
use crate::observed;
use crate::running::{Running, Shared};
use crate::view::CallView;
use http::request::Parts;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::trace::SpanKind;
use otelware::operation::{Family, Operation, Signals, Start, bounded, extend_replacing};
use otelware::propagation::{self, HeaderInjector, Outbound};
use std::sync::Arc;
use tonic::GrpcMethod;

/// Begins a call and injects its context into its metadata. `None` where the call is the same that
/// an enclosing layer has begun already.
pub(super) fn begin(shared: &Arc<Shared>, request: &mut Parts) -> Option<Operation<Call>> {
    if observed::by_client(&mut request.extensions) {
        return None;
    }
    let options = shared.options();
    let running = Running::of(shared);
    let path = request.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let known = find(&running.methods, path, &request.extensions);
    let view = CallView {
        method: known.map_or(path, Known::as_str),
        uri: &request.uri,
        metadata: &request.headers,
        extensions: &request.extensions,
    };
    let signals = options
        .filter
        .as_ref()
        .map_or(Signals::ALL, |filter| filter(view));
    let address = match &options.address {
        Some(address) => Some(address.clone()),
        None => Address::of(view.uri),
    };
    let method = match known {
        Some(known) => Method::Known(known.clone()),
        None => Method::Other(bounded(path).into()),
    };
    let name = method.span_name();
    let deadline = Deadline::of(view.metadata);
    let mut call = Call::new(shared.clone(), method, deadline, address);
    if let Some(hook) = &options.metric_attributes
        && signals.metrics()
    {
        call.add_metric_attributes(hook(view));
    }
    let previous = view
        .extensions
        .get::<AttemptCount>()
        .map_or(0, AttemptCount::next);
    let start = Start {
        name,
        kind: SpanKind::Client,
        family: Family::RpcClient,
        parent: Context::current(),
        links: Vec::new(),
        signals,
        cancellation: options.cancellation,
        in_flight: call.in_flight(signals),
        minimum_duration: None,
    };
    let operation = running.instrumentation.start(start, call, |call, list| {
        call.push_identity(list);
        attempts::push(list, previous);
        if !options.request_metadata.is_empty() {
            list.extend(options.request_metadata.attributes(view.metadata));
        }
        if let Some(hook) = &options.span_attributes {
            extend_replacing(list, allowed(hook(view)));
        }
    });
    attempts::send(&mut request.headers, previous);
    inject(shared, &operation, request);
    Some(operation)
}

/// The method of a call, if it is told apart. Generated clients call a fixed set of them.
fn find<'a>(methods: &'a Methods, path: &str, extensions: &http::Extensions) -> Option<&'a Known> {
    methods
        .find(path)
        .or_else(|| methods.learn(path))
        .or_else(|| {
            // The target of the client may have a path of its own.
            let method = extensions.get::<GrpcMethod<'static>>()?;
            methods.learn(&format!("{}/{}", method.service(), method.method()))
        })
}

fn inject(shared: &Shared, operation: &Operation<Call>, request: &mut Parts) {
    let options = shared.options();
    let outbound = request.extensions.get::<Outbound>().unwrap_or_else(|| {
        let (host, port) = match operation.describe().address() {
            Some(address) => (address.host(), address.port()),
            None => ("", None),
        };
        options.destinations.policy(host, port)
    });
    let mut injector = HeaderInjector(&mut request.headers);
    options.providers.with_propagator(|propagator| {
        propagation::inject(propagator, operation.context(), &mut injector, outbound);
    });
}
