//! Log records of all services.

use otelware_testing::otlp::Received;

use crate::traces::{service, text, value_text};

/// A record, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct ServiceLog {
    pub(crate) service: String,
    pub(crate) trace_id: Vec<u8>,
    pub(crate) body: String,
    /// The attribute `error`.
    pub(crate) error: Option<String>,
}

/// Everything that was logged.
pub(crate) fn all(received: &Received) -> Vec<ServiceLog> {
    let mut logs = Vec::new();
    for resource in (received.logs.iter()).flat_map(|export| &export.resource_logs) {
        let service = service(resource.resource.as_ref());
        for record in resource
            .scope_logs
            .iter()
            .flat_map(|scope| &scope.log_records)
        {
            logs.push(ServiceLog {
                service: service.clone(),
                trace_id: record.trace_id.clone(),
                body: value_text(record.body.as_ref()),
                error: text(&record.attributes, "error"),
            });
        }
    }
    logs
}
