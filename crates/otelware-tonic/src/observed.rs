//! Marks requests that a layer observes, for layers further in.
//!
//! The thread can't tell: what something in between calls is not the same call.

use http::Extensions;

/// A client's layer observes the request. Two types without content, since such need no memory.
#[derive(Clone, Copy)]
struct ByClient;

/// A server's layer observes the request.
#[derive(Clone, Copy)]
struct ByServer;

/// Marks the request as observed by a client's layer, and returns whether it was before.
pub(crate) fn by_client(extensions: &mut Extensions) -> bool {
    // What a server passes on as its client is another call.
    extensions.remove::<ByServer>();
    extensions.insert(ByClient).is_some()
}

/// Whether a server's layer observes the request.
#[inline]
pub(crate) fn is_by_server(extensions: &Extensions) -> bool {
    extensions.get::<ByServer>().is_some()
}

/// Marks the request as observed by a server's layer.
pub(crate) fn by_server(extensions: &mut Extensions) {
    // What reaches a server from a client within the process may go on to another.
    extensions.remove::<ByClient>();
    extensions.insert(ByServer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_observed_once_on_each_side_of_each_hop() {
        let mut extensions = Extensions::new();
        assert!(!by_client(&mut extensions));
        assert!(by_client(&mut extensions));
        assert!(!is_by_server(&extensions));
        by_server(&mut extensions);
        assert!(is_by_server(&extensions));
        assert!(!by_client(&mut extensions));
        assert!(!is_by_server(&extensions));
    }
}
