//! The programs of the peers: each has a workspace of its own, with its version of the library or of the SDK.

use std::path::PathBuf;
use std::process::Command;

use crate::Error;
use crate::case::Case;

/// A peer that the main program is not linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// `sqlx-otel`, on sqlx 0.9 and OpenTelemetry 0.32.
    SqlxOtel,
    /// `sqlx-tracing`, on sqlx 0.8, which cannot be linked beside 0.9.
    SqlxTracing,
    /// `otel-instrumentation-redis`, on redis 0.32.
    OtelInstrumentationRedis,
}

/// What a peer's program measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// The peer's version of the library alone.
    Bare,
    Peer,
}

/// Builds the programs that cases run in.
pub(crate) fn build(cases: &[Case]) -> Result<(), Error> {
    for program in Program::ALL {
        if cases.iter().any(|case| case.peer() == Some(program)) {
            program.build()?;
        }
    }
    Ok(())
}

impl Program {
    const ALL: [Self; 3] = [
        Self::SqlxOtel,
        Self::SqlxTracing,
        Self::OtelInstrumentationRedis,
    ];

    /// The name of its directory, and of the peer's row.
    const fn peer(self) -> &'static str {
        match self {
            Self::SqlxOtel => "sqlx-otel",
            Self::SqlxTracing => "sqlx-tracing",
            Self::OtelInstrumentationRedis => "otel-instrumentation-redis",
        }
    }

    /// The name of a row.
    pub(crate) const fn row(self, row: Row) -> &'static str {
        match (row, self) {
            (Row::Peer, _) => self.peer(),
            (Row::Bare, Self::SqlxOtel) => "bare (sqlx-otel)",
            (Row::Bare, Self::SqlxTracing) => "bare (sqlx-tracing)",
            (Row::Bare, Self::OtelInstrumentationRedis) => "bare (otel-instrumentation-redis)",
        }
    }

    /// The program, which [`build`](Self::build) has built.
    pub(crate) fn path(self) -> Result<PathBuf, Error> {
        let name = format!("otelware-benches-{}", self.peer());
        Ok(std::env::current_exe()?.with_file_name(name))
    }

    /// Builds it beside this program.
    fn build(self) -> Result<(), Error> {
        let program = std::env::current_exe()?;
        let target = program
            .ancestors()
            .nth(2)
            .ok_or("the program has no target directory")?;
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(self.peer())
            .join("Cargo.toml");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--release",
                "--locked",
                "--manifest-path",
            ])
            .arg(manifest)
            .arg("--target-dir")
            .arg(target)
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the program of {} does not build", self.peer()).into())
        }
    }
}
