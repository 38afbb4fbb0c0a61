//! The program under test as a child process.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(10);

/// Polls `look` until it finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The program, with what it has written so far.
pub(crate) struct Process {
    child: Child,
    stdout: Written,
    stderr: Written,
}

/// How a program ended and what it wrote.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts the program with these variables and no others.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_quickstart"))
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Written::by(child.stdout.take().unwrap());
        let stderr = Written::by(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = eventually("the end of the process", || self.child.try_wait().unwrap());
        Ended {
            status,
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After a test that failed; one that has ended is left alone.
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// The program as a server.
pub(crate) struct Service {
    process: Process,
    address: SocketAddr,
}

impl Service {
    /// Starts the server on a free port and waits until it listens.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut all = vec![("LISTEN", "127.0.0.1:0")];
        all.extend(variables);
        let mut process = Process::start(&["--serve"], &all);
        let address = eventually("the line that names the address", || {
            let ended = process.child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", process.stderr.so_far());
            listening_address(&process.stderr.so_far())
        });
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has written to the standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.process.stderr.so_far()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let id = self.process.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.process.end()
    }

    /// Sends SIGTERM and waits for its end, which must be a success.
    pub(crate) fn stop(self) -> Ended {
        self.terminate();
        let ended = self.end();
        assert!(ended.status.success(), "{}: {}", ended.status, ended.stderr);
        ended
    }
}

/// The address in the first complete line that says `listening`.
fn listening_address(text: &str) -> Option<SocketAddr> {
    let line = text
        .split_inclusive('\n')
        .find(|line| line.ends_with('\n') && line.contains("listening"))?;
    let (_, address) = line.split_once(" address=")?;
    address.split_whitespace().next()?.parse().ok()
}

/// What comes out of a pipe, read on a thread of its own.
struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Written {
    fn by(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                shared.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Everything up to the end.
    fn all(&mut self) -> String {
        eventually("the end of the output", || {
            self.reader.is_finished().then_some(())
        });
        self.so_far()
    }
}
