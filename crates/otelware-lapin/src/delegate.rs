//! Delegates of consumers.

use crate::delivery::Delivery;
use crate::source::Source;
use lapin::Result;
use otelware::opentelemetry::Context;
use otelware::operation::ErrorType;
use std::future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// A message, the end of its consumer, or what ended that.
pub type DeliveryResult = Result<Option<Delivery>>;

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What processes the messages of a consumer one by one, as [`lapin::ConsumerDelegate`]. Closures
/// that return a future are delegates.
pub trait ConsumerDelegate: Send + Sync {
    /// Processes a message, or learns that there are no more. The process span is the current one
    /// both in this call and in its future.
    fn on_new_delivery(&self, delivery: DeliveryResult)
    -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Messages that were not processed yet go back to their queue.
    fn drop_prefetched_messages(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(future::ready(()))
    }
}

impl<F, D> ConsumerDelegate for D
where
    F: Future<Output = ()> + Send + 'static,
    D: Fn(DeliveryResult) -> F + Send + Sync + 'static,
{
    fn on_new_delivery(&self, delivery: DeliveryResult) -> BoxFuture {
        Box::pin(self(delivery))
    }
}

/// A delegate whose work is observed.
#[derive(Debug)]
pub(crate) struct Observed<D> {
    delegate: D,
    source: Arc<Source>,
}

impl<D> Observed<D> {
    pub(crate) const fn new(delegate: D, source: Arc<Source>) -> Self {
        Self { delegate, source }
    }
}

impl<D: ConsumerDelegate> lapin::ConsumerDelegate for Observed<D> {
    fn on_new_delivery(&self, delivery: lapin::message::DeliveryResult) -> BoxFuture {
        let delivery = match delivery {
            Ok(Some(delivery)) => delivery,
            end => {
                self.source.state.unacknowledged.prune();
                return self.delegate.on_new_delivery(end.map(|_| None));
            }
        };
        let failure: Arc<OnceLock<ErrorType>> = Arc::default();
        let mut delivery = self.source.consume(delivery);
        delivery.acker.origin_mut().failure = Some(failure.clone());
        let mut processing = {
            // What is current here has nothing to do with the message: it is that of lapin's thread,
            // or, for messages that came before the delegate, that of who sets the delegate.
            let _outside = Context::new().attach();
            delivery.start_process()
        };
        // Called at once, since delegates may count on the order of their calls.
        let work = processing.in_scope(|| self.delegate.on_new_delivery(Ok(Some(delivery))));
        Box::pin(async move {
            processing.within(work).await;
            match failure.get() {
                None => processing.finish(),
                Some(class) => processing.fail(class.clone()),
            }
        })
    }

    fn drop_prefetched_messages(&self) -> BoxFuture {
        self.delegate.drop_prefetched_messages()
    }
}
