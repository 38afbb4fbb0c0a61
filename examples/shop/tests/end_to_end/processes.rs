//! Processes, as Linux tells of them.

use std::fs;

/// A process that was there when it was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    id: u32,
    /// When it was started, in ticks since the system was: another process may get its number.
    started: u64,
    /// Which service it is.
    pub(crate) service: String,
}

impl Process {
    /// The services that this process has started and that run, by their names.
    pub(crate) fn services_of(parent: u32) -> Vec<Self> {
        let processes = fs::read_dir("/proc").unwrap();
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut services: Vec<Self> = ids
            .filter_map(|id| {
                let (of, started) = parent_and_start(id)?;
                let service = service(id)?;
                (of == parent).then_some(Self {
                    id,
                    started,
                    service,
                })
            })
            .collect();
        services.sort_by(|one, other| one.service.cmp(&other.service));
        services
    }

    pub(crate) fn is_alive(&self) -> bool {
        parent_and_start(self.id).is_some_and(|(_, started)| started == self.started)
    }

    /// Resident memory, in KiB; `None` once it has ended.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line?.trim().strip_suffix(" kB")?.trim().parse().ok()
    }
}

/// The parent of a process that has not ended, and when it was started.
fn parent_and_start(id: u32) -> Option<(u32, u64)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may have anything in it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let has_ended = matches!(*fields.first()?, "Z" | "X");
    let found = (fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?);
    (!has_ended).then_some(found)
}

/// Which service it is, by its arguments: `service NAME`.
fn service(id: u32) -> Option<String> {
    let arguments = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
    let mut arguments = arguments.split('\0').skip(1);
    (arguments.next()? == "service").then(|| arguments.next().map(str::to_owned))?
}
