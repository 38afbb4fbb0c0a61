//! A program as a child process; here, the shell.
#![cfg(unix)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use otelware_testing::Program;
use support::failure;

/// Says that it listens, and stays until it is told to stop.
const SERVER: &str = r#"
    trap 'echo stopped >&2; exit "$CODE"' TERM
    echo "INFO shop: listening soon" >&2
    echo "INFO shop: listening address=$LISTEN workers=2" >&2
    while :; do sleep 0.01; done
"#;

fn shell(script: &str, variables: &[(&str, &str)]) -> Program {
    Program::start("/bin/sh", &["-c", script], variables)
}

fn server(code: &str) -> Program {
    shell(SERVER, &[("LISTEN", "127.0.0.1:4711"), ("CODE", code)])
}

#[test]
fn the_end_tells_the_status_and_the_whole_output() {
    let ended = shell("echo out; echo err >&2; exit 3", &[]).end();
    let seen = (ended.status.code(), &*ended.stdout, &*ended.stderr);
    assert_eq!(seen, (Some(3), "out\n", "err\n"));
    assert_eq!(
        failure(|| ended.assert_success()),
        "ended with exit status: 3; stdout:\nout\n\nstderr:\nerr\n"
    );
}

#[test]
fn more_output_than_a_pipe_holds_is_read() {
    let ended = shell(
        "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i + 1)); done",
        &[],
    )
    .end()
    .assert_success();
    let expected: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    assert_eq!((ended.stdout, ended.stderr), (expected, String::new()));
}

#[test]
fn arguments_and_variables_are_those_given_and_no_input_comes() {
    let ended = Program::start(
        "/bin/sh",
        &[
            "-c",
            r#"cat; echo "$0 $1 $COLOUR [$HOME]""#,
            "zero",
            "one two",
        ],
        &[("COLOUR", "teal")],
    )
    .end();
    assert_eq!(ended.assert_success().stdout, "zero one two teal []\n");
}

#[test]
fn a_server_is_called_where_it_listens_and_stopped() {
    let server = server("0");
    let address = server.listening_address();
    assert_eq!(address, "127.0.0.1:4711".parse().unwrap());
    let said = "INFO shop: listening soon\nINFO shop: listening address=127.0.0.1:4711 workers=2\n";
    assert_eq!((&*server.stdout(), &*server.stderr()), ("", said));
    let ended = server.stop();
    assert_eq!(ended.stderr, format!("{said}stopped\n"));
}

#[test]
fn stopping_without_success_is_a_failure() {
    let server = server("7");
    server.listening_address();
    let message = failure(|| server.stop());
    assert!(
        message.starts_with("ended with exit status: 7; stdout:\n"),
        "{message}"
    );
}

#[test]
fn what_is_written_last_is_found_though_the_program_has_ended() {
    let program = shell("echo last", &[]);
    let found = program.wait_for("the line", || {
        program.stdout().strip_suffix('\n').map(str::to_owned)
    });
    assert_eq!(found, "last");
}

#[test]
fn an_end_while_something_else_is_waited_for_is_a_failure() {
    let program = shell("echo 'no such table' >&2; exit 2", &[]);
    assert_eq!(
        failure(|| program.listening_address()),
        "/bin/sh ended with exit status: 2 before a line that says where it is listening; \
         stdout:\n\nstderr:\nno such table\n"
    );
    assert_eq!(
        failure(|| program.terminate()),
        "/bin/sh ended with exit status: 2 before it was told to; \
         stdout:\n\nstderr:\nno such table\n"
    );
}

#[test]
fn a_deadline_that_passes_is_a_failure_with_the_output() {
    let program = server("0");
    program.listening_address();
    let said = program.stderr();
    let program = program.deadline(Duration::from_millis(20));
    assert_eq!(
        failure(|| program.wait_for("a wonder", || None::<()>)),
        format!("/bin/sh: waited 20ms in vain for a wonder; stdout:\n\nstderr:\n{said}")
    );
    assert_eq!(
        failure(|| program.end()),
        format!("/bin/sh: waited 20ms in vain for its end; stdout:\n\nstderr:\n{said}")
    );
}

#[test]
fn a_program_that_is_not_there_is_a_failure() {
    assert_eq!(
        failure(|| Program::start("/no/such/program", &[], &[])),
        "/no/such/program cannot be started: No such file or directory (os error 2)"
    );
}

#[test]
fn a_dropped_program_is_killed() {
    let program = shell("echo $$; while :; do sleep 0.01; done", &[]);
    let id = program.wait_for("its id", || {
        program.stdout().strip_suffix('\n').map(str::to_owned)
    });
    assert_eq!(id, program.id().to_string());
    let is_alive = || {
        let mut kill = Command::new("kill");
        let found = kill.args(["-0", &id]).stderr(Stdio::null()).status();
        found.unwrap().success()
    };
    assert!(is_alive());
    drop(program);
    assert!(!is_alive());
}
