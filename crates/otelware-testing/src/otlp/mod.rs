//! An OTLP endpoint on the loopback interface that keeps what it is sent: for tests that look at a whole process.
//!
//! ```
//! use otelware_testing::otlp::OtlpReceiver;
//!
//! let receiver = OtlpReceiver::http();
//! // Start the program with `OTEL_EXPORTER_OTLP_ENDPOINT` set to this; when it has ended:
//! let endpoint = receiver.endpoint();
//! let received = receiver.received();
//! assert_eq!(received.span_names(), Vec::<String>::new());
//! # let _ = endpoint;
//! ```
//!
//! | Transport | Encodings | Compression | TLS |
//! |---|---|---|---|
//! | [`OtlpReceiver::http`] | `application/x-protobuf`, `application/json` | gzip | [`OtlpReceiverBuilder::tls`] |
//! | [`OtlpReceiver::grpc`] | protobuf | gzip | [`OtlpReceiverBuilder::tls`] |

mod grpc;
mod http;
mod received;
mod receiver;

pub use http::Answer;
pub use opentelemetry_proto;
pub use received::{Received, ReceivedRequest};
pub use receiver::{OtlpReceiver, OtlpReceiverBuilder};
