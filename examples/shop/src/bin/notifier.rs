//! The service `notifier` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Notifier)
}
