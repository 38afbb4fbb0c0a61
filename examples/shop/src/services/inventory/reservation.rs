//! The stream that reserves: a line comes, an answer goes.

use super::stock::Stock;
use super::v1::{Line, Reserved};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio_stream::Stream;
use tonic::{Status, Streaming};

/// The answers to the lines that come. What was taken is given back unless the last line was answered:
/// where one could not be had, and where the caller went away.
pub(super) struct Reservation {
    stock: Stock,
    lines: Streaming<Line>,
    taken: Vec<Line>,
}

impl Reservation {
    pub(super) const fn new(stock: Stock, lines: Streaming<Line>) -> Self {
        Self {
            stock,
            lines,
            taken: Vec::new(),
        }
    }
}

impl Stream for Reservation {
    type Item = Result<Reserved, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(line) = ready!(Pin::new(&mut self.lines).poll_next(cx)) else {
            self.taken.clear();
            return Poll::Ready(None);
        };
        Poll::Ready(Some(line.and_then(|line| {
            let left = self.stock.take(&line)?;
            tracing::debug!(line.product, line.quantity, left, "reserved");
            self.taken.push(line);
            Ok(Reserved { left })
        })))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for line in &self.taken {
            self.stock.give_back(line);
        }
    }
}
