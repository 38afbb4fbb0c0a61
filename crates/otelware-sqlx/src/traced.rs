//! Streams and futures of queries that are observed from their first poll to their end.

use crate::call::{self, Call, Planned};
use crate::driver::Driver;
use crate::parts::Parts;
use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use otelware::operation::Operation;
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
            Some(Ok(Either::Right(_))) => operation.describe_mut().what_mut().row(),
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

/// The result of an operation.
pub(crate) struct QueryFuture<'e, T> {
    inner: BoxFuture<'e, Result<T, Error>>,
    progress: Progress,
    /// Whether a result is a row.
    is_row: fn(&T) -> bool,
}

impl<'e, T> QueryFuture<'e, T> {
    pub(crate) const fn new(
        inner: BoxFuture<'e, Result<T, Error>>,
        planned: Planned,
        is_row: fn(&T) -> bool,
    ) -> Self {
        Self {
            inner,
            progress: Progress::Planned(planned),
            is_row,
        }
    }
}

impl<T> Future for QueryFuture<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(operation) = this.progress.begun() else {
            return this.inner.as_mut().poll(cx);
        };
        let polled = {
            let _entered = operation.enter();
            this.inner.as_mut().poll(cx)
        };
        let result = ready!(polled);
        if result.as_ref().is_ok_and(this.is_row) {
            operation.describe_mut().what_mut().row();
        }
        this.progress.end(result.as_ref().err());
        Poll::Ready(result)
    }
}
