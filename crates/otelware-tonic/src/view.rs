use http::{Extensions, HeaderMap, Uri};

/// A call as hooks and filters see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallView<'a> {
    /// The method as it was called, `package.Service/Method`, whether it exists or not.
    pub method: &'a str,
    /// The target of the request.
    pub uri: &'a Uri,
    /// The metadata.
    pub metadata: &'a HeaderMap,
    /// The extensions.
    pub extensions: &'a Extensions,
}

impl<'a> CallView<'a> {
    /// The service, `package.Service`.
    pub fn service(&self) -> &'a str {
        match self.method.rsplit_once('/') {
            Some((service, _)) => service,
            None => self.method,
        }
    }

    /// Whether the call is one of gRPC's health checking protocol.
    pub fn is_health_check(&self) -> bool {
        self.service() == "grpc.health.v1.Health"
    }

    /// Whether the call is one of gRPC's server reflection protocol.
    pub fn is_reflection(&self) -> bool {
        self.service().starts_with("grpc.reflection.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_by_their_names() {
        for (method, service, health, reflection) in [
            (
                "grpc.health.v1.Health/Check",
                "grpc.health.v1.Health",
                true,
                false,
            ),
            (
                "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                "grpc.reflection.v1alpha.ServerReflection",
                false,
                true,
            ),
            (
                "grpc.healthy.v1.Health/Check",
                "grpc.healthy.v1.Health",
                false,
                false,
            ),
            ("odd", "odd", false, false),
        ] {
            let view = CallView {
                method,
                uri: &Uri::default(),
                metadata: &HeaderMap::new(),
                extensions: &Extensions::new(),
            };
            assert_eq!(
                (view.service(), view.is_health_check(), view.is_reflection()),
                (service, health, reflection)
            );
        }
    }
}
