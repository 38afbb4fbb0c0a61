//! The pages of the guide and the READMEs, so that their code is compiled: `cargo test -p guide`.
//!
//! Their links, manifests and commands are checked by `tests/guide`.

/// Texts whose code is compiled, each as a module of its own.
macro_rules! compiled {
    ($($name:ident: $text:expr;)*) => {
        $(
            #[cfg(doctest)]
            #[doc = $text]
            mod $name {}
        )*
    };
}

compiled! {
    configuration: include_str!("src/configuration.md");
    getting_started: include_str!("src/getting-started.md");
    grpc: include_str!("src/grpc.md");
    http_client: include_str!("src/http-client.md");
    http_server: include_str!("src/http-server.md");
    kafka: include_str!("src/kafka.md");
    logs: include_str!("src/logs.md");
    migrating: include_str!("src/migrating.md");
    operating: include_str!("src/operating.md");
    own_code: include_str!("src/own-code.md");
    performance: include_str!("src/performance.md");
    propagation: include_str!("src/propagation.md");
    rabbitmq: include_str!("src/rabbitmq.md");
    redis: include_str!("src/redis.md");
    sampling: include_str!("src/sampling.md");
    sql: include_str!("src/sql.md");
    testing: include_str!("src/testing.md");
    troubleshooting: include_str!("src/troubleshooting.md");
    readme: include_str!("../README.md");
    readme_of_lapin: include_str!("../crates/otelware-lapin/README.md");
    readme_of_otelware: include_str!("../crates/otelware/README.md");
    readme_of_rdkafka: include_str!("../crates/otelware-rdkafka/README.md");
    readme_of_redis: include_str!("../crates/otelware-redis/README.md");
    readme_of_reqwest: include_str!("../crates/otelware-reqwest/README.md");
    readme_of_sqlx: include_str!("../crates/otelware-sqlx/README.md");
    readme_of_testing: include_str!("../crates/otelware-testing/README.md");
    readme_of_tonic: include_str!("../crates/otelware-tonic/README.md");
    readme_of_tower: include_str!("../crates/otelware-tower/README.md");
}
