//! Stops the build with one line where librdkafka, Kafka's client in C and C++, cannot be built.

use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CXX");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let missing: Vec<&str> = [compiler.as_str(), "make"]
        .into_iter()
        .filter(|program| !runs(program))
        .collect();
    if !missing.is_empty() {
        println!(
            "cargo::error={} cannot be run: install build-essential (Debian, Ubuntu; ./scripts/shop does it), gcc-c++ \
             and make (Fedora), build-base (Alpine), base-devel (Arch), or Xcode's command line tools (macOS)",
            missing.join(" and ")
        );
    }
}

/// Whether the program, by its name or with arguments, can be run here.
fn runs(program: &str) -> bool {
    let mut words = program.split_whitespace();
    let Some(name) = words.next() else {
        return false;
    };
    Command::new(name)
        .args(words)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
