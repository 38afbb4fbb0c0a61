//! `url.scheme` of a server's requests.

use otelware::operation::Interned;

/// A scheme: one of few, since only configuration can name one besides `http` and `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
    Other(Interned),
}

impl Scheme {
    /// The scheme that a request or a proxy names, in any case: `https` for `https` and `wss`, and
    /// `http` for all others.
    pub(super) fn new(name: &str) -> Self {
        if name.eq_ignore_ascii_case("https") || name.eq_ignore_ascii_case("wss") {
            Self::Https
        } else {
            Self::Http
        }
    }

    /// The scheme that the configuration names; one too many counts as `http`.
    pub(super) fn configured(name: &str) -> Self {
        match name {
            "http" | "https" => Self::new(name),
            _ => Interned::new(name).map_or(Self::Http, Self::Other),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Other(name) => name.as_str(),
        }
    }

    /// A number that stands for the scheme in one layer, which can be configured with one only.
    pub(super) const fn id(self) -> u64 {
        match self {
            Self::Http => 0,
            Self::Https => 1,
            Self::Other(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_one_of_two() {
        for (name, expected) in [
            ("http", Scheme::Http),
            ("HTTP", Scheme::Http),
            ("ws", Scheme::Http),
            ("", Scheme::Http),
            ("gopher", Scheme::Http),
            ("https", Scheme::Https),
            ("HttpS", Scheme::Https),
            ("wss", Scheme::Https),
        ] {
            assert_eq!(Scheme::new(name), expected, "{name}");
        }
    }

    #[test]
    fn the_configuration_names_any() {
        for name in ["http", "https", "coap"] {
            assert_eq!(Scheme::configured(name).as_str(), name);
        }
    }
}
