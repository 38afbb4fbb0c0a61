//! The service that gRPC instrumentations are tested with does what its scripts say.
#![cfg(feature = "suites")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use futures_util::stream;
use opentelemetry::propagation::TextMapCompositePropagator;
use otelware_testing::Capture;
use otelware_testing::suites::grpc::shapes::Note;
use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
use otelware_testing::suites::grpc::shapes::shapes_server::ShapesServer;
use otelware_testing::suites::grpc::{Handlers, Link, Moment, Script};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status, Streaming};

/// A server behind a link, and a client.
struct Bare {
    handlers: Handlers,
    link: Link,
    client: ShapesClient<Channel>,
}

impl Bare {
    async fn start() -> Self {
        let handlers = Handlers::new(&Capture::new(), TextMapCompositePropagator::new(Vec::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let link = Link::start(listener.local_addr().unwrap()).await;
        let serving = Server::builder()
            .add_service(ShapesServer::new(handlers.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(serving);
        let endpoint = Endpoint::from_shared(format!("http://{}", link.address())).unwrap();
        Self {
            handlers,
            client: ShapesClient::new(endpoint.connect_lazy()),
            link,
        }
    }
}

fn note(number: u64) -> Note {
    Note {
        number,
        text: String::new(),
    }
}

fn with<T>(script: Script, message: T) -> Request<T> {
    let mut request = Request::new(message);
    script.write(request.metadata_mut());
    request
}

/// Two requests.
fn two() -> stream::Iter<impl Iterator<Item = Note>> {
    stream::iter((0..2).map(note))
}

async fn rest(mut responses: Streaming<Note>) -> (Vec<u64>, Result<(), Status>) {
    let mut numbers = Vec::new();
    loop {
        match responses.message().await {
            Ok(Some(note)) => numbers.push(note.number),
            Ok(None) => return (numbers, Ok(())),
            Err(status) => return (numbers, Err(status)),
        }
    }
}

#[tokio::test]
async fn answers() {
    let mut bare = Bare::start().await;
    let unary = bare.client.unary(note(7)).await.unwrap();
    assert_eq!(unary.into_inner(), note(7));
    let counted = bare.client.client_stream(two()).await.unwrap();
    assert_eq!(counted.into_inner(), note(2));
    let streamed = bare.client.server_stream(note(3)).await.unwrap();
    let (numbers, end) = rest(streamed.into_inner()).await;
    assert_eq!((numbers, end.is_ok()), (vec![0, 1, 2], true));
    let echoed = bare.client.bidi(two()).await.unwrap();
    let (numbers, end) = rest(echoed.into_inner()).await;
    assert_eq!((numbers, end.is_ok()), (vec![0, 1], true));
}

#[tokio::test]
async fn fails_at_each_moment() {
    let mut bare = Bare::start().await;
    let script = Script::Fail(Moment::Instead, Code::NotFound);
    let status = bare.client.bidi(with(script, two())).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    for (moment, answered) in [(Moment::Head, vec![]), (Moment::First, vec![0])] {
        let script = Script::Fail(moment, Code::DataLoss);
        let responses = bare.client.bidi(with(script, two())).await.unwrap();
        let (numbers, end) = rest(responses.into_inner()).await;
        assert_eq!(
            (numbers, end.unwrap_err().code()),
            (answered, Code::DataLoss)
        );
    }
}

#[tokio::test]
async fn a_cut_ends_calls() {
    let mut bare = Bare::start().await;
    let script = Script::Hang(Moment::First);
    let response = bare.client.server_stream(with(script, note(2))).await;
    let mut responses = response.unwrap().into_inner();
    assert_eq!(responses.message().await.unwrap(), Some(note(0)));
    bare.handlers.wait_for_hanging().await;
    assert_eq!(bare.link.ports().len(), 1);
    bare.link.cut();
    assert!(responses.message().await.is_err());
}
