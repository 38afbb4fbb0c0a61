//! The program under test as a child process.

use otelware_testing::Program;

/// Starts the program with these variables and no others.
pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Program {
    Program::start(env!("CARGO_BIN_EXE_quickstart"), arguments, variables)
}

/// Starts the program as a server on a free port and waits until it listens.
pub(crate) fn serve(variables: &[(&str, &str)]) -> Program {
    let mut all = vec![("LISTEN", "127.0.0.1:0")];
    all.extend(variables);
    let service = start(&["--serve"], &all);
    service.listening_address();
    service
}
