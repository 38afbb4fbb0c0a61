//! The whole shop: `cargo run --package shop`. With `service NAME` one service alone.

fn main() -> std::process::ExitCode {
    shop::launcher::main()
}
