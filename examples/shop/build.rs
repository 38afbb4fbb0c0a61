//! Compiles the `.proto` file; protox takes the place of `protoc`, so there is nothing to install.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=migrations");
    let descriptors = protox::compile(["shop/v1/inventory.proto"], ["proto"])?;
    // The server's layer learns from it which methods there are.
    let file = PathBuf::from(std::env::var("OUT_DIR")?).join("inventory_descriptor.bin");
    std::fs::write(file, descriptors.encode_to_vec())?;
    tonic_prost_build::compile_fds(descriptors)?;
    Ok(())
}
