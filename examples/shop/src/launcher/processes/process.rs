//! One service as a process: how it is started, what it says, and how it is stopped.

use super::Ended;
use crate::Service;
use crate::launcher::console::Console;
use crate::launcher::parts::is_of_telemetry;
use crate::service::Failure;
use crate::service::account::Account;
use std::env;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a service may take until it works.
const START: Duration = Duration::from_secs(60);

/// How long a service may take to end, telemetry and all.
const STOP: Duration = Duration::from_secs(30);

pub(super) struct Process {
    service: Service,
    /// Killed when this is dropped.
    child: Child,
    said: mpsc::Receiver<Said>,
    /// Which read all that it says, to its end.
    readers: JoinSet<()>,
    address: Option<SocketAddr>,
}

/// What a service says on its standard output.
#[derive(Debug)]
enum Said {
    Ready(Option<SocketAddr>),
    Account(Account),
}

impl Said {
    fn parse(line: &str) -> Option<Self> {
        if line == "ready" {
            return Some(Self::Ready(None));
        }
        if let Some(address) = line.strip_prefix("listening ") {
            return Some(Self::Ready(Some(address.parse().ok()?)));
        }
        Account::parse(line).map(Self::Account)
    }
}

impl Process {
    /// Starts a service and waits until it works.
    pub(super) async fn start(
        service: Service,
        environment: &[(String, String)],
        console: &Console,
    ) -> Result<Self, Failure> {
        let name = service.name();
        let mut command = Command::new(env::current_exe()?);
        // All that a service is to find of this is handed to it.
        for (variable, _) in env::vars_os() {
            if variable.to_str().is_some_and(is_of_telemetry) {
                command.env_remove(variable);
            }
        }
        let mut child = command
            .args(["service", name])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("LISTEN", "127.0.0.1:0")
            .env("STOP_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (sender, said) = mpsc::channel(4);
        let mut readers = JoinSet::new();
        if let Some(output) = child.stdout.take() {
            readers.spawn(listen(output, sender));
        }
        if let Some(errors) = child.stderr.take() {
            readers.spawn(pass_on(errors, name, console.clone()));
        }
        let mut process = Self {
            service,
            child,
            said,
            readers,
            address: None,
        };
        match timeout(START, process.said.recv()).await {
            Ok(Some(Said::Ready(address))) => process.address = address,
            Ok(Some(Said::Account(_)) | None) => {
                process.hear_out().await;
                return Err(format!("{name} ended before it was ready").into());
            }
            Err(_) => {
                return Err(format!("{name} is not ready after {} s", START.as_secs()).into());
            }
        }
        Ok(process)
    }

    pub(super) fn service(&self) -> Service {
        self.service
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The system's number of it, while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops it and waits until it has ended; kills it where that takes too long.
    pub(super) async fn stop(mut self) -> Ended {
        let early = !matches!(self.child.try_wait(), Ok(None));
        drop(self.child.stdin.take());
        let problem = match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if early => Some(format!("ended before it was told to: {status}")),
            Ok(Ok(status)) if status.success() => None,
            Ok(Ok(status)) => Some(format!("failed: {status}")),
            Ok(Err(error)) => Some(format!("cannot be waited for: {error}")),
            Err(_) => {
                // It is dropped below, too.
                self.child.kill().await.ok();
                Some(format!(
                    "had not ended after {} s, and was killed",
                    STOP.as_secs()
                ))
            }
        };
        self.hear_out().await;
        let mut account = None;
        while let Ok(said) = self.said.try_recv() {
            if let Said::Account(said) = said {
                account = Some(said);
            }
        }
        Ended {
            service: self.service,
            account,
            problem,
        }
    }

    /// Waits until all that it has said is read.
    async fn hear_out(&mut self) {
        let reading = async { while self.readers.join_next().await.is_some() {} };
        let _ = timeout(Duration::from_secs(1), reading).await;
    }
}

/// Tells what a service says.
async fn listen(output: ChildStdout, said: mpsc::Sender<Said>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(known) = Said::parse(&line) {
            // When nobody waits any more the lines are read all the same, for the service to go on.
            let _ = said.try_send(known);
        }
    }
}

/// Shows the lines of a service, with its name.
async fn pass_on(errors: impl AsyncRead + Unpin, name: &'static str, console: Console) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        console.note(&format!("{name:>10}  {line}"));
    }
}
