//! The names of destinations.

use lapin::types::ShortString;
use otelware::messaging::Destination;
use std::sync::{Arc, Mutex, PoisonError};

/// What the default exchange is called, where a message has no routing key either.
const DEFAULT: &str = "amq.default";
/// What the names of queues begin with that the broker named.
const GENERATED: &str = "amq.gen-";
/// What the names of the queues begin with that replies come by without a queue.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Where a message goes to: `exchange:routing_key`, without what is empty.
fn published(exchange: &str, routing_key: &str) -> String {
    match (exchange, routing_key) {
        ("", "") => DEFAULT.to_owned(),
        ("", only) | (only, "") => only.to_owned(),
        (exchange, routing_key) => format!("{exchange}:{routing_key}"),
    }
}

/// Where a message comes from: `exchange:routing_key:queue`, without what is empty, and with the
/// queue once where the routing key is its name.
fn consumed(exchange: &str, routing_key: &str, queue: &str) -> String {
    let queue = Some(queue).filter(|queue| *queue != routing_key);
    let parts = [Some(exchange), Some(routing_key), queue];
    let parts: Vec<&str> = (parts.into_iter().flatten())
        .filter(|part| !part.is_empty())
        .collect();
    match parts.is_empty() {
        true => DEFAULT.to_owned(),
        false => parts.join(":"),
    }
}

/// Whether the broker made the name of a queue, so that it says nothing.
pub(crate) fn is_generated(queue: &str) -> bool {
    queue.starts_with(GENERATED) || queue.starts_with(REPLY_TO)
}

/// The name of a destination, and what is known of its queue.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) is_anonymous: bool,
    pub(crate) is_temporary: bool,
}

impl Name {
    pub(crate) fn destination(&self) -> Destination<'_> {
        Destination {
            is_anonymous: self.is_anonymous,
            is_temporary: self.is_temporary,
            ..Destination::named(&self.text)
        }
    }

    /// Nothing is known of it.
    pub(crate) fn unknown() -> Self {
        Self {
            text: "".into(),
            is_anonymous: false,
            is_temporary: false,
        }
    }
}

/// The last name that was made, since most messages of a channel or a consumer take the same way.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Option<Last>>);

#[derive(Debug)]
struct Last {
    exchange: ShortString,
    routing_key: ShortString,
    text: Arc<str>,
}

impl Names {
    /// Where a message goes to. Without an exchange, the routing key is the name of a queue.
    pub(crate) fn published(
        &self,
        exchange: &ShortString,
        routing_key: &ShortString,
        is_temporary: impl FnOnce(&str) -> bool,
    ) -> Name {
        let queue = Some(routing_key.as_str()).filter(|_| exchange.as_str().is_empty());
        let is_anonymous = queue.is_some_and(is_generated);
        Name {
            text: self.text(exchange, routing_key, published),
            is_anonymous,
            is_temporary: is_anonymous || queue.is_some_and(is_temporary),
        }
    }

    /// Where a message of this queue comes from.
    pub(crate) fn consumed(
        &self,
        exchange: &ShortString,
        routing_key: &ShortString,
        queue: &str,
    ) -> Arc<str> {
        self.text(exchange, routing_key, |exchange, routing_key| {
            consumed(exchange, routing_key, queue)
        })
    }

    fn text(
        &self,
        exchange: &ShortString,
        routing_key: &ShortString,
        make: impl FnOnce(&str, &str) -> String,
    ) -> Arc<str> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && last.exchange == *exchange
            && last.routing_key == *routing_key
        {
            return last.text.clone();
        }
        let text: Arc<str> = make(exchange.as_str(), routing_key.as_str()).into();
        *last = Some(Last {
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
            text: text.clone(),
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_conventions() {
        for (exchange, routing_key, name) in [
            ("shop", "orders.new", "shop:orders.new"),
            ("shop", "", "shop"),
            ("", "jobs", "jobs"),
            ("", "", "amq.default"),
        ] {
            assert_eq!(published(exchange, routing_key), name);
        }
        for (exchange, routing_key, queue, name) in [
            (
                "direct_logs",
                "warning",
                "my_queue",
                "direct_logs:warning:my_queue",
            ),
            ("direct_logs", "warning", "warning", "direct_logs:warning"),
            ("logs", "", "mine", "logs:mine"),
            ("", "jobs", "jobs", "jobs"),
            ("", "", "", "amq.default"),
        ] {
            assert_eq!(consumed(exchange, routing_key, queue), name);
        }
    }

    #[test]
    fn the_last_name_is_kept_and_never_mistaken() {
        let names = Names::default();
        let name = |exchange: &str, routing_key: &str| {
            names
                .published(&exchange.into(), &routing_key.into(), |queue| {
                    queue == "mine"
                })
                .text
        };
        let first = name("shop", "a");
        assert!(Arc::ptr_eq(&first, &name("shop", "a")));
        assert_eq!(&*name("shop", "b"), "shop:b");
        assert_eq!(&*name("", "shop"), "shop");
        assert_eq!(&*name("shop", ""), "shop");
    }

    #[test]
    fn names_that_the_broker_made_say_nothing() {
        let names = Names::default();
        let flags = |exchange: &str, routing_key: &str| {
            let mine = |queue: &str| queue == "mine";
            let name = names.published(&exchange.into(), &routing_key.into(), mine);
            (name.is_anonymous, name.is_temporary)
        };
        assert_eq!(flags("", "amq.gen-7"), (true, true));
        assert_eq!(flags("", "amq.rabbitmq.reply-to.g1.x"), (true, true));
        assert_eq!(flags("", "mine"), (false, true));
        assert_eq!(flags("shop", "mine"), (false, false));
        assert_eq!(flags("", "jobs"), (false, false));
    }
}
