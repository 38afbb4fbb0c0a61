//! Warnings that are seen even where no subscriber listens.

/// Warns through `tracing`, or on the standard error while nobody listens there.
pub(super) fn warn(text: &str) {
    if tracing::dispatcher::has_been_set()
        && tracing::enabled!(target: "otelware", tracing::Level::WARN)
    {
        tracing::warn!(target: "otelware", "{text}");
    } else {
        eprintln!("otelware: {text}");
    }
}
