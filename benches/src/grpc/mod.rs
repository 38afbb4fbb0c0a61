//! One gRPC call, in process: no socket, no runtime. The server's side, the client's, and the one over the other.

mod answers;
mod client;
mod drive;
mod floor;
mod greeter;
mod handler;
#[cfg(feature = "ours")]
mod ours;
mod pace;
mod peers;
mod server;

use std::convert::Infallible;

use http::{Request, Response};
use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::{Bytes, StdError};
use tower_layer::{Identity, Layer};
use tower_service::Service;

use crate::Error;
use crate::grpc::answers::Answers;
use crate::grpc::client::ClientCalls;
use crate::grpc::floor::FloorLayer;
use crate::grpc::greeter::{GreeterServer, Greeting, Hello};
use crate::grpc::handler::Handler;
use crate::grpc::server::ServerCalls;
use crate::telemetry::{Counts, SPANS_AND_METRICS, Telemetry};
use crate::work::Work;

const HOST: &str = "shop.example";
const PORT: u16 = 50_051;
const ORIGIN: &str = "http://shop.example:50051";

/// The messages of a stream.
pub(crate) const MESSAGES: u64 = 100_000;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One message there, one back.
    Unary,
    /// One message there, [`MESSAGES`] back, each in a frame of its own.
    Stream,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Unary => "/shop.Greeter/SayHello",
            Self::Stream => "/shop.Greeter/Watch",
        }
    }
}

/// Where the layer sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
    /// A client whose channel is the server.
    Both,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Server, Self::Client, Self::Both];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
        }
    }
}

/// A way to instrument a call, or not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// tonic alone.
    Bare,
    /// A straightforward layer by hand over the raw SDK.
    Floor,
    /// `tonic-tracing-opentelemetry`: spans only.
    TonicTracingOpentelemetry,
    /// `tower-otel`: spans only.
    TowerOtel,
    /// `otelware-tonic`.
    #[cfg(feature = "ours")]
    Ours,
}

impl Variant {
    pub(crate) const ALL: &[Self] = &[
        Self::Bare,
        Self::Floor,
        Self::TonicTracingOpentelemetry,
        Self::TowerOtel,
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    /// Those that are measured message by message.
    pub(crate) const STREAMED: &[Self] = &[
        Self::Bare,
        Self::Floor,
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    pub(crate) const PEERS: [Self; 2] = [Self::TonicTracingOpentelemetry, Self::TowerOtel];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Floor => "floor",
            Self::TonicTracingOpentelemetry => "tonic-tracing-opentelemetry",
            Self::TowerOtel => "tower-otel",
            #[cfg(feature = "ours")]
            Self::Ours => "ours",
        }
    }

    /// What one side leaves behind of a call.
    fn counts(self) -> Counts {
        let (spans, durations) = match self {
            Self::Bare => (0, 0),
            Self::TonicTracingOpentelemetry | Self::TowerOtel => (1, 0),
            Self::Floor => (1, 1),
            #[cfg(feature = "ours")]
            Self::Ours => (1, 1),
        };
        Counts { spans, durations }
    }
}

/// Sets the globals that the variant reads and puts its layers in place.
pub(crate) fn prepare(shape: Shape, side: Side, variant: Variant) -> Result<Box<dyn Work>, Error> {
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    let expected = variant
        .counts()
        .times(if side == Side::Both { 2 } else { 1 });
    let calls = Calls {
        shape,
        side,
        expected,
    };
    match variant {
        Variant::Bare => calls.through(Identity::new(), Identity::new(), telemetry),
        Variant::Floor => {
            global::set_text_map_propagator(TraceContextPropagator::new());
            telemetry.set_global_providers();
            calls.through(
                FloorLayer::server(),
                FloorLayer::client(HOST, PORT),
                telemetry,
            )
        }
        Variant::TonicTracingOpentelemetry => {
            use tonic_tracing_opentelemetry::middleware::{client, server};
            peers::subscribe(&telemetry)?;
            calls.through(
                server::OtelGrpcLayer::default(),
                client::OtelGrpcLayer,
                telemetry,
            )
        }
        Variant::TowerOtel => {
            use tower_otel::trace::GrpcLayer;
            use tracing::Level;
            peers::subscribe(&telemetry)?;
            calls.through(
                GrpcLayer::server(Level::INFO),
                GrpcLayer::client(Level::INFO),
                telemetry,
            )
        }
        #[cfg(feature = "ours")]
        Variant::Ours => {
            let (server, client) = ours::layers(&telemetry);
            calls.through(server, client, telemetry)
        }
    }
}

/// The calls to prepare, whatever instruments them.
#[derive(Clone, Copy, Debug)]
struct Calls {
    shape: Shape,
    side: Side,
    expected: Counts,
}

impl Calls {
    fn through<S, C>(
        self,
        server: S,
        client: C,
        telemetry: Telemetry,
    ) -> Result<Box<dyn Work>, Error>
    where
        S: Layer<GreeterServer<Handler>, Service: Grpc>,
        C: Layer<Answers, Service: Grpc> + Layer<S::Service, Service: Grpc>,
    {
        let Self {
            shape,
            side,
            expected,
        } = self;
        let service = GreeterServer::new(Handler);
        Ok(match side {
            Side::Server => Box::new(ServerCalls::new(
                server.layer(service),
                shape,
                telemetry,
                expected,
            )?),
            Side::Client => Box::new(ClientCalls::new(
                client.layer(Answers::new(shape)),
                shape,
                telemetry,
                expected,
            )),
            Side::Both => Box::new(ClientCalls::new(
                client.layer(server.layer(service)),
                shape,
                telemetry,
                expected,
            )),
        })
    }
}

/// What both a server's service and a client's channel are here, with whatever layers around it.
pub(crate) trait Grpc:
    Service<
        Request<Body>,
        Response = Response<Self::ResponseBody>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
    type ResponseBody: http_body::Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static;
}

impl<S, B> Grpc for S
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
{
    type ResponseBody = B;
}

fn hello() -> Hello {
    Hello {
        name: "Ada".to_owned(),
    }
}

fn greeting() -> Greeting {
    Greeting {
        text: "Hello, Ada!".to_owned(),
    }
}

/// A message as it is sent: not compressed, its length in four bytes, itself.
fn framed(message: &impl Message) -> Bytes {
    let message = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend((message.len() as u32).to_be_bytes());
    frame.extend(message);
    frame.into()
}
