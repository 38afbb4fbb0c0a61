//! The methods of calls, a bounded set.

use otelware::operation::{Interned, Table, hash_bytes};
use otelware::semconv::value;
use std::borrow::Cow;

/// How many methods are kept apart: 256 buckets of 32.
type Known = Table<&'static str, Interned, 256, 32>;

/// The methods that are told apart; every other is `_OTHER`.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    known: Known,
    /// Whether there are no others than those that were listed.
    listed: bool,
}

/// The method of a call.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    /// One that is told apart: `package.Service/Method`.
    Known(Interned),
    /// One that may turn out to exist.
    Undecided(Box<str>),
    /// None that is known.
    Other(Box<str>),
}

impl Methods {
    /// These methods and no others.
    pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let known = Known::new();
        for name in names {
            insert(&known, name);
        }
        Self {
            known,
            listed: true,
        }
    }

    /// The method of a path without its first slash, if it is told apart.
    #[inline]
    pub(crate) fn find(&self, path: &str) -> Option<Interned> {
        self.known
            .get_or_try_insert_with(hash_bytes(path.as_bytes()), |known| *known == path, || None)
            .copied()
    }

    /// The method of a call that [`find`](Self::find) knows nothing of.
    pub(crate) fn unknown(&self, path: &str) -> Method {
        let original = otelware::operation::bounded(path).into();
        if self.listed || !is_name(path) {
            Method::Other(original)
        } else {
            Method::Undecided(original)
        }
    }

    /// The method, which exists: told apart from now on, if there is room.
    pub(crate) fn learn(&self, name: &str) -> Option<Interned> {
        if self.listed || !is_name(name) {
            return self.find(name);
        }
        insert(&self.known, name)
    }
}

fn insert(known: &Known, name: &str) -> Option<Interned> {
    known
        .get_or_try_insert_with(
            hash_bytes(name.as_bytes()),
            |known| *known == name,
            || Interned::new(name).map(|name| (name.as_str(), name)),
        )
        .copied()
}

/// Whether a path can be a method's name, `package.Service/Method`.
fn is_name(path: &str) -> bool {
    matches!(path.split_once('/'), Some((service, method))
        if !service.is_empty() && !method.is_empty() && !method.contains('/'))
}

impl Method {
    /// The value of `rpc.method`.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Known(name) => name.as_str(),
            Self::Undecided(_) | Self::Other(_) => value::OTHER,
        }
    }

    /// The name of the span.
    pub(crate) const fn span_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Known(name) => name.as_str(),
            Self::Undecided(_) | Self::Other(_) => value::GRPC,
        })
    }

    /// A number that stands for the value of `rpc.method`.
    pub(crate) fn id(&self) -> u64 {
        match self {
            Self::Known(name) => name.id(),
            Self::Undecided(_) | Self::Other(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_is_all_there_is() {
        let methods = Methods::listed(["a.B/C", "a.B/D"]);
        assert_eq!(methods.find("a.B/C").map(Interned::as_str), Some("a.B/C"));
        assert!(matches!(methods.unknown("a.B/E"), Method::Other(name) if &*name == "a.B/E"));
        assert_eq!(methods.learn("a.B/E"), None);
        assert_eq!(methods.find("a.B/E"), None);
    }

    #[test]
    fn without_a_list_methods_are_learned() {
        let methods = Methods::default();
        assert_eq!(methods.find("a.B/C"), None);
        assert!(matches!(methods.unknown("a.B/C"), Method::Undecided(_)));
        let learned = methods.learn("a.B/C").unwrap();
        assert_eq!(methods.find("a.B/C"), Some(learned));
        for odd in ["", "a", "a/", "/b", "a/b/c"] {
            assert!(matches!(methods.unknown(odd), Method::Other(_)), "{odd:?}");
            assert_eq!(methods.learn(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_large_api_is_told_apart_whole() {
        let names: Vec<String> = (0..2_000).map(|n| format!("large.Api/Method{n}")).collect();
        let methods = Methods::listed(names.iter().map(String::as_str));
        for name in &names {
            assert_eq!(methods.find(name).map(Interned::as_str), Some(&**name));
        }
    }

    #[test]
    fn what_can_be_learned_is_bounded() {
        let methods = Methods::default();
        let learned = (0..20_000)
            .filter(|n| methods.learn(&format!("scanned.Api/Method{n}")).is_some())
            .count();
        assert!(learned <= 4_096, "{learned}");
    }
}
