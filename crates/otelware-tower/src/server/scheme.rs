//! `url.scheme` of a server's requests.

use otelware::operation::Interned;

/// A scheme: one of few, since only configuration and trusted proxies can name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
    Other(Interned),
}

impl Scheme {
    /// The scheme of this name; what can't be a scheme, or is one too many, counts as `http`.
    pub(super) fn new(name: &str) -> Self {
        match name {
            "http" => Self::Http,
            "https" => Self::Https,
            _ if name.eq_ignore_ascii_case("http") => Self::Http,
            _ if name.eq_ignore_ascii_case("https") => Self::Https,
            _ => Self::Http,
        }
    }

    /// The scheme that the configuration names.
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
