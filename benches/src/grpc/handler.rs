//! The service's implementation.

use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::codegen::async_trait;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::grpc::MESSAGES;
use crate::grpc::greeter::{Greeter, Greeting, Hello};
use crate::grpc::pace::Pace;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Handler;

#[async_trait]
impl Greeter for Handler {
    async fn say_hello(&self, request: Request<Hello>) -> Result<Response<Greeting>, Status> {
        Ok(Response::new(Greeting {
            text: format!("Hello, {}!", request.get_ref().name),
        }))
    }

    type WatchStream = Greetings;

    async fn watch(&self, request: Request<Hello>) -> Result<Response<Greetings>, Status> {
        Ok(Response::new(Greetings {
            pace: Pace::new(MESSAGES),
            name: request.into_inner().name,
        }))
    }
}

/// As many greetings as a stream has messages, one to a frame.
#[derive(Debug)]
pub(crate) struct Greetings {
    pace: Pace,
    name: String,
}

impl Stream for Greetings {
    type Item = Result<Greeting, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pace.poll_next(context).map(|item| {
            item.map(|()| {
                Ok(Greeting {
                    text: format!("Hello, {}!", self.name),
                })
            })
        })
    }
}
