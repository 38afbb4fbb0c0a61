//! Which destination may learn what.

use super::Outbound;

/// Rules that give every destination its [`Outbound`] policy; the first that matches decides.
///
/// ```
/// use otelware::propagation::{Destinations, Outbound};
///
/// let destinations = Destinations::everywhere(Outbound::TraceContextOnly)
///     .except("*.internal", Outbound::Everything)
///     .except("payments.example.com:8443", Outbound::baggage(["tenant.id"]))
///     .except("*.ads.example", Outbound::Nothing);
///
/// assert_eq!(destinations.policy("cart.internal", Some(80)), &Outbound::Everything);
/// assert_eq!(destinations.policy("payments.example.com", Some(8443)), &Outbound::baggage(["tenant.id"]));
/// assert_eq!(destinations.policy("payments.example.com", Some(443)), &Outbound::TraceContextOnly);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    rules: Vec<Rule>,
    otherwise: Outbound,
}

#[derive(Clone, Debug)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
    outbound: Outbound,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    One(String),
    /// All names below this one, which starts with a dot.
    Below(String),
}

impl Destinations {
    /// One policy for all destinations.
    pub const fn everywhere(outbound: Outbound) -> Self {
        Self {
            rules: Vec::new(),
            otherwise: outbound,
        }
    }

    /// Another policy for the destinations that match `pattern`, unless an earlier rule matches them.
    ///
    /// A pattern is a host name or address, `*.` and the name all hosts are below (which does not include that name), or `*`
    /// for every host; each with an optional port, as in `*.example.com:8443`. An IPv6 address with a port stands in
    /// brackets. Case does not matter. A pattern that is none of these matches nothing but itself.
    #[must_use]
    pub fn except(mut self, pattern: &str, outbound: Outbound) -> Self {
        let (host, port) = split_port(pattern.trim());
        let hosts = match host.strip_prefix('*') {
            Some("") => Hosts::Any,
            Some(suffix) if suffix.starts_with('.') => Hosts::Below(normal(suffix).to_owned()),
            _ => Hosts::One(normal(host).to_owned()),
        };
        self.rules.push(Rule {
            hosts,
            port,
            outbound,
        });
        self
    }

    /// The policy for a host, with or without the brackets of an IPv6 address, and its port.
    ///
    /// A rule with a port never matches a destination whose port is not known. A destination that
    /// is not known itself, which is the empty host, gets the least that any rule allows.
    pub fn policy(&self, host: &str, port: Option<u16>) -> &Outbound {
        let host = normal(host);
        if host.is_empty() {
            return self.least();
        }
        self.rules
            .iter()
            .find(|rule| (rule.port.is_none() || rule.port == port) && rule.hosts.contain(host))
            .map_or(&self.otherwise, |rule| &rule.outbound)
    }
}

impl Destinations {
    /// The policy that lets out the least.
    fn least(&self) -> &Outbound {
        self.rules
            .iter()
            .map(|rule| &rule.outbound)
            .fold(&self.otherwise, |least, outbound| {
                if outbound.rank() < least.rank() {
                    outbound
                } else {
                    least
                }
            })
    }
}

impl Hosts {
    fn contain(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(name) => name.eq_ignore_ascii_case(host),
            Self::Below(suffix) => host
                .len()
                .checked_sub(suffix.len())
                .filter(|start| *start > 0)
                .and_then(|start| host.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix)),
        }
    }
}

/// The host without brackets and without the dot that marks a complete name.
fn normal(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn split_port(pattern: &str) -> (&str, Option<u16>) {
    match pattern.rsplit_once(':') {
        // More than one colon without brackets is an IPv6 address without a port.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (pattern, None),
        },
        _ => (pattern, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_destination_gets_the_least() {
        assert_eq!(
            Destinations::default().policy("", None),
            &Outbound::Everything
        );
        let destinations = Destinations::default()
            .except("a", Outbound::TraceContextOnly)
            .except("b", Outbound::baggage(["tenant"]));
        assert_eq!(destinations.policy("", None), &Outbound::TraceContextOnly);
        let destinations = destinations.except("*", Outbound::Nothing);
        assert_eq!(destinations.policy("", None), &Outbound::Nothing);
    }

    /// Whether a destination matches a pattern.
    fn matches(pattern: &str, host: &str, port: Option<u16>) -> bool {
        let destinations =
            Destinations::everywhere(Outbound::Nothing).except(pattern, Outbound::Everything);
        *destinations.policy(host, port) == Outbound::Everything
    }

    #[test]
    fn a_name_matches_itself_in_any_case() {
        assert!(matches("api.example.com", "API.Example.com", Some(443)));
        assert!(matches("API.example.com", "api.example.com.", None));
        assert!(!matches("api.example.com", "xapi.example.com", None));
        assert!(!matches("api.example.com", "example.com", None));
        assert!(!matches("api.example.com", "", None));
    }

    #[test]
    fn a_suffix_matches_all_names_below_it() {
        assert!(matches("*.example.com", "a.example.com", None));
        assert!(matches("*.example.com", "A.B.EXAMPLE.com", None));
        assert!(!matches("*.example.com", "example.com", None));
        assert!(!matches("*.example.com", ".example.com", None));
        assert!(!matches("*.example.com", "badexample.com", None));
        assert!(!matches("*.example.com", "é.example.org", None));
        assert!(!matches("*.m", "é", None));
    }

    #[test]
    fn a_star_matches_every_host() {
        assert!(matches("*", "anything", None));
        assert!(matches("*:8080", "anything", Some(8080)));
        assert!(!matches("*:8080", "anything", Some(80)));
    }

    #[test]
    fn a_port_must_be_the_same() {
        assert!(matches("host:81", "host", Some(81)));
        assert!(!matches("host:81", "host", Some(82)));
        assert!(!matches("host:81", "host", None));
    }

    #[test]
    fn addresses_of_ipv6_match_with_and_without_brackets() {
        assert!(matches("::1", "[::1]", Some(80)));
        assert!(matches("[::1]", "::1", None));
        assert!(matches("[::1]:80", "::1", Some(80)));
        assert!(!matches("[::1]:80", "::1", Some(81)));
    }

    #[test]
    fn what_is_no_pattern_matches_only_itself() {
        assert!(!matches("a*b", "axb", None));
        assert!(!matches("*example.com", "a.example.com", None));
        assert!(!matches("host:port", "host", None));
        assert!(!matches("", "host", None));
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let destinations = Destinations::everywhere(Outbound::Everything)
            .except("a.internal", Outbound::Nothing)
            .except("*.internal", Outbound::TraceContextOnly)
            .except("a.internal", Outbound::Everything);
        assert_eq!(destinations.policy("a.internal", None), &Outbound::Nothing);
        assert_eq!(
            destinations.policy("b.internal", None),
            &Outbound::TraceContextOnly
        );
        assert_eq!(
            destinations.policy("example.com", None),
            &Outbound::Everything
        );
        assert_eq!(
            Destinations::default().policy("example.com", None),
            &Outbound::Everything
        );
    }
}
