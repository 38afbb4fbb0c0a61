//! What is done by hand around work for a database.

/// Observes the work, which fails by `E`.
pub(crate) trait Around<E> {
    async fn around<T>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E>;
}

/// What does the work observes it by itself, or nobody does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

impl<E> Around<E> for Nothing {
    async fn around<T>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        work.await
    }
}
