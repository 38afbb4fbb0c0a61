//! Host and port, as HTTP writes them.

/// A host and, where it is given, a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The name or address, without the brackets of an IPv6 address.
    pub host: &'a str,
    /// The port.
    pub port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Reads a `Host` header, an `:authority` or the like: `example.com`, `example.com:8080`,
    /// `[2001:db8::1]:443`. `None` where it is none of these.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (host, rest) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (host, rest) = bracketed.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, rest)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (host, rest) = text.split_at(end);
                if host.is_empty() || !host.bytes().all(is_name_byte) {
                    return None;
                }
                (host, rest)
            }
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { host, port })
    }
}

/// Whether a byte may stand in a registered name or an IPv4 address (RFC 3986 §3.2.2).
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_and_ports() {
        let parse = |text| HostPort::parse(text).map(|found| (found.host, found.port));
        for (text, expected) in [
            ("example.com", Some(("example.com", None))),
            ("example.com:8080", Some(("example.com", Some(8080)))),
            ("example.com:", Some(("example.com", None))),
            ("10.0.0.1:80", Some(("10.0.0.1", Some(80)))),
            ("[2001:db8::1]", Some(("2001:db8::1", None))),
            ("[::1]:443", Some(("::1", Some(443)))),
            (" h ", Some(("h", None))),
            ("2001:db8::1", None),
            ("[::1", None),
            ("[name]:1", None),
            ("[::1]x", None),
            ("h:port", None),
            ("h:+1", None),
            ("h:65536", None),
            ("user@h", None),
            ("h/path", None),
            (":80", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_in_the_text(text in any::<String>()) {
            if let Some(found) = HostPort::parse(&text) {
                prop_assert!(text.contains(found.host));
                prop_assert!(!found.host.is_empty());
            }
        }
    }
}
