//! Messages that the broker sends by itself.

use super::Channel;
use crate::consumer::Consumer;
use crate::source::Source;
use lapin::Result;
use lapin::options::BasicConsumeOptions;
use lapin::types::{FieldTable, ShortString};

impl Channel {
    /// Has the broker send the messages of a queue, as [`lapin::Channel::basic_consume`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_consume(
        &self,
        queue: ShortString,
        consumer_tag: ShortString,
        options: BasicConsumeOptions,
        arguments: FieldTable,
    ) -> Result<Consumer> {
        let source = Source::new(self.state(), &queue, options.no_ack);
        let consumer = self
            .inner
            .basic_consume(queue, consumer_tag, options, arguments)
            .await;
        consumer.map(|consumer| Consumer::new(consumer, source, self.open.clone()))
    }
}
