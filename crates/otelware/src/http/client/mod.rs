//! The client's side of an HTTP request, for every client library alike.

mod call;
mod options;
mod request;
mod resend;

pub use call::{Classify, ClientCall, HttpClient};
pub use options::{HttpClientOptions, RequestView};
pub use request::{ClientRequest, Target, UriTarget};
pub use resend::{ResendCount, UrlTemplate};
