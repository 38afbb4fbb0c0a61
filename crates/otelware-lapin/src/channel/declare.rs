//! Queues that live no longer than their connection.

use super::Channel;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{FieldTable, MessageCount, ShortString};
use lapin::{Queue, Result};

impl Channel {
    /// Declares a queue, as [`lapin::Channel::queue_declare`]. One that is exclusive and deleted
    /// with its last consumer counts as temporary.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn queue_declare(
        &self,
        queue: ShortString,
        options: QueueDeclareOptions,
        arguments: FieldTable,
    ) -> Result<Queue> {
        let declared = self.inner.queue_declare(queue, options, arguments).await?;
        let name = declared.name();
        if options.exclusive && options.auto_delete {
            self.core().temporary.add(name.as_str());
        }
        self.state().set_declared(name.clone());
        Ok(declared)
    }

    /// Deletes a queue, as [`lapin::Channel::queue_delete`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn queue_delete(
        &self,
        queue: ShortString,
        options: QueueDeleteOptions,
    ) -> Result<MessageCount> {
        let name = self.state().queue(&queue);
        let deleted = self.inner.queue_delete(queue, options).await?;
        self.core().temporary.remove(name.as_str());
        Ok(deleted)
    }
}
