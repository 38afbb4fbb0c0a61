//! The names of spans, by route and method.

use otelware::http::MethodLabel;
use otelware::operation::{Interned, Label, Table, hash_bytes};
use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first so many known methods have their names kept, and `_OTHER` after them.
const KNOWN: usize = 11;

/// The routes that a layer has seen, each with the names of its spans; bounded in number.
#[derive(Debug, Default)]
pub(super) struct Names {
    routes: Table<&'static str, Route>,
}

/// A route and the names of its spans.
#[derive(Debug)]
pub(super) struct Route {
    template: Interned,
    /// Whether calls of gRPC to it are observed by a layer further in.
    leaves_grpc: AtomicBool,
    names: [OnceLock<Option<Interned>>; KNOWN + 1],
}

impl Names {
    /// The route, where it has a place; otherwise its names are made anew for each request.
    #[inline]
    pub(super) fn route(&self, template: &str) -> Option<&Route> {
        self.routes.get_or_try_insert_with(
            hash_bytes(template.as_bytes()),
            |known| *known == template,
            || {
                let template = Interned::new(template)?;
                let names = [const { OnceLock::new() }; KNOWN + 1];
                let leaves_grpc = AtomicBool::new(false);
                Some((
                    template.as_str(),
                    Route {
                        template,
                        leaves_grpc,
                        names,
                    },
                ))
            },
        )
    }

    /// Leaves calls of gRPC to this route to a layer further in.
    pub(super) fn leave_grpc(&self, template: &str) {
        if let Some(route) = self.route(template) {
            route.leaves_grpc.store(true, Ordering::Relaxed);
        }
    }

    /// The span's name: `GET /users/{id}`, or `GET` without a route.
    pub(super) fn of(&self, method: MethodLabel, route: Option<&Label>) -> Cow<'static, str> {
        match route {
            None => Cow::Borrowed(method.span_name()),
            Some(route) => match self.route(route.as_str()) {
                Some(route) => route.name(method),
                None => Cow::Owned(format(method, route.as_str())),
            },
        }
    }
}

impl Route {
    /// Whether calls of gRPC to it are left to a layer further in.
    pub(super) fn leaves_grpc(&self) -> bool {
        self.leaves_grpc.load(Ordering::Relaxed)
    }

    /// The route's template.
    #[inline]
    pub(super) const fn label(&self) -> Label {
        Label::Interned(self.template)
    }

    /// The name of a span of this method.
    #[inline]
    pub(super) fn name(&self, method: MethodLabel) -> Cow<'static, str> {
        let template = self.template.as_str();
        let place = match usize::from(method.id()) {
            _ if method.is_other() => Some(KNOWN),
            known if known < KNOWN => Some(known),
            _ => None,
        };
        let name = place
            .and_then(|place| self.names.get(place))
            .and_then(|name| *name.get_or_init(|| Interned::new(&format(method, template))));
        match name {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => Cow::Owned(format(method, template)),
        }
    }
}

fn format(method: MethodLabel, route: &str) -> String {
    format!("{} {route}", method.span_name())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::Method;
    use otelware::http::KnownMethods;

    #[test]
    fn every_method_of_a_route_has_its_own_name() {
        let many: Vec<String> = (0..30).map(|n| format!("M{n}")).collect();
        let known = KnownMethods::new(&many);
        let names = Names::default();
        for round in 0..2 {
            for method in many.iter().map(String::as_str).chain(["GET"]) {
                let label = known.label(&Method::from_bytes(method.as_bytes()).unwrap());
                let shown = if method == "GET" { "HTTP" } else { method };
                for route in ["/a", "/b/{id}", &"/long".repeat(100)] {
                    assert_eq!(
                        names.of(label, Some(&Label::new(route))),
                        format!("{shown} {route}"),
                        "round {round}"
                    );
                }
                assert_eq!(names.of(label, None), shown);
            }
        }
    }
}
