//! What proxies tell of the original request: `Forwarded` (RFC 7239) and `X-Forwarded-*`.

use http::header::{self, HeaderMap, HeaderName};
use otelware::http::HostPort;
use std::net::IpAddr;
use std::sync::Arc;

/// Longer chains of proxies are not followed.
const MOST_HOPS: usize = 32;

/// Which proxies are believed when they tell of the original request.
///
/// Any client can send these headers, so that by default none is believed. Of those that are,
/// the headers `X-Forwarded-For`, `-Proto` and `-Host` are read, or with
/// [`that_write_forwarded`](Self::that_write_forwarded) the header `Forwarded`: never both, since
/// proxies pass on what a client wrote into the one that they do not write.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    policy: Policy,
    writes_forwarded: bool,
}

#[derive(Clone, Debug, Default)]
enum Policy {
    #[default]
    None,
    Hops(usize),
    Networks(Arc<[Network]>),
}

impl TrustedProxies {
    /// None is believed: the client is the peer of the connection. This is the default.
    pub const fn none() -> Self {
        Self::new(Policy::None)
    }

    /// The `count` proxies nearest to this service are believed: for a service that can be
    /// reached through exactly so many and in no other way.
    pub const fn nearest(count: usize) -> Self {
        match count {
            0 => Self::none(),
            count => Self::new(Policy::Hops(count)),
        }
    }

    /// Proxies whose addresses lie in these networks are believed. The peer's own address must be
    /// known (see the crate's feature `axum`, or [`PeerAddress`](super::PeerAddress)).
    pub fn networks(networks: impl IntoIterator<Item = Network>) -> Self {
        Self::new(Policy::Networks(networks.into_iter().collect()))
    }

    /// These proxies write `Forwarded` (RFC 7239) instead of `X-Forwarded-*`.
    #[must_use]
    pub fn that_write_forwarded(mut self) -> Self {
        self.writes_forwarded = true;
        self
    }

    const fn new(policy: Policy) -> Self {
        Self {
            policy,
            writes_forwarded: false,
        }
    }

    /// What the believed proxies tell.
    pub(super) fn original<'a>(
        &self,
        peer: impl FnOnce() -> Option<IpAddr>,
        headers: &'a HeaderMap,
    ) -> Option<Original<'a>> {
        if matches!(self.policy, Policy::None) {
            return None;
        }
        let chain = Chain::read(headers, self.writes_forwarded);
        // How many entries, from the right, proxies that are believed have written.
        let depth = match &self.policy {
            Policy::None => 0,
            Policy::Hops(count) => *count,
            Policy::Networks(networks) => {
                let trusted = |address: Option<IpAddr>| {
                    address.is_some_and(|address| {
                        networks.iter().any(|network| network.contains(address))
                    })
                };
                if !trusted(peer()) {
                    return None;
                }
                let proxies =
                    chain.clients.iter().rev().take_while(|client| {
                        trusted(client.and_then(|client| client.parse().ok()))
                    });
                1 + proxies.count()
            }
        };
        Some(Original {
            client: chain.at(&chain.clients, depth).flatten(),
            scheme: chain.at(&chain.schemes, depth).flatten(),
            host: chain.at(&chain.hosts, depth).flatten(),
        })
    }
}

/// The request as the outermost believed proxy got it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Original<'a> {
    pub(super) client: Option<&'a str>,
    pub(super) scheme: Option<&'a str>,
    pub(super) host: Option<&'a str>,
}

/// What all proxies tell, from the client inwards.
#[derive(Debug, Default)]
struct Chain<'a> {
    clients: Vec<Option<&'a str>>,
    schemes: Vec<Option<&'a str>>,
    hosts: Vec<Option<&'a str>>,
}

impl<'a> Chain<'a> {
    fn read(headers: &'a HeaderMap, writes_forwarded: bool) -> Self {
        let mut chain = Self::default();
        if writes_forwarded {
            for element in elements(headers, &header::FORWARDED) {
                let parameter = |name: &str| {
                    element.split(';').find_map(|pair| {
                        let (key, value) = pair.split_once('=')?;
                        key.trim()
                            .eq_ignore_ascii_case(name)
                            .then(|| value.trim().trim_matches('"'))
                    })
                };
                chain.clients.push(parameter("for").and_then(address));
                chain.schemes.push(parameter("proto"));
                chain.hosts.push(parameter("host"));
            }
        } else {
            let list = |name: &'static str| elements(headers, &HeaderName::from_static(name));
            chain.clients = list("x-forwarded-for").into_iter().map(address).collect();
            chain.schemes = list("x-forwarded-proto").into_iter().map(Some).collect();
            chain.hosts = list("x-forwarded-host").into_iter().map(Some).collect();
        }
        chain
    }

    /// The entry `depth` from the right, or the outermost one of a shorter list: many proxies
    /// pass on what the outermost wrote.
    fn at<T: Copy>(&self, list: &[T], depth: usize) -> Option<T> {
        let index = list.len().saturating_sub(depth);
        list.get(index).copied()
    }
}

/// The elements of a list header, of all its lines, from the last `MOST_HOPS`.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let mut elements: Vec<&str> = headers
        .get_all(name)
        .iter()
        .rev()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
        .map(str::trim)
        .take(MOST_HOPS)
        .collect();
    elements.reverse();
    elements
}

