//! A program under test as a child process.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A program that runs as a child process, with what it has written so far. It is killed when dropped.
///
/// ```no_run
/// use otelware_testing::Program;
///
/// // In a test of the crate that has the program: `env!("CARGO_BIN_EXE_shop")`.
/// let shop = Program::start("target/debug/shop", &["--serve"], &[("LISTEN", "127.0.0.1:0")]);
/// let address = shop.listening_address();
/// // Call it there, and then:
/// let ended = shop.stop();
/// assert_eq!(ended.stdout, "");
/// # let _ = address;
/// ```
///
/// All methods that wait block the thread, and fail after a [deadline](Self::deadline). On Unix only.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Mutex<Child>,
    stdout: Output,
    stderr: Output,
    deadline: Duration,
}

/// How a [`Program`] ended and all that it wrote; what is not UTF-8 is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedProgram {
    /// The exit code or the signal.
    pub status: ExitStatus,
    /// The whole standard output.
    pub stdout: String,
    /// The whole standard error.
    pub stderr: String,
}

impl Program {
    /// Starts the program with these arguments, these environment variables and no others, and no input.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[track_caller]
    pub fn start(path: impl AsRef<OsStr>, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let path = path.as_ref();
        let name = path.to_string_lossy().into_owned();
        let spawned = Command::new(path)
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => panic!("{name} cannot be started: {error}"),
        };
        Self {
            name,
            stdout: Output::of(child.stdout.take()),
            stderr: Output::of(child.stderr.take()),
            child: Mutex::new(child),
            deadline: Duration::from_secs(10),
        }
    }

    /// How long each method that waits does so before it fails; 10 seconds by default.
    #[must_use = "the program is killed when dropped"]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The system's number of the process, until it has ended.
    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// What it has written to the standard output so far; what is not UTF-8 is replaced.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has written to the standard error so far; what is not UTF-8 is replaced.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until `look` finds something while the program runs; `what` names that in the failure.
    ///
    /// # Panics
    ///
    /// If the program ends first, or the deadline passes.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let found = self.poll(what, || {
            // In this order: once it has ended, nothing more can come after a look in vain.
            let ended = self
                .status()
                .filter(|_| self.stdout.is_complete() && self.stderr.is_complete());
            look().map(Ok).or(ended.map(Err))
        });
        match found {
            Ok(found) => found,
            Err(status) => panic!(
                "{} ended with {status} before {what}; {}",
                self.name,
                written(&self.stdout(), &self.stderr())
            ),
        }
    }

    /// Waits until the program says where it listens: the `address=…` in the first line of its standard error that has
    /// both this and the word `listening`, as `tracing::info!(%address, "listening")` writes it.
    ///
    /// # Panics
    ///
    /// As [`Program::wait_for`].
    #[track_caller]
    pub fn listening_address(&self) -> SocketAddr {
        self.wait_for("a line that says where it is listening", || {
            listening_address(&self.stderr())
        })
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    ///
    /// If the program has ended, or the command `kill` fails.
    #[track_caller]
    pub fn terminate(&self) {
        // Held meanwhile, so that nobody waits for its end and its id cannot become that of another process.
        let mut child = lock(&self.child);
        let id = child.id().to_string();
        let sent = match child.try_wait() {
            Ok(None) => Command::new("kill").args(["-TERM", &id]).status(),
            Ok(Some(status)) => panic!(
                "{} ended with {status} before it was told to; {}",
                self.name,
                written(&self.stdout(), &self.stderr())
            ),
            Err(error) => Err(error),
        };
        match sent {
            Ok(status) if status.success() => {}
            Ok(status) => panic!("kill -TERM {id}: {status}"),
            Err(error) => panic!("kill -TERM {id}: {error}"),
        }
    }

    /// Waits until the program has ended and its output is complete.
    ///
    /// # Panics
    ///
    /// If the deadline passes.
    #[track_caller]
    pub fn end(self) -> EndedProgram {
        let status = self.poll("its end", || self.status());
        // A child of its own may outlive it, and hold the output open.
        self.poll("the end of its output", || {
            (self.stdout.is_complete() && self.stderr.is_complete()).then_some(())
        });
        EndedProgram {
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    /// Sends SIGTERM and waits for the end, which must be a success.
    ///
    /// # Panics
    ///
    /// As [`Program::terminate`], [`Program::end`] and [`EndedProgram::assert_success`].
    #[track_caller]
    pub fn stop(self) -> EndedProgram {
        self.terminate();
        self.end().assert_success()
    }

    /// How it ended, if it has.
    fn status(&self) -> Option<ExitStatus> {
        match lock(&self.child).try_wait() {
            Ok(status) => status,
            Err(error) => panic!("whether {} has ended is not known: {error}", self.name),
        }
    }

    #[track_caller]
    fn poll<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                started.elapsed() < self.deadline,
                "{}: waited {:?} in vain for {what}; {}",
                self.name,
                self.deadline,
                written(&self.stdout(), &self.stderr())
            );
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        // One that has ended is left alone. Nothing can be done about a failure here.
        if let Ok(None) = child.try_wait() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl EndedProgram {
    /// Asserts that the program ended with exit code 0.
    ///
    /// # Panics
    ///
    /// If it did not.
    #[track_caller]
    pub fn assert_success(self) -> Self {
        assert!(
            self.status.success(),
            "ended with {}; {}",
            self.status,
            written(&self.stdout, &self.stderr)
        );
        self
    }
}

/// What comes out of a pipe, read on a thread of its own.
#[derive(Debug)]
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Output {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            if let Some(pipe) = pipe {
                read_all(pipe, &shared);
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}

fn read_all(mut pipe: impl Read, bytes: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 4096];
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => lock(bytes).extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The address in the first complete line that says `listening` and has one.
fn listening_address(text: &str) -> Option<SocketAddr> {
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n') && line.contains("listening"))
        .find_map(|line| {
            let (_, address) = line.split_once(" address=")?;
            address.split_whitespace().next()?.parse().ok()
        })
}

/// The output for a failure.
fn written(stdout: &str, stderr: &str) -> String {
    format!("stdout:\n{stdout}\nstderr:\n{stderr}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
