//! `otel-instrumentation-redis`, and redis-rs alone beside it: what the benchmarks run as `case NAME N`.

#[path = "../../../src/allocator.rs"]
mod allocator;
#[path = "../../../src/around.rs"]
mod around;
#[path = "../../../src/commands/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the main program also has connections that block, and a server"
)]
mod commands;
#[path = "../../program.rs"]
mod program;
#[path = "../../../src/grpc/peers.rs"]
mod subscriber;
#[path = "../../../src/telemetry.rs"]
#[allow(dead_code, reason = "the main program has other configurations")]
mod telemetry;
#[path = "../../../src/work.rs"]
#[allow(
    dead_code,
    reason = "the main program also has work of several threads"
)]
mod work;

use otel_instrumentation_redis::aio::InstrumentedAsyncConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};

use crate::around::Nothing;
use crate::commands::{Commands, Connection, Raw, Size};
use crate::telemetry::{Counts, NOTHING, SPANS_AND_METRICS, Telemetry};
use crate::work::Work;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    program::run(prepare)
}

fn prepare(name: &str) -> Result<Box<dyn Work>, Error> {
    let (size, variant) = match name.split_once('/') {
        Some(("redis", variant)) => (Size::Command, variant),
        Some(("redis-pipeline", variant)) => (Size::Pipeline, variant),
        _ => return Err(format!("no case is called {name:?}").into()),
    };
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    Ok(match variant {
        "bare (otel-instrumentation-redis)" => {
            Box::new(Commands::new(size, telemetry, NOTHING, async |_| {
                Ok((Raw, Nothing))
            })?)
        }
        // It makes spans of `tracing`, and measures nothing.
        "otel-instrumentation-redis" => {
            subscriber::subscribe(&telemetry)?;
            let expected = Counts {
                spans: 1,
                durations: 0,
            };
            Box::new(Commands::new(size, telemetry, expected, async |_| {
                Ok((Peer(InstrumentedAsyncConnection::new(Raw)), Nothing))
            })?)
        }
        _ => return Err(format!("no variant is called {variant:?}").into()),
    })
}

/// It takes whole commands by methods of its own. Those that take a key, such as `get`, make a second span around that.
struct Peer(InstrumentedAsyncConnection<Raw>);

impl Connection for Peer {
    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.0.req_command(command).await
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        self.0.execute_pipeline(pipeline).await
    }
}
