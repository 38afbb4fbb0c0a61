//! The methods of calls, a bounded set.

use otelware::opentelemetry::StringValue;
use otelware::operation::{Label, Table, bounded, hash_bytes};
use otelware::semconv::value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The methods that are told apart; every other is `_OTHER`.
#[derive(Debug)]
pub(crate) enum Methods {
    /// These and no others.
    Listed(HashMap<Box<str>, Known, BuildHasherDefault<NameHasher>>),
    /// Those that were seen to exist: at most 1,024.
    Learned {
        known: Box<Table<Arc<str>, Known, 32, 32>>,
        last_id: AtomicU64,
    },
}

/// A method that is told apart.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    name: Label,
    /// Stands for the method among those of its layer; never 0.
    id: u64,
}

/// The method of a call.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// One that is told apart: `package.Service/Method`.
    Known(Known),
    /// One that may turn out to exist.
    Undecided(Box<str>),
    /// None that is known.
    Other(Box<str>),
}

impl Methods {
    /// These methods and no others, besides those of gRPC's health checking and reflection.
    pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter().chain(WELL_KNOWN).zip(1..);
        Self::Listed(
            names
                .map(|(name, id)| (name.into(), Known::new(name, id)))
                .collect(),
        )
    }

    /// Methods that are yet to be learned.
    pub(crate) fn unlisted() -> Self {
        Self::Learned {
            known: Box::default(),
            last_id: AtomicU64::new(0),
        }
    }

    /// The method of a path without its first slash, if it is told apart.
    #[inline]
    pub(crate) fn find(&self, path: &str) -> Option<&Known> {
        match self {
            Self::Listed(known) => known.get(path),
            Self::Learned { known, .. } => {
                let hash = hash_bytes(path.as_bytes());
                known.get_or_try_insert_with(hash, |known| **known == *path, || None)
            }
        }
    }

    /// The method of a call that [`find`](Self::find) knows nothing of.
    pub(crate) fn unknown(&self, path: &str) -> Method {
        let original = bounded(path).into();
        match self {
            Self::Learned { .. } if is_name(path) => Method::Undecided(original),
            _ => Method::Other(original),
        }
    }

    /// The method, which exists: told apart from now on, if there is room.
    pub(crate) fn learn(&self, name: &str) -> Option<&Known> {
        match self {
            Self::Learned { known, last_id } if is_name(name) => known.get_or_insert_with(
                hash_bytes(name.as_bytes()),
                |known| **known == *name,
                || {
                    let id = last_id.fetch_add(1, Ordering::Relaxed) + 1;
                    (name.into(), Known::new(name, id))
                },
            ),
            _ => self.find(name),
        }
    }
}

/// What many servers have besides their own methods.
const WELL_KNOWN: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// No method with a longer name is learned, in bytes.
const LONGEST: usize = 256;

/// Whether a path can be a method's name, `package.Service/Method`.
fn is_name(path: &str) -> bool {
    path.len() <= LONGEST
        && matches!(path.split_once('/'), Some((service, method))
            if !service.is_empty() && !method.is_empty() && !method.contains('/'))
}

impl Known {
    fn new(name: &str, id: u64) -> Self {
        let name = Label::new(name);
        Self { name, id }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.name.as_str()
    }
}

impl Method {
    /// The value of `rpc.method`.
    pub(crate) fn value(&self) -> StringValue {
        match self {
            Self::Known(known) => known.name.value(),
            Self::Undecided(_) | Self::Other(_) => value::OTHER.into(),
        }
    }

    /// The name of the span.
    pub(crate) fn span_name(&self) -> Cow<'static, str> {
        match self {
            Self::Known(known) => match &known.name {
                Label::Interned(name) => Cow::Borrowed(name.as_str()),
                Label::Owned(name) => Cow::Owned(name.to_string()),
            },
            Self::Undecided(_) | Self::Other(_) => Cow::Borrowed(value::GRPC),
        }
    }

    /// A number that stands for the value of `rpc.method` within a layer.
    pub(crate) const fn id(&self) -> u64 {
        match self {
            Self::Known(known) => known.id,
            Self::Undecided(_) | Self::Other(_) => 0,
        }
    }
}

/// Hashes names that the program's own code lists.
#[derive(Debug, Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(5) ^ hash_bytes(bytes);
    }

    #[inline]
    fn write_u8(&mut self, _: u8) {
        // The end of a text; a key has only one.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(methods: &Methods, name: &str) -> Option<String> {
        methods.find(name).map(|known| known.as_str().to_owned())
    }

    #[test]
    fn a_list_is_all_there_is_besides_the_well_known() {
        let methods = Methods::listed(["a.B/C", "a.B/D"]);
        for known in ["a.B/C", "a.B/D", "grpc.health.v1.Health/Check"] {
            assert_eq!(found(&methods, known).as_deref(), Some(known));
        }
        assert!(matches!(methods.unknown("a.B/E"), Method::Other(name) if &*name == "a.B/E"));
        assert!(methods.learn("a.B/E").is_none());
        assert_eq!(found(&methods, "a.B/E"), None);
    }

    #[test]
    fn without_a_list_methods_are_learned() {
        let methods = Methods::unlisted();
        assert_eq!(found(&methods, "a.B/C"), None);
        assert!(matches!(methods.unknown("a.B/C"), Method::Undecided(_)));
        let learned = methods.learn("a.B/C").unwrap().id;
        assert_eq!(methods.find("a.B/C").unwrap().id, learned);
        assert_ne!(methods.learn("a.B/D").unwrap().id, learned);
        for odd in ["", "a", "a/", "/b", "a/b/c", &"a/b".repeat(100)] {
            assert!(matches!(methods.unknown(odd), Method::Other(_)), "{odd:?}");
            assert!(methods.learn(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn a_large_api_is_told_apart_whole() {
        let names: Vec<String> = (0..10_000)
            .map(|n| format!("large.Api/Method{n}{}", "x".repeat(n / 30)))
            .collect();
        let methods = Methods::listed(names.iter().map(String::as_str));
        let ids: std::collections::HashSet<u64> = names
            .iter()
            .map(|name| {
                let known = methods.find(name).unwrap();
                assert_eq!(known.as_str(), name);
                known.id
            })
            .collect();
        assert_eq!(ids.len(), names.len());
    }

    #[test]
    fn what_can_be_learned_is_bounded_and_another_layer_has_its_own() {
        let methods = Methods::unlisted();
        let learned = (0..20_000)
            .filter(|n| methods.learn(&format!("scanned.Api/Method{n}")).is_some())
            .count();
        assert_eq!(learned, 1_024);
        for methods in [Methods::unlisted(), Methods::listed(["own.Api/Do"])] {
            assert_eq!(methods.learn("own.Api/Do").unwrap().as_str(), "own.Api/Do");
        }
    }
}