/// The address in a `for`: without port, brackets and quotes; not `unknown` and not `_hidden`.
fn address(node: &str) -> Option<&str> {
    let node = node.trim_matches('"');
    if node.parse::<IpAddr>().is_ok() {
        return Some(node);
    }
    let host = HostPort::parse(node)?.host;
    host.parse::<IpAddr>().ok().map(|_| host)
}

/// A network of addresses, as in `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNetwork(String);

impl std::fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is no network; write it as 10.0.0.0/8 or fd00::/8",
            self.0
        )
    }
}

impl std::error::Error for InvalidNetwork {}

impl std::str::FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix.parse().map_err(|_| invalid())?,
        };
        if prefix > bits {
            return Err(invalid());
        }
        Ok(Self { address, prefix })
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        // A dual-stack socket shows IPv4 peers as mapped addresses.
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => same_prefix(
                u32::from(network).into(),
                u32::from(address).into(),
                self.prefix,
                32,
            ),
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                same_prefix(network.into(), address.into(), self.prefix, 128)
            }
            _ => false,
        }
    }
}

fn same_prefix(left: u128, right: u128, prefix: u8, bits: u8) -> bool {
    let ignored = u32::from(bits.saturating_sub(prefix));
    (left ^ right).checked_shr(ignored).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn original(
        proxies: &TrustedProxies,
        peer: &str,
        lines: &[(&'static str, &str)],
    ) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let headers = headers(lines);
        let found = proxies.original(|| peer.parse().ok(), &headers)?;
        let own = |text: Option<&str>| text.map(str::to_owned);
        Some((own(found.client), own(found.scheme), own(found.host)))
    }

    fn told(
        client: &str,
        scheme: &str,
        host: &str,
    ) -> (Option<String>, Option<String>, Option<String>) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (some(client), some(scheme), some(host))
    }

    const CHAIN: &[(&str, &str)] = &[
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(
            original(&TrustedProxies::default(), "10.0.0.1", CHAIN),
            None
        );
        assert_eq!(
            original(&TrustedProxies::nearest(0), "10.0.0.1", CHAIN),
            None
        );
    }

    #[test]
    fn hops_are_counted_from_this_side() {
        for (hops, client) in [
            (1, "10.0.0.2"),
            (2, "203.0.113.7"),
            (3, "6.6.6.6"),
            (9, "6.6.6.6"),
        ] {
            assert_eq!(
                original(&TrustedProxies::nearest(hops), "10.0.0.1", CHAIN),
                Some(told(client, "https", "shop.example"))
            );
        }
    }

    #[test]
    fn a_forged_entry_is_not_believed_behind_known_networks() {
        let proxies = TrustedProxies::networks(["10.0.0.0/8".parse().unwrap()]);
        let found = Some(told("203.0.113.7", "https", "shop.example"));
        assert_eq!(original(&proxies, "10.0.0.1", CHAIN), found);
        assert_eq!(original(&proxies, "::ffff:10.0.0.1", CHAIN), found);
        assert_eq!(original(&proxies, "203.0.113.9", CHAIN), None);
        assert_eq!(original(&proxies, "unknown", CHAIN), None);
    }

    #[test]
    fn only_the_header_that_the_proxies_write_is_read() {
        let proxies = TrustedProxies::nearest(1);
        for (line, expected) in [
            (
                "for=192.0.2.60;proto=https;by=203.0.113.43",
                told("192.0.2.60", "https", ""),
            ),
            (
                "For=\"[2001:db8:cafe::17]:4711\";Host=h.example",
                told("2001:db8:cafe::17", "", "h.example"),
            ),
            ("for=\"192.0.2.43:47011\"", told("192.0.2.43", "", "")),
            ("for=unknown;proto=http", told("", "http", "")),
            ("for=_hidden", told("", "", "")),
            ("nonsense", told("", "", "")),
        ] {
            let lines = [("forwarded", line), ("x-forwarded-for", "6.6.6.6")];
            assert_eq!(
                original(&proxies.clone().that_write_forwarded(), "10.0.0.1", &lines),
                Some(expected),
                "{line}"
            );
            let found = original(&proxies, "10.0.0.1", &lines);
            assert_eq!(found, Some(told("6.6.6.6", "", "")), "{line}");
        }
    }

    #[test]
    fn networks() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "2001:db8::1", true),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                inside,
                "{network:?} {address}"
            );
        }
        for wrong in ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/"] {
            assert_eq!(
                wrong.parse::<Network>().unwrap_err().to_string(),
                format!("{wrong:?} is no network; write it as 10.0.0.0/8 or fd00::/8")
            );
        }
    }

    proptest! {
        #[test]
        fn any_header_is_survived(forwarded in "[ -~]{0,80}", list in "[ -~]{0,80}", hops in 0_usize..5) {
            let headers = headers(&[("forwarded", &forwarded), ("x-forwarded-for", &list)]);
            let proxies = TrustedProxies::nearest(hops);
            let _ = proxies.original(|| None, &headers);
            let _ = proxies.that_write_forwarded().original(|| None, &headers);
        }
    }
}
