//! The service `payments` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Payments)
}
