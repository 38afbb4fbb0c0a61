//! What is known of an operation on a destination: said once, and used for every message.

use super::client::Broker;
use super::destination::Destination;
use super::options::Options;
use super::verb::Verb;
use crate::operation::{Label, Table, hash_bytes};
use crate::semconv::attribute;
use opentelemetry::{KeyValue, StringValue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is known of an operation on a destination.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) verb: Verb,
    /// Stands for it in the keys of series; none for one that is not kept.
    pub(super) id: Option<u64>,
    /// The name of its spans.
    pub(super) name: Label,
    /// The attributes that all its spans have, but for a name that does not last.
    pub(super) span: Vec<KeyValue>,
    /// The attributes that all its metrics have.
    pub(super) measured: Vec<KeyValue>,
}

/// The operation, whether the destination is anonymous and whether it is temporary, and the name that
/// stands for it.
type Key = (Verb, [bool; 2], Box<str>);

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
        let flags = [destination.is_anonymous, destination.is_temporary];
        let template;
        let name = match destination.is_lasting() {
            true => destination.name,
            // Of names that say nothing there are as many as anyone likes: they must not take the
            // places of those that do.
            false => {
                template = options.template(destination.name);
                template.as_deref().unwrap_or_default()
            }
        };
        let known = self.known.get_or_insert_with(
            // Few verbs meet the same destination.
            hash_bytes(name.as_bytes()),
            |known| known.0 == verb && known.1 == flags && *known.2 == *name,
            || {
                let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
                let route = Route::new(verb, destination, broker, options, Some(id));
                ((verb, flags, name.into()), Arc::new(route))
            },
        );
        match known {
            Some(route) => route.clone(),
            None => Arc::new(Route::new(verb, destination, broker, options, None)),
        }
    }
}

impl Route {
    fn new(
        verb: Verb,
        destination: &Destination<'_>,
        broker: &Broker,
        options: &Options,
        id: Option<u64>,
    ) -> Self {
        let shared = |text: &str| StringValue::from(Arc::<str>::from(text));
        let name = shared(destination.name);
        let template = options
            .template(destination.name)
            .map(|template| shared(&template));
        let template_attribute = template
            .clone()
            .map(|template| KeyValue::new(attribute::MESSAGING_DESTINATION_TEMPLATE, template));
        let name_attribute = (destination.is_lasting() && !name.as_str().is_empty())
            .then(|| KeyValue::new(attribute::MESSAGING_DESTINATION_NAME, name.clone()));
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
        span.extend(name_attribute.clone());
        span.extend(template_attribute.clone());
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
        // A name is of low cardinality where it recurs, and says something.
        let is_told = id.is_some() && destination.is_lasting();
        match template_attribute {
            Some(template) => measured.push(template),
            None if is_told => measured.extend(name_attribute),
            None => {}
        }
        measured.extend(server);
        measured.extend(group);

        let shown = match &template {
            Some(template) => Some(template),
            None => Some(&name).filter(|_| destination.is_lasting()),
        };
        Self {
            verb,
            id,
            name: match shown {
                Some(shown) if !shown.as_str().is_empty() => {
                    Label::foreign(&format!("{} {}", verb.name(), shown.as_str()))
                }
                _ => Label::new(verb.name()),
            },
            span,
            measured,
        }
    }
}
