//! The customer: places orders at the gateway at a steady rate, whatever becomes of those before, and counts what is
//! answered. It is instrumented as the services are, so that it knows each order's trace.

mod kinds;
mod tally;

pub(super) use kinds::{KINDS, Kind};
pub(super) use tally::Tally;

use super::arguments::Arguments;
use super::collector::Collector;
use super::console::Console;
use otelware::FutureExt;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::trace::TraceContextExt;
use otelware_reqwest::ClientExt;
use reqwest_middleware::ClientWithMiddleware;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tally::Answer;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, interval};

/// The most orders that wait for their answers. Where these are too slow the rate is not held.
const MAXIMUM_WAITING: usize = 128;

/// How long an order may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What is ordered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Load {
    /// One of each kind.
    Kinds,
    /// So many of mixed kinds.
    Mixed(u64),
    /// Mixed kinds, without end.
    Endless,
}

impl Load {
    pub(super) fn new(arguments: &Arguments) -> Self {
        match arguments.orders {
            _ if arguments.serve => Self::Endless,
            Some(orders) => Self::Mixed(orders),
            None => Self::Kinds,
        }
    }

    pub(super) fn orders(self) -> Option<u64> {
        match self {
            Self::Kinds => Some(KINDS.len() as u64),
            Self::Mixed(orders) => Some(orders),
            Self::Endless => None,
        }
    }

    fn kind(self, number: u64) -> usize {
        match self {
            Self::Kinds => usize::try_from(number).unwrap_or_default(),
            Self::Mixed(_) | Self::Endless => kinds::mixed(number),
        }
    }
}

pub(super) struct Customer {
    client: ClientWithMiddleware,
    url: String,
    /// Which is told of the traces to be shown, where there is one.
    collector: Option<Arc<Collector>>,
}

/// The error of the customer's span: the order was not placed, whatever the answer was.
#[derive(Debug)]
struct NotPlaced(Option<u16>);

impl Customer {
    pub(super) fn new(
        gateway: SocketAddr,
        collector: Option<Arc<Collector>>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(LIMIT).build()?;
        Ok(Self {
            client: client.instrumented(),
            url: format!("http://{gateway}/orders"),
            collector,
        })
    }

    /// Places orders, so many per second, until there are enough or it is to stop, and waits for the answers.
    /// `at_quarter` is called when a quarter of them is placed; of endless ones a minute's worth.
    pub(super) async fn shop(
        &self,
        load: Load,
        rate: f64,
        console: &Console,
        stop: impl Future<Output = ()>,
        at_quarter: impl FnOnce(),
    ) -> Tally {
        let mut tally = Tally::default();
        let mut stop = pin!(stop);
        let quarter = match load.orders() {
            Some(orders) => orders / 4,
            None => (rate * 60.0) as u64,
        };
        let mut at_quarter = Some(at_quarter);
        let mut unseen = [true; KINDS.len()];
        let mut waiting = JoinSet::new();
        let period = Duration::from_secs_f64(1.0 / rate);
        let mut ticks = interval(period);
        let (started, mut last) = (Instant::now(), Instant::now());
        let mut number = 0;
        while load.orders().is_none_or(|orders| number < orders) {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(answer) = waiting.join_next() => {
                    note(&answer, &mut tally, started, console);
                    continue;
                }
                _ = ticks.tick(), if waiting.len() < MAXIMUM_WAITING => {}
            }
            if number == quarter
                && let Some(at_quarter) = at_quarter.take()
            {
                at_quarter();
            }
            let kind = load.kind(number);
            let is_first = unseen.get_mut(kind).is_some_and(std::mem::take);
            waiting.spawn(self.place(kind, is_first));
            number += 1;
            last = Instant::now();
        }
        while let Some(answer) = waiting.join_next().await {
            note(&answer, &mut tally, started, console);
        }
        tally.rate = number as f64 / (last + period - started).as_secs_f64();
        console.finish();
        tally
    }

    /// Places an order. Its trace is one to be shown, or not.
    fn place(&self, kind: usize, show: bool) -> impl Future<Output = Answer> + use<> {
        let (client, url) = (self.client.clone(), self.url.clone());
        let collector = self.collector.clone();
        async move {
            let started = Instant::now();
            let mut shown = None;
            let placing = async {
                if show {
                    let trace = Context::current().span().span_context().trace_id();
                    if let Some(collector) = collector {
                        collector.want(trace);
                    }
                    shown = Some(trace);
                }
                let order = KINDS.get(kind).map(Kind::order).ok_or(NotPlaced(None))?;
                let answer = client.post(url).json(&order).send().await;
                let answer = answer.map_err(|_| NotPlaced(None))?;
                let status = answer.status().as_u16();
                // The answer has come when all of it has.
                answer.bytes().await.map_err(|_| NotPlaced(None))?;
                match status {
                    201 | 202 => Ok(status),
                    other => Err(NotPlaced(Some(other))),
                }
            };
            let status = match placing.try_traced("place order").await {
                Ok(status) => Some(status),
                Err(NotPlaced(status)) => status,
            };
            Answer {
                kind,
                status,
                took: started.elapsed(),
                shown,
            }
        }
    }
}

fn note(
    answer: &Result<Answer, JoinError>,
    tally: &mut Tally,
    started: Instant,
    console: &Console,
) {
    if let Ok(answer) = answer {
        tally.add(*answer);
        let rate = tally.orders() as f64 / started.elapsed().as_secs_f64();
        let answers = answers(&tally.by_status());
        console.advance(format!("{rate:.1}/s  {answers}"));
    }
}

/// How often there was which answer.
pub(super) fn answers(by_status: &BTreeMap<Option<u16>, u64>) -> String {
    let answers: Vec<String> = by_status
        .iter()
        .map(|(status, count)| match status {
            Some(status) => format!("{count} × {status}"),
            None => format!("{count} without an answer"),
        })
        .collect();
    answers.join(", ")
}
