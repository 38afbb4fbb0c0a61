//! The service `gateway` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Gateway)
}
