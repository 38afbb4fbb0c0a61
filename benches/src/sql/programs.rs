//! The programs of the peers: each has a workspace of its own, with its version of sqlx or of the SDK.

use std::path::PathBuf;
use std::process::Command;

use crate::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// `sqlx-otel`, on sqlx 0.9 and OpenTelemetry 0.32.
    SqlxOtel,
    /// `sqlx-tracing`, on sqlx 0.8, which cannot be linked beside 0.9.
    SqlxTracing,
}

impl Program {
    pub(crate) const ALL: [Self; 2] = [Self::SqlxOtel, Self::SqlxTracing];

    /// The name of its directory, and of the peer's row.
    pub(crate) const fn peer(self) -> &'static str {
        match self {
            Self::SqlxOtel => "sqlx-otel",
            Self::SqlxTracing => "sqlx-tracing",
        }
    }

    /// The name of its row of sqlx alone.
    pub(crate) const fn bare(self) -> &'static str {
        match self {
            Self::SqlxOtel => "bare (sqlx-otel)",
            Self::SqlxTracing => "bare (sqlx-tracing)",
        }
    }

    /// The program, which [`build`](Self::build) has built.
    pub(crate) fn path(self) -> Result<PathBuf, Error> {
        let name = format!("otelware-benches-{}", self.peer());
        Ok(std::env::current_exe()?.with_file_name(name))
    }

    /// Builds it beside this program.
    pub(crate) fn build(self) -> Result<(), Error> {
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
