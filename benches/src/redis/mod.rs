//! Commands through a connection to Redis: what ours, its peer, a hand-written floor and the engine alone add to them.

#[cfg(feature = "ours")]
mod engine;
mod floor;
#[cfg(feature = "ours")]
mod ours;

#[cfg(feature = "ours")]
use self::ours::Observable;
use opentelemetry::KeyValue;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo};

use crate::Error;
use crate::around::Nothing;
use crate::case::Case;
use crate::commands::{BATCH, Blocking, Commands, KEY, Raw, Size, VALUE};
use crate::measurement;
use crate::programs::{Program, Row};
use crate::telemetry::{NOTHING, ONE_EACH, SPANS_AND_METRICS, Telemetry};
use crate::turns;
use crate::work::Work;

/// Through what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A raw connection that answers at once.
    Async,
    /// The same, blocking.
    Blocking,
    /// redis-rs's own, to a server on loopback.
    Multiplexed,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Async, Self::Blocking, Self::Multiplexed];

    /// What is measured of it. A pipeline to a server is no news beside a command.
    pub(crate) fn sizes(self) -> &'static [Size] {
        match self {
            Self::Async | Self::Blocking => &Size::ALL,
            Self::Multiplexed => &[Size::Command],
        }
    }

    /// What is measured through it. The peer's other connections can't be had of one of ours.
    pub(crate) fn variants(self) -> &'static [Variant] {
        match self {
            Self::Async => Variant::ALL,
            Self::Blocking | Self::Multiplexed => Variant::HERE,
        }
    }

    /// The group of the cases.
    pub(crate) fn group(self, size: Size) -> &'static str {
        match (self, size) {
            (Self::Async, Size::Command) => "redis",
            (Self::Async, Size::Pipeline) => "redis-pipeline",
            (Self::Blocking, Size::Command) => "redis-blocking",
            (Self::Blocking, Size::Pipeline) => "redis-blocking-pipeline",
            (Self::Multiplexed, Size::Command) => "redis-server",
            (Self::Multiplexed, Size::Pipeline) => "redis-server-pipeline",
        }
    }
}

/// A way to observe commands, or not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// redis-rs 1 alone.
    Bare,
    /// By hand over the raw SDK, around the command.
    Floor,
    /// The start and the finish of otelware's engine around the command, with the same attributes as ours.
    #[cfg(feature = "ours")]
    Engine,
    /// `otelware-redis`.
    #[cfg(feature = "ours")]
    Ours,
    /// The peer or its redis-rs alone, in a program of its own.
    Elsewhere(Row),
}

impl Variant {
    const ALL: &[Self] = &[
        Self::Bare,
        Self::Floor,
        #[cfg(feature = "ours")]
        Self::Engine,
        Self::Elsewhere(Row::Bare),
        Self::PEER,
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    /// What this program has of them.
    const HERE: &[Self] = &[
        Self::Bare,
        Self::Floor,
        #[cfg(feature = "ours")]
        Self::Engine,
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    pub(crate) const PEER: Self = Self::Elsewhere(Row::Peer);

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Floor => "floor",
            #[cfg(feature = "ours")]
            Self::Engine => "engine",
            #[cfg(feature = "ours")]
            Self::Ours => "ours",
            Self::Elsewhere(row) => Program::OtelInstrumentationRedis.row(row),
        }
    }

    /// What is subtracted from it: redis-rs alone, in the same program.
    pub(crate) fn bare(self) -> Self {
        match self {
            Self::Elsewhere(_) => Self::Elsewhere(Row::Bare),
            _ => Self::Bare,
        }
    }

    pub(crate) fn is_bare(self) -> bool {
        self == self.bare()
    }

    /// The program that has it, if it is not this one.
    pub(crate) fn program(self) -> Option<Program> {
        matches!(self, Self::Elsewhere(_)).then_some(Program::OtelInstrumentationRedis)
    }
}

/// The name of the span, which ours finds by itself.
fn span_name(size: Size) -> &'static str {
    match size {
        Size::Command => "GET",
        Size::Pipeline => "PIPELINE SET",
    }
}

