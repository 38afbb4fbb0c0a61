//! Warnings that are seen even where no subscriber listens.

use std::io::Write as _;

/// Warns through `tracing`, or on the standard error while nobody listens there.
pub(super) fn warn(text: &str) {
    if tracing::dispatcher::has_been_set()
        && tracing::enabled!(target: "otelware", tracing::Level::WARN)
    {
        tracing::warn!(target: "otelware", "{text}");
    } else {
        // A standard error that nobody reads must not end the program, as `eprintln!` would.
        let _ = writeln!(std::io::stderr().lock(), "otelware: {text}");
    }
}
