//! The queue of notifications in RabbitMQ: what those who publish and those who consume have in common.

use crate::service::Failure;
use crate::service::environment::variable;
use crate::service::retry::until_it_works;
use otelware_lapin::options::{ConfirmSelectOptions, QueueDeclareOptions};
use otelware_lapin::types::{AMQPValue, FieldTable};
use otelware_lapin::uri::AMQPUri;
use otelware_lapin::{Channel, Connection, ConnectionProperties};
use std::time::Duration;
use tokio::time::timeout;

pub(super) const NOTIFICATIONS: &str = "notifications";
/// Notifications that reach nobody.
const DEAD_LETTERS: &str = "notifications.dead";

/// How long anything that RabbitMQ is asked for may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// How long it takes before RabbitMQ is tried again.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// How many seconds a connection may be silent.
const HEARTBEAT: u16 = 10;

/// A connection, and a channel of it that confirms what is published. The queues are there.
pub(super) struct Link {
    connection: Connection,
    pub(super) channel: Channel,
}

impl Link {
    /// Connects, as often as it takes.
    pub(super) async fn open() -> Self {
        let connect = || async { timeout(LIMIT, Self::try_to_open()).await? };
        until_it_works("RabbitMQ", connect).await
    }

    /// `otelware_lapin::Connection` in the place of lapin's own is all that is done for the spans of
    /// what is published and settled, and for the metrics.
    async fn try_to_open() -> Result<Self, Failure> {
        let url = variable("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2f");
        let mut uri: AMQPUri = url.parse()?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        let connection = Connection::connect_uri(uri, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await?;
        for (queue, arguments) in [
            (DEAD_LETTERS, FieldTable::default()),
            (NOTIFICATIONS, to_dead_letters()),
        ] {
            let durable = QueueDeclareOptions::durable();
            channel
                .queue_declare(queue.into(), durable, arguments)
                .await?;
        }
        Ok(Self {
            connection,
            channel,
        })
    }

    /// Closes the connection, if it is there still.
    pub(super) async fn close(self) {
        let closing = self.connection.close(200, "closing time".into());
        let _ = timeout(LIMIT, closing).await;
    }
}

/// Has what is rejected go on to the dead letters.
fn to_dead_letters() -> FieldTable {
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(DEAD_LETTERS));
    arguments
}
