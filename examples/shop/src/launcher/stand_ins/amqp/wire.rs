//! Frames over a connection. Both ways are bounded: what does not fit is refused, and what is not read is not written.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, BasicProperties};
use amq_protocol::types::ChannelId;
use std::io::{self, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest frame, with all that belongs to it.
pub(super) const FRAME_MAX: u32 = 128 * 1024;

/// What a frame has besides its payload.
const OVERHEAD: usize = 8;

/// `basic`, as the head of a message names it.
const BASIC: u16 = 60;

pub(super) struct Wire {
    stream: TcpStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// The longest frame that both sides take.
    pub(super) frame_max: u32,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            frame_max: FRAME_MAX,
        }
    }

    /// The next frame; `None` at the end of the connection. Nothing is lost where this is dropped.
    pub(super) async fn read(&mut self) -> io::Result<Option<AMQPFrame>> {
        loop {
            if let Some(frame) = self.parse()? {
                return Ok(Some(frame));
            }
            if self.stream.read_buf(&mut self.incoming).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Takes a frame from what has been read.
    fn parse(&mut self) -> io::Result<Option<AMQPFrame>> {
        let size = match *self.incoming.as_slice() {
            [b'A', b'M', b'Q', b'P', ..] => OVERHEAD,
            [b'A', ..] if self.incoming.len() < OVERHEAD => return Ok(None),
            [_, _, _, a, b, c, d, ..] => OVERHEAD + u32::from_be_bytes([a, b, c, d]) as usize,
            _ => return Ok(None),
        };
        if size > FRAME_MAX as usize {
            return Err(invalid("a frame is too long"));
        }
        let Some(bytes) = self.incoming.get(..size) else {
            return Ok(None);
        };
        let (_, frame) = parse_frame(bytes).map_err(|_| invalid("what was read is no frame"))?;
        self.incoming.drain(..size);
        Ok(Some(frame))
    }

    /// Appends a frame to what is to be written.
    pub(super) fn push(&mut self, frame: &AMQPFrame) -> io::Result<()> {
        let outgoing = std::mem::take(&mut self.outgoing);
        let written = gen_frame(frame)(WriteContext::from(outgoing)).map_err(io::Error::other)?;
        (self.outgoing, _) = written.into_inner();
        Ok(())
    }

    pub(super) fn push_method(&mut self, channel: ChannelId, method: AMQPClass) -> io::Result<()> {
        self.push(&AMQPFrame::Method(channel, method))
    }

    /// Appends the content that follows some methods.
    pub(super) fn push_content(
        &mut self,
        channel: ChannelId,
        properties: &BasicProperties,
        body: &[u8],
    ) -> io::Result<()> {
        self.push(&AMQPFrame::Header(
            channel,
            AMQPContentHeader {
                class_id: BASIC,
                body_size: body.len() as u64,
                properties: properties.clone(),
            },
        ))?;
        let longest = (self.frame_max as usize).saturating_sub(OVERHEAD).max(1);
        for part in body.chunks(longest) {
            self.push(&AMQPFrame::Body(channel, part.to_vec()))?;
        }
        Ok(())
    }

    /// How much is to be written.
    pub(super) fn outgoing(&self) -> usize {
        self.outgoing.len()
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.outgoing).await?;
        self.outgoing.clear();
        Ok(())
    }
}

pub(super) fn invalid(text: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text)
}
