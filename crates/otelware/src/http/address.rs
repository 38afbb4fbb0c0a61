//! Addresses as attribute values.

use super::HostPort;
use crate::operation::{Recent, bounded};
use crate::semconv::attribute;
use opentelemetry::{KeyValue, StringValue};
use std::net::IpAddr;
use std::sync::Arc;

thread_local! {
    /// What recent hosts stand for.
    static HOSTS: Recent<(Option<StringValue>, Option<u16>)> = const { Recent::new() };
    /// Recent peers.
    static PEERS: Recent<StringValue> = const { Recent::new() };
}

/// Adds `server.address` and `server.port` of a server whose request names it as `host`
/// (`:authority`, or the header `Host`); nothing where that can't be read.
pub fn push_server_host(list: &mut Vec<KeyValue>, host: &[u8]) {
    let (address, port) = HOSTS.with(|hosts| {
        hosts.get_or_insert_with(host, |host| {
            match std::str::from_utf8(host).ok().and_then(HostPort::parse) {
                Some(found) => (
                    Some(Arc::<str>::from(bounded(found.host)).into()),
                    found.port,
                ),
                None => (None, None),
            }
        })
    });
    if let Some(address) = address {
        list.push(KeyValue::new(attribute::SERVER_ADDRESS, address));
        if let Some(port) = port {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
    }
}

/// The address of a peer as an attribute value; IPv4 in IPv6 is shown as IPv4.
pub fn address_value(address: IpAddr) -> StringValue {
    let address = address.to_canonical();
    let value = |octets: &[u8]| {
        let make = |_: &[u8]| Arc::<str>::from(address.to_string()).into();
        PEERS.with(|peers| peers.get_or_insert_with(octets, make))
    };
    match address {
        IpAddr::V4(address) => value(&address.octets()),
        IpAddr::V6(address) => value(&address.octets()),
    }
}
