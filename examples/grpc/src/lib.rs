//! What `proto/shop/v1/orders.proto` says, in Rust: shared by the server and the client.

/// The package `shop`.
pub mod shop {
    /// The package `shop.v1`.
    #[allow(
        missing_docs,
        reason = "generated; the comments are in the `.proto` file"
    )]
    pub mod v1 {
        tonic::include_proto!("shop.v1");
    }
}

/// The descriptors of the `.proto` file, for the server's layer and for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("orders_descriptor");
