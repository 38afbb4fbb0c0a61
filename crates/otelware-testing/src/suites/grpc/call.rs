//! A call of any shape.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use http::uri::PathAndQuery;
use opentelemetry::trace::{Tracer, TracerProvider};
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::Channel;
use super::script::Script;
use super::shapes::shapes_client::ShapesClient;
use super::shapes::{Note, Shape};
use crate::Capture;

/// The name of the span that a stream of requests makes for each of them.
pub(super) const REQUEST_SPAN: &str = "request";

/// What a client asks for.
#[derive(Clone)]
pub(super) struct Call {
    script: Script,
    messages: u64,
    open: bool,
    timeout: Option<Duration>,
    metadata: Vec<(&'static str, Vec<u8>)>,
    path: Option<&'static str>,
    spans: Option<Capture>,
}

impl Call {
    /// Three messages, in each direction that has many.
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            messages: 3,
            open: false,
            timeout: None,
            metadata: Vec::new(),
            path: None,
            spans: None,
        }
    }

    /// So many messages in each direction that has many.
    pub(super) fn messages(mut self, count: u64) -> Self {
        self.messages = count;
        self
    }

    /// A stream of requests does not end.
    pub(super) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// A deadline, which the server learns of.
    pub(super) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// One more entry of the metadata.
    pub(super) fn metadata(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.metadata.push((name, value.as_ref().to_vec()));
        self
    }

    /// Another path than that of the method of this shape.
    pub(super) fn path(mut self, path: &'static str) -> Self {
        self.path = Some(path);
        self
    }

    /// A stream of requests makes a span for each of them.
    pub(super) fn spans(mut self, telemetry: &Capture) -> Self {
        self.spans = Some(telemetry.clone());
        self
    }

    /// Begins the call; it is answered with the head of the response.
    pub(super) async fn start(
        self,
        channel: impl Channel,
        shape: Shape,
    ) -> Result<Answers, Status> {
        if let Some(path) = self.path {
            return self.start_at(path, channel, shape).await;
        }
        let mut client = ShapesClient::new(channel);
        match shape {
            Shape::Unary => {
                let answer = client.unary(self.one()).await?;
                Ok(Answers::One(Some(answer.into_inner())))
            }
            Shape::ClientStream => {
                let answer = client.client_stream(self.many()).await?;
                Ok(Answers::One(Some(answer.into_inner())))
            }
            Shape::ServerStream => {
                let answer = client.server_stream(self.one()).await?;
                Ok(Answers::Many(answer.into_inner()))
            }
            Shape::Bidi => {
                let answer = client.bidi(self.many()).await?;
                Ok(Answers::Many(answer.into_inner()))
            }
        }
    }

    /// As a client does it whose service has this method.
    async fn start_at(
        self,
        path: &'static str,
        channel: impl Channel,
        shape: Shape,
    ) -> Result<Answers, Status> {
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Note, Note>::default();
        let mut grpc = Grpc::new(channel);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::unknown(error.into().to_string()))?;
        match shape {
            Shape::Unary => {
                let answer = grpc.unary(self.one(), path, codec).await?;
                Ok(Answers::One(Some(answer.into_inner())))
            }
            Shape::ClientStream => {
                let answer = grpc.client_streaming(self.many(), path, codec).await?;
                Ok(Answers::One(Some(answer.into_inner())))
            }
            Shape::ServerStream => {
                let answer = grpc.server_streaming(self.one(), path, codec).await?;
                Ok(Answers::Many(answer.into_inner()))
            }
            Shape::Bidi => {
                let answer = grpc.streaming(self.many(), path, codec).await?;
                Ok(Answers::Many(answer.into_inner()))
            }
        }
    }

    fn one(self) -> Request<Note> {
        let note = Note {
            number: self.messages,
            text: String::new(),
        };
        self.request(note)
    }

    fn many(self) -> Request<BoxStream<'static, Note>> {
        let spans = self.spans.clone();
        let note = move |number| {
            if let Some(telemetry) = &spans {
                let tracer = telemetry.tracer_provider().tracer("client");
                drop(tracer.start(REQUEST_SPAN));
            }
            Note {
                number,
                text: String::new(),
            }
        };
        let notes = stream::iter(0..self.messages).map(note);
        let notes = if self.open {
            notes.chain(stream::pending()).boxed()
        } else {
            notes.boxed()
        };
        self.request(notes)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        self.script.write(request.metadata_mut());
        for (name, value) in &self.metadata {
            let value = MetadataValue::<Ascii>::try_from(value.as_slice()).unwrap();
            request.metadata_mut().append(*name, value);
        }
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        request
    }
}

/// The responses of a call.
#[derive(Debug)]
pub(super) enum Answers {
    One(Option<Note>),
    Many(Streaming<Note>),
}

impl Answers {
    /// The next one; nothing at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Note>, Status> {
        match self {
            Self::One(note) => Ok(note.take()),
            Self::Many(notes) => notes.message().await,
        }
    }

    /// All that are left.
    pub(super) async fn rest(mut self) -> Result<Vec<Note>, Status> {
        let mut notes = Vec::new();
        while let Some(note) = self.next().await? {
            notes.push(note);
        }
        Ok(notes)
    }
}

/// The entry of the lines that a handler answers with.
pub(super) fn line<'a>(note: &'a Note, name: &str) -> Option<&'a str> {
    note.text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