/// The attributes that span and metric have, the same as those of ours.
fn attributes(way: Way, size: Size) -> Vec<KeyValue> {
    let address = match way {
        Way::Async | Way::Blocking => "cache",
        Way::Multiplexed => "127.0.0.1",
    };
    vec![
        KeyValue::new("db.system.name", "redis"),
        KeyValue::new("server.address", address),
        KeyValue::new("db.namespace", "0"),
        KeyValue::new("db.operation.name", span_name(size)),
    ]
}

/// The attribute that only the span of several commands has.
fn batch_size(size: Size) -> Option<KeyValue> {
    (size == Size::Pipeline).then(|| KeyValue::new("db.operation.batch.size", BATCH as i64))
}

pub(crate) fn prepare(way: Way, size: Size, variant: Variant) -> Result<Box<dyn Work>, Error> {
    match way {
        Way::Async => prepare_for(way, size, variant, async || raw(Raw)),
        Way::Blocking => prepare_for(way, size, variant, async || raw(Blocking(Raw))),
        Way::Multiplexed => prepare_for(way, size, variant, multiplexed),
    }
}

fn raw<C>(connection: C) -> Result<(C, ConnectionInfo), Error> {
    Ok((connection, "redis://cache/".into_connection_info()?))
}

/// Where the value is kept no longer than the run may take.
async fn multiplexed() -> Result<(MultiplexedConnection, ConnectionInfo), Error> {
    let port = turns::relay("127.0.0.1:6379")?;
    let client = Client::open(format!("redis://127.0.0.1:{port}/"))?;
    // Under valgrind, replies may take long.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connecting.await?;
    let () = connection.set_ex(KEY, VALUE, 600).await?;
    turns::take_turns()?;
    Ok((connection, "redis://127.0.0.1/".into_connection_info()?))
}

fn prepare_for<C: Observable + 'static>(
    way: Way,
    size: Size,
    variant: Variant,
    open: impl AsyncFnOnce() -> Result<(C, ConnectionInfo), Error>,
) -> Result<Box<dyn Work>, Error> {
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    Ok(match variant {
        Variant::Bare => Box::new(Commands::new(size, telemetry, NOTHING, async |_| {
            Ok((open().await?.0, Nothing))
        })?),
        Variant::Floor => Box::new(Commands::new(
            size,
            telemetry,
            ONE_EACH,
            async |telemetry| Ok((open().await?.0, floor::Floor::new(way, size, telemetry))),
        )?),
        #[cfg(feature = "ours")]
        Variant::Engine => Box::new(Commands::new(
            size,
            telemetry,
            ONE_EACH,
            async |telemetry| Ok((open().await?.0, engine::Engine::new(way, size, telemetry))),
        )?),
        #[cfg(feature = "ours")]
        Variant::Ours => Box::new(Commands::new(
            size,
            telemetry,
            ONE_EACH,
            async |telemetry| {
                let (connection, info) = open().await?;
                Ok((connection.observed(&info, telemetry), Nothing))
            },
        )?),
        Variant::Elsewhere(_) => return Err("the peer has a program of its own".into()),
    })
}

#[cfg(not(feature = "ours"))]
trait Observable: crate::commands::Connection {}
#[cfg(not(feature = "ours"))]
impl<C: crate::commands::Connection> Observable for C {}

/// The cases that can be measured: without those on a server where it cannot be reached, which is said.
pub(crate) fn reachable(mut cases: Vec<Case>) -> Vec<Case> {
    let is_remote = |case: &Case| matches!(case, Case::Redis(Way::Multiplexed, ..));
    let bare = Case::Redis(Way::Multiplexed, Size::Command, Variant::Bare);
    if cases.iter().any(is_remote)
        && let Err(reason) = measurement::allocations(bare, 1)
    {
        println!("The server of Redis is left out; scripts/services redis starts it. {reason}");
        cases.retain(|case| !is_remote(case));
    }
    cases
}
