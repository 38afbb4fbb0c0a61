//! `otelware-sqlx`, with explicit providers.

use otelware_sqlx::{Driver, Instrument, Pool, SqlOptions};

use crate::telemetry::Telemetry;

pub(crate) fn pool<DB: Driver>(pool: sqlx::Pool<DB>, telemetry: &Telemetry) -> Pool<DB> {
    let mut options = SqlOptions::new();
    if let Some(provider) = &telemetry.tracer_provider {
        options = options.with_tracer_provider(provider.clone());
    }
    if let Some(provider) = &telemetry.meter_provider {
        options = options.with_meter_provider(provider.clone());
    }
    pool.instrument_with(options)
}
