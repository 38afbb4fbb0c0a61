//! Calls that a client makes, in a trace that has begun elsewhere.

use opentelemetry::Context;
use tonic::codegen::http::Uri;

use crate::Error;
use crate::grpc::greeter::{GreeterClient, Greeting, Hello};
use crate::grpc::{Grpc, MESSAGES, ORIGIN, Shape, drive};
use crate::telemetry::{Counts, Telemetry, callers_context};
use crate::work::Work;

/// Calls of one method through a generated client.
#[derive(Debug)]
pub(crate) struct ClientCalls<S> {
    client: GreeterClient<S>,
    shape: Shape,
    hello: Hello,
    greeting: Greeting,
    parent: Context,
    telemetry: Telemetry,
    expected: Counts,
}

impl<S: Grpc> ClientCalls<S> {
    pub(crate) fn new(channel: S, shape: Shape, telemetry: Telemetry, expected: Counts) -> Self {
        Self {
            client: GreeterClient::with_origin(channel, Uri::from_static(ORIGIN)),
            shape,
            hello: super::hello(),
            greeting: super::greeting(),
            parent: callers_context(),
            telemetry,
            expected,
        }
    }

    /// Whether every message came and was right, and the status at the end was OK.
    async fn call(&mut self) -> Result<bool, tonic::Status> {
        match self.shape {
            Shape::Unary => {
                let response = self.client.say_hello(self.hello.clone()).await?;
                Ok(*response.get_ref() == self.greeting)
            }
            Shape::Stream => {
                let mut messages = self.client.watch(self.hello.clone()).await?.into_inner();
                let mut right = 0;
                while let Some(greeting) = messages.message().await? {
                    right += u64::from(greeting == self.greeting);
                }
                Ok(right == MESSAGES)
            }
        }
    }
}

impl<S: Grpc> Work for ClientCalls<S> {
    fn once(&mut self) -> bool {
        let _parent = self.parent.clone().attach();
        drive::to_the_end(self.call()).is_ok_and(|right| right)
    }

    fn settle(&self) -> Result<(), Error> {
        self.telemetry.flush()
    }

    fn verify(&self, operations: u64) -> Result<(), Error> {
        self.telemetry.verify(self.expected.times(operations))
    }
}
