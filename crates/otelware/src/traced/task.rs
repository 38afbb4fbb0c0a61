use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use tokio::task::JoinHandle;

/// Spawns a task that goes on in the current context, so that its spans are children of the
/// current one. (`tokio::spawn` alone begins new traces.)
///
/// # Panics
///
/// As [`tokio::spawn`] does: outside of a tokio runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.with_current_context())
}

/// Runs a blocking function on tokio's blocking threads, in the current context.
///
/// # Panics
///
/// As [`tokio::task::spawn_blocking`] does: outside of a tokio runtime.
#[track_caller]
pub fn spawn_blocking<F, T>(function: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let context = Context::current();
    tokio::task::spawn_blocking(move || {
        let _attached = context.attach();
        function()
    })
}
