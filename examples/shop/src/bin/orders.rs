//! The service `orders` alone.

fn main() -> std::process::ExitCode {
    shop::run(shop::Service::Orders)
}
