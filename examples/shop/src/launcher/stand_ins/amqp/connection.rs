//! One connection: how it is opened, its channels, and how it is closed.

use super::broker::{Broker, hard};
use super::channel::{Channel, Failure, unexpected, unknown};
use super::wire::{FRAME_MAX, Wire, invalid};
use amq_protocol::frame::{AMQPFrame, ProtocolVersion};
use amq_protocol::protocol::{
    AMQPClass, AMQPError, AMQPErrorKind, AMQPHardError, channel, connection, constants,
};
use amq_protocol::types::{AMQPValue, ChannelId, FieldTable};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at, timeout};

const CHANNEL_MAX: u16 = 64;

/// How long a client may take to open its connection, and to confirm that it is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A heartbeat where a client wants none: it is no cost to send one an hour.
const SELDOM: Duration = Duration::from_secs(3_600);

pub(super) struct Connection {
    wire: Wire,
    broker: Arc<Broker>,
    /// `None` for one that was closed from here and is not yet closed from there.
    channels: BTreeMap<ChannelId, Option<Channel>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, broker: Arc<Broker>) -> Self {
        Self {
            wire: Wire::new(stream),
            broker,
            channels: BTreeMap::new(),
        }
    }

    /// Serves it to its end.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        let Ok(heartbeat) = timeout(PATIENCE, self.open()).await else {
            return Err(invalid("the connection was not opened in time"));
        };
        let heartbeat = heartbeat?;
        let mut heartbeats = interval_at(Instant::now() + heartbeat, heartbeat);
        let mut changes = self.broker.changes();
        loop {
            let more = self.deliver()?;
            self.wire.flush().await?;
            if more {
                continue;
            }
            let frame = tokio::select! {
                frame = self.wire.read() => frame?,
                _ = changes.changed() => continue,
                _ = heartbeats.tick() => {
                    self.wire.push(&AMQPFrame::Heartbeat)?;
                    continue;
                }
            };
            let Some(frame) = frame else {
                return Ok(());
            };
            match self.handle(frame) {
                Ok(true) => {}
                Ok(false) => {
                    self.channels.clear();
                    self.wire.flush().await?;
                    return self.closed_by(|_| false).await;
                }
                Err(Failure::Io(error)) => return Err(error),
                Err(Failure::Protocol(error)) => return self.close(&error).await,
            }
        }
    }

    /// Comes to terms with the client; how often it wants to hear something.
    async fn open(&mut self) -> io::Result<Duration> {
        use connection::AMQPMethod;
        match self.wire.read().await? {
            Some(AMQPFrame::ProtocolHeader(version))
                if version == ProtocolVersion::amqp_0_9_1() => {}
            _ => {
                let version = ProtocolVersion::amqp_0_9_1();
                self.wire.push(&AMQPFrame::ProtocolHeader(version))?;
                self.wire.flush().await?;
                return Err(invalid("another protocol"));
            }
        }
        self.send(AMQPMethod::Start(connection::Start {
            version_major: 0,
            version_minor: 9,
            server_properties: properties(),
            mechanisms: "PLAIN AMQPLAIN".into(),
            locales: "en_US".into(),
        }))
        .await?;
        // Everybody is let in: it is on loopback, for as long as the shop is open.
        let AMQPMethod::StartOk(_) = self.receive().await? else {
            return Err(invalid("start-ok was to come"));
        };
        self.send(AMQPMethod::Tune(connection::Tune {
            channel_max: CHANNEL_MAX,
            frame_max: FRAME_MAX,
            heartbeat: 0,
        }))
        .await?;
        let AMQPMethod::TuneOk(tuned) = self.receive().await? else {
            return Err(invalid("tune-ok was to come"));
        };
        if (constants::FRAME_MIN_SIZE..FRAME_MAX).contains(&tuned.frame_max) {
            self.wire.frame_max = tuned.frame_max;
        }
        let AMQPMethod::Open(_) = self.receive().await? else {
            return Err(invalid("open was to come"));
        };
        self.send(AMQPMethod::OpenOk(connection::OpenOk {})).await?;
        Ok(match tuned.heartbeat {
            0 => SELDOM,
            seconds => Duration::from_secs(u64::from(seconds)) / 2,
        })
    }

    async fn send(&mut self, method: connection::AMQPMethod) -> io::Result<()> {
        self.wire.push_method(0, AMQPClass::Connection(method))?;
        self.wire.flush().await
    }

    async fn receive(&mut self) -> io::Result<connection::AMQPMethod> {
        match self.wire.read().await? {
            Some(AMQPFrame::Method(0, AMQPClass::Connection(method))) => Ok(method),
            Some(_) => Err(invalid("a method of the connection was to come")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn deliver(&mut self) -> io::Result<bool> {
        let mut more = false;
        for channel in self.channels.values_mut().flatten() {
            more |= channel.deliver(&mut self.wire)?;
        }
        Ok(more)
    }

    /// Whether the connection goes on.
    fn handle(&mut self, frame: AMQPFrame) -> Result<bool, Failure> {
        let id = frame.channel_id();
        if id != 0 {
            match self.handle_in_channel(id, frame) {
                Err(Failure::Protocol(error)) => self.close_channel(id, error)?,
                handled => handled?,
            }
            return Ok(true);
        }
        let method = match frame {
            AMQPFrame::Heartbeat => return Ok(true),
            AMQPFrame::Method(_, AMQPClass::Connection(method)) => method,
            _ => return Err(unexpected().into()),
        };
        match method {
            connection::AMQPMethod::Close(_) => {
                let closed = connection::AMQPMethod::CloseOk(connection::CloseOk {});
                self.wire.push_method(0, AMQPClass::Connection(closed))?;
                Ok(false)
            }
            _ => Err(unknown().into()),
        }
    }

    fn handle_in_channel(&mut self, id: ChannelId, frame: AMQPFrame) -> Result<(), Failure> {
        use channel::AMQPMethod;
        let wire = &mut self.wire;
        match (self.channels.get_mut(&id), frame) {
            (None, AMQPFrame::Method(_, AMQPClass::Channel(AMQPMethod::Open(_)))) => {
                if id > CHANNEL_MAX {
                    let text = "the channel's number is too high";
                    return Err(hard(AMQPHardError::CHANNELERROR, text).into());
                }
                let channel = Channel::new(id, Arc::clone(&self.broker));
                self.channels.insert(id, Some(channel));
                let opened = AMQPMethod::OpenOk(channel::OpenOk {});
                wire.push_method(id, AMQPClass::Channel(opened))?;
            }
            (Some(_), AMQPFrame::Method(_, AMQPClass::Channel(AMQPMethod::Close(_)))) => {
                self.channels.remove(&id);
                let closed = AMQPMethod::CloseOk(channel::CloseOk {});
                wire.push_method(id, AMQPClass::Channel(closed))?;
            }
            (Some(None), AMQPFrame::Method(_, AMQPClass::Channel(AMQPMethod::CloseOk(_)))) => {
                self.channels.remove(&id);
            }
            // What was sent before the client knew.
            (Some(None), _) => {}
            (Some(Some(channel)), AMQPFrame::Method(_, method)) => channel.method(method, wire)?,
            (Some(Some(channel)), AMQPFrame::Header(_, header)) => channel.header(header, wire)?,
            (Some(Some(channel)), AMQPFrame::Body(_, body)) => channel.body(&body, wire)?,
            _ => {
                let text = "there is no such channel";
                return Err(hard(AMQPHardError::CHANNELERROR, text).into());
            }
        }
        Ok(())
    }

    /// Closes the channel where the error is one of a channel's.
    fn close_channel(&mut self, id: ChannelId, error: AMQPError) -> Result<(), Failure> {
        let AMQPErrorKind::Soft(_) = error.kind() else {
            return Err(error.into());
        };
        self.channels.insert(id, None);
        let close = channel::AMQPMethod::Close(channel::Close {
            reply_code: error.get_id(),
            reply_text: error.get_message().clone(),
            class_id: 0,
            method_id: 0,
        });
        self.wire.push_method(id, AMQPClass::Channel(close))?;
        Ok(())
    }

    /// Closes the connection, and waits for the client to have seen why.
    async fn close(mut self, error: &AMQPError) -> io::Result<()> {
        self.channels.clear();
        self.send(connection::AMQPMethod::Close(connection::Close {
            reply_code: error.get_id(),
            reply_text: error.get_message().clone(),
            class_id: 0,
            method_id: 0,
        }))
        .await?;
        let is_closed = |frame: &AMQPFrame| {
            let closed = connection::AMQPMethod::CloseOk(connection::CloseOk {});
            *frame == AMQPFrame::Method(0, AMQPClass::Connection(closed))
        };
        self.closed_by(is_closed).await
    }

    /// Waits until the client closes the stream, or has sent such a frame. Were it closed from here first, what was
    /// sent last could be lost.
    async fn closed_by(&mut self, is_last: impl Fn(&AMQPFrame) -> bool) -> io::Result<()> {
        let closed = async {
            while let Some(frame) = self.wire.read().await? {
                if is_last(&frame) {
                    break;
                }
            }
            Ok(())
        };
        timeout(PATIENCE, closed).await.unwrap_or(Ok(()))
    }
}

/// What the server says of itself.
fn properties() -> FieldTable {
    let mut capabilities = FieldTable::default();
    for name in ["publisher_confirms", "basic.nack"] {
        capabilities.insert(name.into(), AMQPValue::Boolean(true));
    }
    let mut properties = FieldTable::default();
    let product = AMQPValue::LongString("the shop's stand-in for RabbitMQ".into());
    properties.insert("product".into(), product);
    let capabilities = AMQPValue::FieldTable(capabilities);
    properties.insert("capabilities".into(), capabilities);
    properties
}
