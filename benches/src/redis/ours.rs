//! `otelware-redis`, with explicit providers.

use otelware_redis::{Instrumented, RedisOptions};
use redis::ConnectionInfo;
use redis::aio::ConnectionLike;

use crate::commands::{Blocking, Connection};
use crate::telemetry::Telemetry;

/// A connection that ours can observe.
pub(super) trait Observable: Connection {
    type Observed: Connection + 'static;

    fn observed(self, server: &ConnectionInfo, telemetry: &Telemetry) -> Self::Observed;
}

impl<C: ConnectionLike + Send + 'static> Observable for C {
    type Observed = Instrumented<C>;

    fn observed(self, server: &ConnectionInfo, telemetry: &Telemetry) -> Instrumented<C> {
        Instrumented::wrap(self, server, options(telemetry))
    }
}

impl<C: redis::ConnectionLike + 'static> Observable for Blocking<C> {
    type Observed = Blocking<Instrumented<C>>;

    fn observed(self, server: &ConnectionInfo, telemetry: &Telemetry) -> Self::Observed {
        Blocking(Instrumented::wrap(self.0, server, options(telemetry)))
    }
}

fn options(telemetry: &Telemetry) -> RedisOptions {
    let mut options = RedisOptions::new();
    if let Some(provider) = &telemetry.tracer_provider {
        options = options.with_tracer_provider(provider.clone());
    }
    if let Some(provider) = &telemetry.meter_provider {
        options = options.with_meter_provider(provider.clone());
    }
    options
}
