//! `COPY` of PostgreSQL, in and out.

use crate::call::{self, Call, Planned};
use crate::connection::Connection;
use crate::core::Core;
use crate::pool::Pool;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use otelware::operation::Operation;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgCopyIn, PgPoolCopyExt};
use sqlx::{Error, Postgres};
use sqlx_core::bytes::Bytes;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

impl Connection<Postgres> {
    /// As [`PgConnection::copy_in_raw`]; the span lasts until the copy is finished.
    ///
    /// # Errors
    ///
    /// Those of [`PgConnection::copy_in_raw`].
    pub async fn copy_in_raw(
        &mut self,
        statement: &str,
    ) -> Result<CopyIn<&mut PgConnection>, Error> {
        let core = self.core().clone();
        CopyIn::begin(&core, statement, self.raw_mut().copy_in_raw(statement)).await
    }

    /// As [`PgConnection::copy_out_raw`]; the span lasts until the stream has ended.
    ///
    /// # Errors
    ///
    /// Those of [`PgConnection::copy_out_raw`].
    pub async fn copy_out_raw(
        &mut self,
        statement: &str,
    ) -> Result<BoxStream<'_, Result<Bytes, Error>>, Error> {
        let core = self.core().clone();
        CopyOut::begin(&core, statement, self.raw_mut().copy_out_raw(statement)).await
    }
}

impl Pool<Postgres> {
    /// As [`PgPoolCopyExt::copy_in_raw`]; the span lasts until the copy is finished.
    ///
    /// # Errors
    ///
    /// Those of [`PgPoolCopyExt::copy_in_raw`].
    pub async fn copy_in_raw(
        &self,
        statement: &str,
    ) -> Result<CopyIn<PoolConnection<Postgres>>, Error> {
        CopyIn::begin(self.core(), statement, self.inner().copy_in_raw(statement)).await
    }

    /// As [`PgPoolCopyExt::copy_out_raw`]; the span lasts until the stream has ended.
    ///
    /// # Errors
    ///
    /// Those of [`PgPoolCopyExt::copy_out_raw`].
    pub async fn copy_out_raw(
        &self,
        statement: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        CopyOut::begin(self.core(), statement, self.inner().copy_out_raw(statement)).await
    }
}

/// A `COPY … FROM STDIN` under way. It takes the place of [`PgCopyIn`]; its span lasts until it is
/// finished, aborted or dropped.
#[must_use = "a copy must be finished or aborted"]
pub struct CopyIn<C: DerefMut<Target = PgConnection>> {
    inner: PgCopyIn<C>,
    operation: Operation<Call>,
}

impl<C: DerefMut<Target = PgConnection>> CopyIn<C> {
    async fn begin(
        core: &Arc<Core>,
        statement: &str,
        begin: impl Future<Output = Result<PgCopyIn<C>, Error>>,
    ) -> Result<Self, Error> {
        let mut operation = Planned::query(core, statement, false).begin();
        match operation.within(begin).await {
            Ok(inner) => Ok(Self { inner, operation }),
            Err(error) => {
                call::finish(operation, Some(&error));
                Err(error)
            }
        }
    }

    /// As [`PgCopyIn::is_textual`].
    pub fn is_textual(&self) -> bool {
        self.inner.is_textual()
    }

    /// As [`PgCopyIn::num_columns`].
    pub fn num_columns(&self) -> usize {
        self.inner.num_columns()
    }

    /// As [`PgCopyIn::column_is_textual`].
    ///
    /// # Panics
    ///
    /// If there is no such column, as sqlx's own does.
    pub fn column_is_textual(&self, column: usize) -> bool {
        self.inner.column_is_textual(column)
    }

    /// As [`PgCopyIn::send`].
    ///
    /// # Errors
    ///
    /// Those of [`PgCopyIn::send`].
    pub async fn send(&mut self, data: impl Deref<Target = [u8]>) -> Result<&mut Self, Error> {
        self.operation.within(self.inner.send(data)).await?;
        Ok(self)
    }

    /// As [`PgCopyIn::read_from`].
    ///
    /// # Errors
    ///
    /// Those of [`PgCopyIn::read_from`].
    pub async fn read_from(
        &mut self,
        source: impl sqlx_core::io::AsyncRead + Unpin,
    ) -> Result<&mut Self, Error> {
        self.operation.within(self.inner.read_from(source)).await?;
        Ok(self)
    }

    /// As [`PgCopyIn::abort`], which the caller wants so: the span is no error.
    ///
    /// # Errors
    ///
    /// Those of [`PgCopyIn::abort`].
    pub async fn abort(self, message: impl Into<String>) -> Result<(), Error> {
        let Self {
            inner,
            mut operation,
        } = self;
        let aborted = operation.within(inner.abort(message)).await;
        end(operation, aborted)
    }

    /// As [`PgCopyIn::finish`].
    ///
    /// # Errors
    ///
    /// Those of [`PgCopyIn::finish`].
    pub async fn finish(self) -> Result<u64, Error> {
        let Self {
            inner,
            mut operation,
        } = self;
        let finished = operation.within(inner.finish()).await;
        end(operation, finished)
    }
}

impl<C: DerefMut<Target = PgConnection>> std::fmt::Debug for CopyIn<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyIn").finish_non_exhaustive()
    }
}

/// The data of a `COPY … TO STDOUT`.
struct CopyOut<'c> {
    inner: BoxStream<'c, Result<Bytes, Error>>,
    operation: Option<Operation<Call>>,
}

impl<'c> CopyOut<'c> {
    async fn begin(
        core: &Arc<Core>,
        statement: &str,
        begin: impl Future<Output = Result<BoxStream<'c, Result<Bytes, Error>>, Error>>,
    ) -> Result<BoxStream<'c, Result<Bytes, Error>>, Error> {
        let mut operation = Planned::query(core, statement, false).begin();
        match operation.within(begin).await {
            Ok(inner) => Ok(Box::pin(CopyOut {
                inner,
                operation: Some(operation),
            })),
            Err(error) => {
                call::finish(operation, Some(&error));
                Err(error)
            }
        }
    }
}

impl CopyOut<'_> {
    fn end(&mut self, error: Option<&Error>) {
        if let Some(operation) = self.operation.take() {
            call::finish(operation, error);
        }
    }
}

impl Stream for CopyOut<'_> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let item = {
            let _entered = this.operation.as_mut().map(Operation::enter);
            ready!(this.inner.as_mut().poll_next(cx))
        };
        match &item {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.end(Some(error)),
            None => self.end(None),
        }
        Poll::Ready(item)
    }
}

fn end<T>(operation: Operation<Call>, result: Result<T, Error>) -> Result<T, Error> {
    call::finish(operation, result.as_ref().err());
    result
}
