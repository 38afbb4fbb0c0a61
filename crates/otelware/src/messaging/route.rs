//! What is known of an operation on a destination: said once, and used for every message.

use super::client::Broker;
use super::destination::Destination;
use super::options::Options;
use super::verb::Verb;
use crate::operation::{Label, Table, bounded, cut, hash_bytes};
use crate::semconv::attribute;
use opentelemetry::{KeyValue, StringValue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest names that are kept, and that spans are named by, in bytes: anyone may name a
/// destination.
const LONGEST: usize = 256;

/// What is known of an operation on a destination.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) verb: Verb,
    /// Stands for it in the keys of series; none for one that is not kept.
    pub(super) id: Option<u64>,
    /// The name of its spans.
    pub(super) name: Label,
    /// Whether all its spans have the name of the destination, among their other attributes.
    pub(super) has_name: bool,
    /// The attributes that all its spans have.
    pub(super) span: Vec<KeyValue>,
    /// The attributes that all its metrics have.
    pub(super) measured: Vec<KeyValue>,
}

/// What stands for destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands<'a> {
    /// What their names have in common.
    Template(&'a str),
    /// A name that recurs.
    Name(&'a str),
    /// Nothing: their names say nothing, and there are as many as anyone likes.
    Nothing,
}

impl<'a> Stands<'a> {
    const fn text(self) -> &'a str {
        match self {
            Self::Template(text) | Self::Name(text) => text,
            Self::Nothing => "",
        }
    }
}

/// The operation, whether the destination is anonymous and whether it is temporary, whether a template
/// stands for it, and what does.
type Key = (Verb, [bool; 3], Box<str>);

/// The operations and destinations that recur; bounded, since anyone may name a destination.
#[derive(Debug, Default)]
pub(super) struct Routes {
    known: Table<Key, Arc<Route>>,
    ids: AtomicU64,
}

impl Routes {
    /// What is known of the operation.
    #[inline]
    pub(super) fn get(
        &self,
        verb: Verb,
        destination: &Destination<'_>,
        broker: &Broker,
        options: &Options,
    ) -> Arc<Route> {
        let asked;
        let template = match destination.template {
            Some(template) => Some(template),
            None => {
                asked = options.template(destination.name);
                asked.as_deref()
            }
        };
        let stands = match template {
            Some(template) => Stands::Template(template),
            None if destination.is_lasting() => Stands::Name(destination.name),
            None => Stands::Nothing,
        };
        let flags = [
            destination.is_anonymous,
            destination.is_temporary,
            template.is_some(),
        ];
        let text = stands.text();
        let known = self.known.get_or_try_insert_with(
            // Few verbs meet the same destination.
            hash_bytes(text.as_bytes()),
            |known| known.0 == verb && known.1 == flags && *known.2 == *text,
            || {
                if text.len() > LONGEST {
                    return None;
                }
                let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
                let route = Route::new(verb, destination, stands, broker, Some(id));
                Some(((verb, flags, text.into()), Arc::new(route)))
            },
        );
        match known {
            Some(route) => route.clone(),
            None => Arc::new(Route::new(verb, destination, stands, broker, None)),
        }
    }
}

impl Route {
    fn new(
        verb: Verb,
        destination: &Destination<'_>,
        stands: Stands<'_>,
        broker: &Broker,
        id: Option<u64>,
    ) -> Self {
        let shared = |text: &str| StringValue::from(Arc::<str>::from(text));
        let standing = match stands {
            Stands::Template(template) => Some(KeyValue::new(
                attribute::MESSAGING_DESTINATION_TEMPLATE,
                shared(bounded(template)),
            )),
            Stands::Name(name) if !name.is_empty() => Some(KeyValue::new(
                attribute::MESSAGING_DESTINATION_NAME,
                shared(bounded(name)),
            )),
            Stands::Name(_) | Stands::Nothing => None,
        };
        let common = [
            KeyValue::new(attribute::MESSAGING_SYSTEM_NAME, broker.system),
            KeyValue::new(attribute::MESSAGING_OPERATION_NAME, verb.name()),
        ];
        let group = (!verb.is_send())
            .then_some(broker.consumer_group.as_deref())
            .flatten()
            .map(|group| KeyValue::new(attribute::MESSAGING_CONSUMER_GROUP_NAME, shared(group)));
        let mut server = Vec::new();
        if let Some(address) = &broker.address {
            server.push(KeyValue::new(attribute::SERVER_ADDRESS, shared(address)));
            if let Some(port) = broker.port {
                server.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
            }
        }

        let mut span = Vec::with_capacity(16);
        span.extend_from_slice(&common);
        span.extend(verb.class_attribute());
        span.extend(standing.clone());
        for (key, flag) in [
            (
                attribute::MESSAGING_DESTINATION_ANONYMOUS,
                destination.is_anonymous,
            ),
            (
                attribute::MESSAGING_DESTINATION_TEMPORARY,
                destination.is_temporary,
            ),
        ] {
            if flag {
                span.push(KeyValue::new(key, true));
            }
        }
        span.extend_from_slice(&server);
        if let Some(client) = &broker.client_id {
            span.push(KeyValue::new(
                attribute::MESSAGING_CLIENT_ID,
                shared(client),
            ));
        }
        span.extend(group.clone());

        let mut measured = Vec::with_capacity(8);
        measured.extend(common);
        // What is not kept may be one of as many as anyone likes.
        if id.is_some() {
            measured.extend(standing);
        }
        measured.extend(server);
        measured.extend(group);

        let name = match stands.text() {
            "" => verb.name().to_owned(),
            text => format!("{} {}", verb.name(), cut(text, LONGEST)),
        };
        Self {
            verb,
            id,
            name: match id {
                Some(_) => Label::foreign(&name),
                // It must not take the place of one that recurs.
                None => Label::Owned(name.into()),
            },
            has_name: matches!(stands, Stands::Name(_)),
            span,
            measured,
        }
    }
}
