//! The runtime that exporters run on, apart from the application's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use opentelemetry::Context;
use pin_project_lite::pin_project;
use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

use super::error::SetupError;

/// One worker thread for connections, timers and the encoding of gRPC messages.
///
/// The application's runtime is never used: set-up works without one, a single-threaded one cannot deadlock with an
/// exporter it has to drive, and exporting takes no time from its workers.
#[derive(Clone, Debug)]
pub(super) struct ExportRuntime {
    owned: Arc<Owned>,
}

#[derive(Debug)]
struct Owned {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl ExportRuntime {
    pub(super) fn start() -> Result<Self, SetupError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(2)
            .thread_name("otelware-export")
            .enable_all()
            // What connections log and trace on this thread must not become telemetry to be exported in turn.
            .on_thread_start(|| std::mem::forget(Context::enter_telemetry_suppressed_scope()))
            .build()
            .map_err(SetupError::Runtime)?;
        let owned = Owned {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        };
        Ok(Self {
            owned: Arc::new(owned),
        })
    }

    /// Makes this the current runtime, for what spawns while it is built.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.owned.handle.enter()
    }

    /// Runs `future` with this runtime's timers and connections, on whatever thread polls it, creating no telemetry.
    pub(super) fn run<F: Future>(&self, future: F) -> OnRuntime<F> {
        OnRuntime {
            handle: self.owned.handle.clone(),
            future,
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Waiting for the worker would panic inside asynchronous code, and no export is left to wait for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pin_project! {
    /// A future that sees the exporters' runtime whenever it is polled.
    pub(super) struct OnRuntime<F> {
        handle: Handle,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for OnRuntime<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _runtime = this.handle.enter();
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        this.future.poll(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_work_without_a_runtime_of_the_caller() {
        let runtime = ExportRuntime::start().unwrap();
        let waited = futures_util::FutureExt::now_or_never(runtime.run(async {
            tokio::time::timeout(Duration::from_secs(60), std::future::ready(7)).await
        }));
        assert_eq!(waited, Some(Ok(7)));
    }

    #[test]
    fn what_runs_on_it_is_suppressed() {
        let runtime = ExportRuntime::start().unwrap();
        let polled = futures_util::FutureExt::now_or_never(
            runtime.run(async { Context::is_current_telemetry_suppressed() }),
        );
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime.owned.handle.spawn(async move {
            sender.send((
                Context::is_current_telemetry_suppressed(),
                std::thread::current().name().map(str::to_owned),
            ))
        });
        let spawned = receiver.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(polled, Some(true));
        assert_eq!(spawned, (true, Some("otelware-export".to_owned())));
        assert!(!Context::is_current_telemetry_suppressed());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn may_be_dropped_in_asynchronous_code() {
        let runtime = ExportRuntime::start().unwrap();
        drop(runtime);
    }
}
