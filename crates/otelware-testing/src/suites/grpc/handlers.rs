//! The handlers of the service.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Tracer, TracerProvider};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::script::{Moment, Script};
use super::shapes::Note;
use super::shapes::shapes_server::Shapes;
use crate::Capture;

/// The name of the span that [`Script::Context`] makes in the handler.
pub const INNER_SPAN: &str = "inner";
/// The name of the span that [`Script::Context`] makes in a task that the handler spawns.
pub const SPAWNED_SPAN: &str = "spawned";
/// The name of the span that [`Script::Context`] makes for each response after the first of a stream.
pub const STREAMED_SPAN: &str = "streamed";

/// Handlers that do what the [`Script`] of each call says.
#[derive(Clone)]
pub struct Handlers {
    telemetry: Capture,
    propagator: Arc<dyn TextMapPropagator + Send + Sync>,
    hanging: Arc<Semaphore>,
}

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handlers").finish_non_exhaustive()
    }
}

impl Handlers {
    /// Handlers whose own spans go to `telemetry` and which inject with `propagator`.
    pub fn new(
        telemetry: &Capture,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        Self {
            telemetry: telemetry.clone(),
            propagator: Arc::new(propagator),
            hanging: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a call hangs; each is waited for once.
    pub async fn wait_for_hanging(&self) {
        self.hanging.acquire().await.unwrap().forget();
    }

    /// Does what the script has for this moment.
    async fn act(&self, script: Script, moment: Moment) -> Result<(), Status> {
        match script {
            Script::Fail(at, code) if at == moment => Err(Status::new(code, "as told")),
            Script::Hang(at) if at == moment => {
                self.hanging.add_permits(1);
                pending().await
            }
            Script::Panic(at) if at == moment => panic!("the handler panics as told"),
            _ => Ok(()),
        }
    }

    fn make_span(&self, name: &'static str) {
        let tracer = self.telemetry.tracer_provider().tracer("handler");
        drop(tracer.start(name));
    }

    /// What the current context carries to another service.
    fn carried(&self) -> BTreeMap<String, String> {
        let mut carried = HashMap::new();
        self.propagator
            .inject_context(&Context::current(), &mut carried);
        carried.into_iter().collect()
    }

    /// What the script has the handler itself say.
    async fn text(&self, script: Script) -> String {
        if script != Script::Context {
            return String::new();
        }
        // Other calls get their turn, with contexts of their own.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.make_span(INNER_SPAN);
        let handlers = self.clone();
        let task = async move {
            handlers.make_span(SPAWNED_SPAN);
            handlers.carried()
        };
        let spawned = tokio::spawn(task.with_current_context()).await.unwrap();
        let mut carried = self.carried();
        for (name, value) in spawned {
            carried.insert(format!("spawned {name}"), value);
        }
        lines(&carried)
    }

    fn responses(&self, script: Script, first: String, source: Source) -> Responses {
        let state = State {
            handlers: self.clone(),
            script,
            first,
            source,
            sent: 0,
        };
        let next = |mut state: State| async move {
            let note = state.next().await?;
            Ok(note.map(|note| (note, state)))
        };
        stream::try_unfold(state, next).boxed()
    }
}

fn lines(entries: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = entries
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    lines.join("\n")
}

type Responses = BoxStream<'static, Result<Note, Status>>;

/// Where the responses of a stream come from.
enum Source {
    /// So many.
    Count(u64),
    /// One for each request.
    Requests(Box<Streaming<Note>>),
}

/// A stream of responses.
struct State {
    handlers: Handlers,
    script: Script,
    first: String,
    source: Source,
    sent: u64,
}

impl State {
    async fn next(&mut self) -> Result<Option<Note>, Status> {
        match self.sent {
            0 => self.handlers.act(self.script, Moment::Head).await?,
            1 => self.handlers.act(self.script, Moment::First).await?,
            _ => {}
        }
        let note = match &mut self.source {
            Source::Count(count) => (self.sent < *count).then(|| Note {
                number: self.sent,
                text: String::new(),
            }),
            Source::Requests(requests) => requests.message().await?,
        };
        let Some(mut note) = note else {
            return Ok(None);
        };
        if self.sent == 0 {
            note.text = std::mem::take(&mut self.first);
        } else if self.script == Script::Context {
            self.handlers.make_span(STREAMED_SPAN);
            note.text = lines(&self.handlers.carried());
        }
        self.sent += 1;
        Ok(Some(note))
    }
}

#[tonic::async_trait]
impl Shapes for Handlers {
    async fn unary(&self, request: Request<Note>) -> Result<Response<Note>, Status> {
        let script = Script::read(request.metadata());
        self.act(script, Moment::Instead).await?;
        let text = self.text(script).await;
        let number = request.into_inner().number;
        Ok(Response::new(Note { number, text }))
    }

    async fn client_stream(
        &self,
        request: Request<Streaming<Note>>,
    ) -> Result<Response<Note>, Status> {
        let script = Script::read(request.metadata());
        self.act(script, Moment::Instead).await?;
        let mut number = 0;
        if script != Script::AnswerAtOnce {
            let mut requests = request.into_inner();
            while requests.message().await?.is_some() {
                number += 1;
                if number == 1 {
                    self.act(script, Moment::First).await?;
                }
            }
        }
        let text = self.text(script).await;
        Ok(Response::new(Note { number, text }))
    }

    type ServerStreamStream = Responses;

    async fn server_stream(&self, request: Request<Note>) -> Result<Response<Responses>, Status> {
        let script = Script::read(request.metadata());
        self.act(script, Moment::Instead).await?;
        let text = self.text(script).await;
        let source = Source::Count(request.into_inner().number);
        Ok(Response::new(self.responses(script, text, source)))
    }

    type BidiStream = Responses;

    async fn bidi(&self, request: Request<Streaming<Note>>) -> Result<Response<Responses>, Status> {
        let script = Script::read(request.metadata());
        self.act(script, Moment::Instead).await?;
        let text = self.text(script).await;
        let source = match script {
            Script::AnswerAtOnce => Source::Count(0),
            _ => Source::Requests(Box::new(request.into_inner())),
        };
        Ok(Response::new(self.responses(script, text, source)))
    }
}
