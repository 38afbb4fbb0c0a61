//! What a client's configuration tells of its brokers.

use otelware::messaging::Broker;
use rdkafka::ClientConfig;

/// The port that librdkafka takes where none is named.
const USUAL_PORT: u16 = 9_092;

/// The client id that librdkafka takes where none is set.
const USUAL_CLIENT_ID: &str = "rdkafka";

/// What the configuration tells.
pub(crate) fn broker(config: &ClientConfig) -> Broker {
    let listed = config
        .get("bootstrap.servers")
        .or_else(|| config.get("metadata.broker.list"));
    let (address, port) = listed.and_then(only_server).unzip();
    Broker {
        system: "kafka",
        address,
        port,
        client_id: Some(
            config
                .get("client.id")
                .unwrap_or(USUAL_CLIENT_ID)
                .to_owned(),
        ),
        consumer_group: config.get("group.id").map(str::to_owned),
    }
}

/// Host and port, where the list has one server: of several, nobody knows which is spoken to.
fn only_server(list: &str) -> Option<(String, u16)> {
    let mut servers = list
        .split(',')
        .map(str::trim)
        .filter(|server| !server.is_empty());
    let server = servers.next()?;
    if servers.next().is_some() {
        return None;
    }
    // A protocol may stand before it: `PLAINTEXT://kafka:9092`.
    let server = server
        .rsplit_once("://")
        .map_or(server, |(_, server)| server);
    address(server)
}

/// Host and port out of `host:port`, `host`, `[::1]:port` or `::1`.
pub(crate) fn address(server: &str) -> Option<(String, u16)> {
    let (host, port) = match server.rsplit_once(':') {
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (server, None),
        Some((_, port)) if port.ends_with(']') => (server, None),
        Some((host, port)) => (host, Some(port)),
        None => (server, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => USUAL_PORT,
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_is_named_and_several_are_not() {
        for (list, expected) in [
            ("kafka:9093", Some(("kafka", 9_093))),
            ("kafka", Some(("kafka", 9_092))),
            (" kafka:1 ,", Some(("kafka", 1))),
            ("PLAINTEXT://kafka:9094", Some(("kafka", 9_094))),
            ("[::1]:9095", Some(("::1", 9_095))),
            ("[::1]", Some(("::1", 9_092))),
            ("::1", Some(("::1", 9_092))),
            ("a:1,b:2", None),
            ("kafka:port", None),
            (":9092", None),
            ("", None),
            (",", None),
        ] {
            let found = only_server(list);
            let found = found.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(found, expected, "{list}");
        }
    }

    #[test]
    fn the_configuration_is_read() {
        let mut config = ClientConfig::new();
        assert_eq!(
            broker(&config),
            Broker {
                system: "kafka",
                client_id: Some("rdkafka".to_owned()),
                ..Broker::default()
            }
        );
        config
            .set("metadata.broker.list", "old:1")
            .set("bootstrap.servers", "kafka:2")
            .set("client.id", "shop")
            .set("group.id", "billing");
        assert_eq!(
            broker(&config),
            Broker {
                system: "kafka",
                address: Some("kafka".to_owned()),
                port: Some(2),
                client_id: Some("shop".to_owned()),
                consumer_group: Some("billing".to_owned()),
            }
        );
    }
}
