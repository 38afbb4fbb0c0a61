//! The service `otelware.test.Shapes`: a method of each shape that gRPC has.
//!
//! This is what tonic-prost-build 0.14 makes of
//!
//! ```proto
//! syntax = "proto3";
//! package otelware.test;
//!
//! message Note {
//!   uint64 number = 1;
//!   string text = 2;
//! }
//!
//! service Shapes {
//!   rpc Unary(Note) returns (Note);
//!   rpc ClientStream(stream Note) returns (Note);
//!   rpc ServerStream(Note) returns (stream Note);
//!   rpc Bidi(stream Note) returns (stream Note);
//! }
//! ```

pub mod shapes_client;
pub mod shapes_server;

/// A message of either direction.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Note {
    /// The place in its stream, from 0.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// What there is to say.
    #[prost(string, tag = "2")]
    pub text: ::prost::alloc::string::String,
}

/// The shape of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One request, one response.
    Unary,
    /// Many requests, one response.
    ClientStream,
    /// One request, many responses.
    ServerStream,
    /// Many requests, many responses.
    Bidi,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Unary,
        Self::ClientStream,
        Self::ServerStream,
        Self::Bidi,
    ];

    /// The method of this shape, as `package.Service/Method`.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Unary => "otelware.test.Shapes/Unary",
            Self::ClientStream => "otelware.test.Shapes/ClientStream",
            Self::ServerStream => "otelware.test.Shapes/ServerStream",
            Self::Bidi => "otelware.test.Shapes/Bidi",
        }
    }

    /// Whether there may be other than one response.
    pub const fn streams_responses(self) -> bool {
        matches!(self, Self::ServerStream | Self::Bidi)
    }
}
