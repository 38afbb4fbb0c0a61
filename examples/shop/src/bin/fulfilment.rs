//! The service `fulfilment` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Fulfilment)
}
