//! The shop under test: its launcher as a child process, and what it exports and prints.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_testing::{EndedProgram, Program};

use crate::processes::Process;

/// Long enough for a whole run.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long to wait before looking again: what was received is a lot to look at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The services that the launcher starts, by their names.
pub(crate) const SERVICES: [&str; 6] = [
    "fulfilment",
    "gateway",
    "inventory",
    "notifier",
    "orders",
    "payments",
];

/// A shop is six processes and many threads: one is enough at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A running shop. Dropped, its launcher is killed.
pub(crate) struct Shop {
    pub(crate) program: Program,
    pub(crate) services: Vec<Process>,
    _alone: MutexGuard<'static, ()>,
}

impl Shop {
    /// Starts it with these arguments and variables, and waits until all services run.
    #[track_caller]
    pub(crate) fn open(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let program =
            Program::start(env!("CARGO_BIN_EXE_shop"), arguments, variables).deadline(PATIENCE);
        let services = program.wait_for("six services", || {
            let services = Process::services_of(program.id());
            let names = services.iter().map(|process| &*process.service);
            names.eq(SERVICES).then_some(services)
        });
        Self {
            program,
            services,
            _alone: alone,
        }
    }

    /// Starts it so that it exports to the receiver at this address.
    #[track_caller]
    pub(crate) fn open_to(
        receiver: SocketAddr,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let endpoint = format!("http://{receiver}");
        let telemetry = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ];
        Self::open(arguments, &[variables, &telemetry].concat())
    }

    /// Waits until something is seen in what was received; `what` names that in the failure.
    #[track_caller]
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        receiver: &OtlpReceiver,
        look: impl Fn(&Received) -> Option<T>,
    ) -> T {
        self.program.wait_for(what, || {
            let found = receiver.look(&look);
            if found.is_none() {
                thread::sleep(LOOK_AGAIN);
            }
            found
        })
    }

    /// The same for a wait that is longer than others.
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.program = self.program.deadline(patience);
        self
    }

    /// Resident memory of each service, in KiB.
    pub(crate) fn memory(&self) -> BTreeMap<String, u64> {
        let services = self.services.iter();
        services
            .filter_map(|process| Some((process.service.clone(), process.resident()?)))
            .collect()
    }

    /// Kills the launcher. Its services may end in their own time.
    pub(crate) fn kill(self) -> Vec<Process> {
        self.services
    }

    /// Waits for its end. Nothing of it is left then.
    #[track_caller]
    pub(crate) fn end(self) -> EndedProgram {
        let ended = self.program.end();
        let left: Vec<_> = self
            .services
            .iter()
            .filter(|process| process.is_alive())
            .collect();
        assert!(left.is_empty(), "still there: {left:?}");
        ended
    }
}
