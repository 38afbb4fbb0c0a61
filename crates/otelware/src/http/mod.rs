//! What the instrumentations of HTTP share: methods, URLs, headers and bodies as the semantic
//! conventions want them, and the whole of the client's side.

mod address;
mod authority;
mod body;
mod body_sizes;
pub mod client;
mod error;
mod extension;
mod grpc;
mod headers;
mod method;
mod no_body;
mod protocol;
mod reserved;
mod url;

pub use crate::secret::is_secret;
pub use address::{address_value, push_server_host};
pub use authority::HostPort;
pub use body::{CountedBody, DescribeBody, OperationBody, announced_length};
pub use body_sizes::BodySizes;
pub use error::{error_type, error_type_of, known_error_type};
pub use extension::{ExtensionLayer, WithExtension};
pub use grpc::{has_grpc_content_type, is_grpc};
pub use headers::HeaderCapture;
pub use method::{KnownMethods, MethodLabel};
pub use no_body::NoBody;
pub use protocol::{protocol_id, protocol_version, status_error};
pub use reserved::not_reserved;
pub use url::UrlRedaction;
