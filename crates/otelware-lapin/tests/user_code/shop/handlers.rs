//! What handles orders as a delegate.

use super::amqp::message::{Delivery, DeliveryResult};
use super::amqp::options::BasicAckOptions;
use super::amqp::{Acker, ConsumerDelegate};
use std::pin::Pin;
use tokio::sync::mpsc::UnboundedSender;

/// A closure that is a delegate.
pub(super) fn closure(sender: UnboundedSender<String>) -> impl ConsumerDelegate + 'static {
    move |delivery: DeliveryResult| {
        let sender = sender.clone();
        async move {
            if let Ok(Some(delivery)) = delivery {
                finish(&delivery.acker).await;
                sender.send(body(&delivery)).unwrap();
            }
        }
    }
}

/// A type that is one.
pub(super) struct Collector {
    pub(super) sender: UnboundedSender<String>,
}

impl ConsumerDelegate for Collector {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let sender = self.sender.clone();
        Box::pin(async move {
            let Ok(Some(delivery)) = delivery else { return };
            assert!(delivery.usable());
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            sender.send(body(&delivery)).unwrap();
        })
    }
}

async fn finish(acker: &Acker) {
    assert!(acker.ack(BasicAckOptions::default()).await.unwrap());
}

fn body(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.data).into_owned()
}
