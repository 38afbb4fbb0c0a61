//! The methods of a file descriptor set.

use prost::Message;
use prost_types::FileDescriptorSet;

/// Bytes that are no file descriptor set.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidDescriptorSet(prost::DecodeError);

impl std::fmt::Display for InvalidDescriptorSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an encoded file descriptor set; give what `protoc --descriptor_set_out` or `file_descriptor_set_path` of tonic-prost-build writes")
    }
}

impl std::error::Error for InvalidDescriptorSet {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The methods of all services in an encoded file descriptor set, `package.Service/Method`.
pub(super) fn methods(encoded: &[u8]) -> Result<Vec<String>, InvalidDescriptorSet> {
    let set = FileDescriptorSet::decode(encoded).map_err(InvalidDescriptorSet)?;
    let mut methods = Vec::new();
    for file in set.file {
        let package = match file.package.as_deref() {
            None | Some("") => String::new(),
            Some(package) => format!("{package}."),
        };
        for service in file.service {
            for method in &service.method {
                methods.push(format!("{package}{}/{}", service.name(), method.name()));
            }
        }
    }
    Ok(methods)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use prost_types::{FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

    fn file(package: Option<&str>, service: &str, methods: &[&str]) -> FileDescriptorProto {
        let method = |name: &&str| MethodDescriptorProto {
            name: Some((*name).to_owned()),
            ..Default::default()
        };
        FileDescriptorProto {
            package: package.map(str::to_owned),
            service: vec![ServiceDescriptorProto {
                name: Some(service.to_owned()),
                method: methods.iter().map(method).collect(),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn all_methods_of_all_services_are_found() {
        let set = FileDescriptorSet {
            file: vec![
                file(Some("shop.v1"), "Orders", &["Place", "Watch"]),
                file(None, "Bare", &["Do"]),
            ],
        };
        assert_eq!(
            methods(&set.encode_to_vec()),
            Ok(vec![
                "shop.v1.Orders/Place".to_owned(),
                "shop.v1.Orders/Watch".to_owned(),
                "Bare/Do".to_owned()
            ])
        );
    }

    #[test]
    fn other_bytes_are_refused_with_advice() {
        let error = methods(b"\xff\xff").unwrap_err();
        assert!(error.to_string().contains("descriptor_set_out"));
    }
}
