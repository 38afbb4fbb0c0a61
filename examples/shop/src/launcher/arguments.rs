//! The command line.

use crate::Service;
use clap::{Args, Parser, Subcommand};

/// A whole shop, instrumented: six services, a customer, and what their telemetry says.
///
/// Without arguments it places one order of each kind, and draws the trace of each.
#[derive(Debug, Parser)]
#[command(name = "shop", args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Arguments {
    /// Place so many orders, of which most succeed
    #[arg(long, value_name = "N")]
    pub(super) orders: Option<u64>,
    /// Place so many orders per second
    #[arg(long, value_name = "R", default_value_t = 4.0, value_parser = rate)]
    pub(super) rate: f64,
    /// Place orders until Ctrl-C
    #[arg(long, conflicts_with = "orders")]
    pub(super) serve: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Run one of the services alone, as the shop does with each of them.
    #[command(hide = true)]
    Service { service: Service },
}

/// What this process is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    Shop(Arguments),
    Service(Service),
}

impl Role {
    /// As the command line says. Where it says nothing that can be understood the process ends.
    pub(super) fn from_command_line() -> Self {
        let line = CommandLine::parse();
        match line.command {
            Some(Command::Service { service }) => Self::Service(service),
            None => Self::Shop(line.arguments),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number from 0.1 to 10000".to_owned()),
    }
}
