//! The service `inventory` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Inventory)
}
