//! Where a console exporter writes, shared by all its clones.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::Key;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

/// A writer with what belongs to its text: colour and the name of the service.
pub(super) struct Output {
    writer: Box<dyn Write + Send>,
    is_shut_down: bool,
    pub(super) color: bool,
    pub(super) service_name: Option<String>,
}

impl Output {
    pub(super) fn stdout() -> Self {
        Self::new(io::stdout(), wants_color(&io::stdout()))
    }

    pub(super) fn stderr() -> Self {
        Self::new(io::stderr(), wants_color(&io::stderr()))
    }

    /// Without colour, for nobody knows what reads from `writer`.
    pub(super) fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::new(writer, false)
    }

    fn new(writer: impl Write + Send + 'static, color: bool) -> Self {
        Self {
            writer: Box::new(writer),
            is_shut_down: false,
            color,
            service_name: None,
        }
    }

    /// Takes over the `service.name` of `resource`.
    pub(super) fn set_resource(&mut self, resource: &Resource) {
        self.service_name = service_name(resource);
    }

    /// Writes `text` and flushes.
    pub(super) fn write(&mut self, text: &str) -> OTelSdkResult {
        if text.is_empty() {
            return Ok(());
        }
        self.writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush())
            .map_err(failure)
    }

    /// An error once [`Output::shut_down`] was called.
    pub(super) fn ensure_running(&self) -> OTelSdkResult {
        if self.is_shut_down {
            Err(OTelSdkError::AlreadyShutdown)
        } else {
            Ok(())
        }
    }

    pub(super) fn shut_down(&mut self) -> OTelSdkResult {
        self.ensure_running()?;
        self.is_shut_down = true;
        Ok(())
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Output")
            .field("color", &self.color)
            .field("service_name", &self.service_name)
            .field("is_shut_down", &self.is_shut_down)
            .finish_non_exhaustive()
    }
}

/// The value of `service.name`, if the resource has one.
pub(super) fn service_name(resource: &Resource) -> Option<String> {
    resource
        .get(&Key::from_static_str("service.name"))
        .map(|value| value.to_string())
}

/// Whether `stream` is a terminal and its user did not decline colour (<https://no-color.org>).
pub(super) fn wants_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Locks `mutex`; a panic elsewhere while it was held leaves at worst a half-written line.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn failure(error: io::Error) -> OTelSdkError {
    OTelSdkError::InternalFailure(format!("console output failed: {error}"))
}
