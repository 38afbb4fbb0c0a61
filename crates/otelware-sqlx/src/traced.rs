//! Streams and futures of queries that are observed from their first poll to their end.

use crate::call::{self, Call, Planned};
use crate::driver::{Driver, Results};
use crate::parts::Parts;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use otelware::operation::Operation;
use pin_project_lite::pin_project;
use sqlx::{Either, Error};
use sqlx_core::ext::async_stream::Yielder;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Yields all that a query returns, out of a connection that the stream holds.
pub(crate) async fn yield_all<DB: Driver>(
    connection: &mut DB::Connection,
    query: Parts<DB>,
    yielder: &Yielder<Either<DB::QueryResult, DB::Row>>,
) -> Result<(), Error> {
    let mut results = DB::fetch_many(connection, query);
    while let Some(result) = poll_fn(|cx| results.as_mut().poll_next(cx)).await {
        yielder.r#yield(result?).await;
    }
    Ok(())
}

/// What the statements of a query did, without the rows that they return.
pub(crate) async fn pass_over<DB: Driver>(
    mut results: Results<'_, DB>,
) -> Result<DB::QueryResult, Error> {
    let mut done = DB::QueryResult::default();
    while let Some(result) = poll_fn(|cx| results.as_mut().poll_next(cx)).await {
        if let Either::Left(result) = result? {
            done.extend(Some(result));
        }
    }
    Ok(done)
}

/// How far an operation is.
enum Progress {
    Planned(Planned),
    Begun(Operation<Call>),
    Over,
}

impl Progress {
    fn begun(&mut self) -> Option<&mut Operation<Call>> {
        if let Self::Planned(_) = self
            && let Self::Planned(planned) = std::mem::replace(self, Self::Over)
        {
            *self = Self::Begun(planned.begin());
        }
        match self {
            Self::Begun(operation) => Some(operation),
            _ => None,
        }
    }

    fn end(&mut self, error: Option<&Error>) {
        if let Self::Begun(operation) = std::mem::replace(self, Self::Over) {
            call::finish(operation, error);
        }
    }
}

/// The results and rows of a query.
pub(crate) struct QueryStream<'e, Q, R> {
    inner: BoxStream<'e, Result<Either<Q, R>, Error>>,
    progress: Progress,
}

impl<'e, Q, R> QueryStream<'e, Q, R> {
    pub(crate) const fn new(
        inner: BoxStream<'e, Result<Either<Q, R>, Error>>,
        planned: Planned,
    ) -> Self {
        Self {
            inner,
            progress: Progress::Planned(planned),
        }
    }
}

impl<Q, R> Stream for QueryStream<'_, Q, R> {
    type Item = Result<Either<Q, R>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(operation) = this.progress.begun() else {
            return this.inner.as_mut().poll_next(cx);
        };
        let polled = {
            let _entered = operation.enter();
            this.inner.as_mut().poll_next(cx)
        };
        let item = ready!(polled);
        match &item {
            Some(Ok(Either::Right(_))) => operation.describe_mut().what_mut().add_rows(1),
            Some(Ok(Either::Left(_))) => {}
            Some(Err(error)) => this.progress.end(Some(error)),
            None => this.progress.end(None),
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

pin_project! {
    /// The result of an operation.
    pub(crate) struct QueryFuture<F, T> {
        #[pin]
        inner: F,
        progress: Progress,
        // How many rows a result is.
        rows: fn(&T) -> usize,
    }
}

impl<F, T> QueryFuture<F, T> {
    pub(crate) const fn new(inner: F, planned: Planned, rows: fn(&T) -> usize) -> Self {
        Self {
            inner,
            progress: Progress::Planned(planned),
            rows,
        }
    }
}

impl<F: Future<Output = Result<T, Error>>, T> Future for QueryFuture<F, T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(operation) = this.progress.begun() else {
            return this.inner.poll(cx);
        };
        let polled = {
            let _entered = operation.enter();
            this.inner.poll(cx)
        };
        let result = ready!(polled);
        if let Ok(value) = &result {
            let rows = (this.rows)(value);
            operation.describe_mut().what_mut().add_rows(rows);
        }
        this.progress.end(result.as_ref().err());
        Poll::Ready(result)
    }
}
