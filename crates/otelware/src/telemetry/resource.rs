//! The resource: which service this is.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceId;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{ResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use percent_encoding::percent_decode_str;

use super::environment::Environment;

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// The resource of this process: `attributes` from code, then `OTEL_RESOURCE_ATTRIBUTES`, then `OTEL_SERVICE_NAME`, the
/// later winning.
///
/// The specification lets code win over `OTEL_RESOURCE_ATTRIBUTES`; here, as everywhere in the set-up, values given in
/// code are the program's defaults and the environment of a deployment overrides them.
pub(super) fn resource(environment: &mut Environment, attributes: &[KeyValue]) -> Resource {
    let mut merged: BTreeMap<_, _> = TelemetryResourceDetector
        .detect()
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let fixed = [
        KeyValue::new("service.instance.id", instance_id()),
        KeyValue::new("telemetry.distro.name", "otelware"),
        KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
    ];
    let from_environment = from_environment(environment);
    for attribute in fixed.iter().chain(attributes).chain(&from_environment) {
        merged.insert(attribute.key.clone(), attribute.value.clone());
    }
    Resource::builder_empty()
        .with_attributes(
            merged
                .into_iter()
                .map(|(key, value)| KeyValue::new(key, value)),
        )
        .build()
}

fn from_environment(environment: &mut Environment) -> Vec<KeyValue> {
    let mut attributes = Vec::new();
    if let Some(list) = environment.text(ATTRIBUTES) {
        let elements = list
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty());
        match elements.map(attribute).collect() {
            Some(listed) => attributes = listed,
            // One wrong element discards the whole value (specification, "Resource SDK").
            None => environment.complain(
                ATTRIBUTES,
                &list,
                "is not a list of attributes",
                "key=value,key=value with percent-encoding",
            ),
        }
    }
    if let Some(name) = environment.text("OTEL_SERVICE_NAME") {
        attributes.push(KeyValue::new("service.name", name));
    }
    attributes
}

/// `key=value`, the two percent-encoded (specification, "Resource SDK": Specifying resource information via an
/// environment variable).
fn attribute(element: &str) -> Option<KeyValue> {
    let (key, value) = element.split_once('=')?;
    let decode = |text: &str| {
        Some(
            percent_decode_str(text.trim())
                .decode_utf8()
                .ok()?
                .into_owned(),
        )
    };
    let key = decode(key).filter(|key| !key.is_empty())?;
    Some(KeyValue::new(key, decode(value)?))
}

/// A random UUID (version 4, RFC 9562).
fn instance_id() -> String {
    uuid(RandomIdGenerator::default().new_trace_id())
}

fn uuid(random: TraceId) -> String {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0x3 << 62;
    let bits = u128::from_be_bytes(random.to_bytes()) & !VERSION & !VARIANT | 4 << 76 | 2 << 62;
    let group = |shift: u32, digits: u32| (bits >> shift) & ((1 << (4 * digits)) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        group(96, 8),
        group(80, 4),
        group(64, 4),
        group(48, 4),
        group(0, 12)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(environment: &mut Environment, code: &[KeyValue]) -> BTreeMap<String, String> {
        resource(environment, code)
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .filter(|(key, _)| {
                !key.starts_with("telemetry.sdk.") && key != "telemetry.distro.version"
            })
            .collect()
    }

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn the_environment_overrides_code() {
        let mut environment = Environment::from_iter([
            (
                ATTRIBUTES,
                "service.name=listed, team = pay%20ments,service.instance.id=i-1,empty=",
            ),
            ("OTEL_SERVICE_NAME", "named"),
        ]);
        let code = [
            KeyValue::new("service.name", "coded"),
            KeyValue::new("service.version", "1.2.3"),
            KeyValue::new("team", "code"),
        ];
        assert_eq!(
            attributes(&mut environment, &code),
            map([
                ("empty", ""),
                ("service.instance.id", "i-1"),
                ("service.name", "named"),
                ("service.version", "1.2.3"),
                ("team", "pay ments"),
                ("telemetry.distro.name", "otelware"),
            ])
        );
        assert_eq!(environment.complaints(), &[]);
    }

    #[test]
    fn a_wrong_element_discards_the_list() {
        for list in ["a=1,b", "=c", "a=1,d=%ff"] {
            let mut environment = Environment::from_iter([(ATTRIBUTES, list)]);
            let code = [KeyValue::new("service.instance.id", "i")];
            assert_eq!(
                attributes(&mut environment, &code),
                map([
                    ("service.instance.id", "i"),
                    ("telemetry.distro.name", "otelware")
                ])
            );
            let complaints: Vec<String> = environment
                .complaints()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(
                complaints,
                [format!(
                    "OTEL_RESOURCE_ATTRIBUTES: {list:?} is not a list of attributes and is ignored; allowed: \
                     key=value,key=value with percent-encoding"
                )]
            );
        }
    }

    #[test]
    fn uuids_have_version_4_and_their_variant() {
        assert_eq!(
            uuid(TraceId::INVALID),
            "00000000-0000-4000-8000-000000000000"
        );
        assert_eq!(
            uuid(TraceId::from_bytes([0xff; 16])),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        assert_eq!(
            uuid(TraceId::from_bytes([
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
            ])),
            "00010203-0405-4607-8809-0a0b0c0d0e0f"
        );
        assert_ne!(instance_id(), instance_id());
    }

    #[test]
    fn the_sdk_is_named() {
        let resource = resource(&mut Environment::default(), &[]);
        let mut keys: Vec<&str> = resource.iter().map(|(key, _)| key.as_str()).collect();
        keys.retain(|key| key.starts_with("telemetry."));
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "telemetry.distro.name",
                "telemetry.distro.version",
                "telemetry.sdk.language",
                "telemetry.sdk.name",
                "telemetry.sdk.version"
            ]
        );
    }
}
