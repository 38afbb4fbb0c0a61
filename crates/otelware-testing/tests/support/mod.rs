//! Reads the message of an assertion that must fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message with which `assertion` panics.
pub fn failure<T>(assertion: impl FnOnce() -> T) -> String {
    let panic = match catch_unwind(AssertUnwindSafe(assertion)) {
        Ok(_) => panic!("the assertion must fail"),
        Err(panic) => panic,
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&'static str>().expect("a text")).to_owned(),
    }
}

/// The lines of a failure between its first and the whole value found.
#[allow(dead_code, reason = "not every test file compares whole values")]
pub fn differences<T>(assertion: impl FnOnce() -> T) -> Vec<String> {
    failure(assertion)
        .lines()
        .skip(1)
        .take_while(|line| *line != "found:")
        .map(|line| line.trim().to_owned())
        .collect()
}
