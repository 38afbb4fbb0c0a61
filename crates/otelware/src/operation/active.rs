//! Which operation is under way on this thread.

use opentelemetry::{Context, ContextGuard};
use std::cell::Cell;

/// What kind of operation a crate instruments; two of the same kind inside each other are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Family {
    /// Users' own code: never a double of anything.
    Custom = 0,
    /// An HTTP request, as its server.
    HttpServer = 1,
    /// An HTTP request, as its client.
    HttpClient = 2,
    /// A remote procedure call, as its server.
    RpcServer = 3,
    /// A remote procedure call, as its client.
    RpcClient = 4,
    /// A call of a database.
    Database = 5,
    /// An operation on a message broker.
    Messaging = 6,
}

impl Family {
    /// Whether an operation of this family, begun inside one of the family `outer`, is the same
    /// operation seen twice: the same layer twice, or HTTP beneath RPC.
    const fn doubles(self, outer: Self) -> bool {
        match self {
            Self::Custom | Self::Messaging => false,
            Self::HttpServer => matches!(outer, Self::HttpServer | Self::RpcServer),
            Self::HttpClient => matches!(outer, Self::HttpClient | Self::RpcClient),
            Self::RpcServer => matches!(outer, Self::RpcServer),
            Self::RpcClient => matches!(outer, Self::RpcClient),
            Self::Database => matches!(outer, Self::Database),
        }
    }
}

thread_local! {
    static INNERMOST: Cell<Family> = const { Cell::new(Family::Custom) };
    /// The family of an operation that claims what the enclosing one is observing.
    static CLAIM: Cell<Family> = const { Cell::new(Family::Custom) };
}

/// Tells the operation that encloses this one that both are the same, and that an operation of
/// `family` tells it better: gRPC within HTTP.
pub fn claim(family: Family) {
    CLAIM.set(family);
}

/// Whether an operation of this family has [claimed](claim) what the one that was just left is
/// observing.
#[inline]
pub fn take_claim(family: Family) -> bool {
    CLAIM.replace(Family::Custom) == family
}

/// Whether an operation of this family, begun now, would double the one that encloses it.
#[inline]
pub fn is_doubled(family: Family) -> bool {
    family.doubles(INNERMOST.get())
}

/// The family of the innermost operation of the thread; `Custom` where there is none.
#[inline]
pub fn innermost() -> Family {
    INNERMOST.get()
}

/// Makes `context` current for code of the user's that a library runs apart from its operation,
/// such as the stream of a request: no instrumentation of a library encloses what it does.
#[inline]
pub fn enter_user_code(context: Context) -> InUserCode {
    InUserCode {
        outer: replace(Family::Custom),
        _attached: context.attach(),
    }
}

/// Keeps a context current; see [`enter_user_code`].
#[derive(Debug)]
#[must_use = "the context is current only while this lives"]
pub struct InUserCode {
    outer: Family,
    _attached: ContextGuard,
}

impl Drop for InUserCode {
    #[inline]
    fn drop(&mut self) {
        replace(self.outer);
    }
}

/// Makes an operation of `family` the innermost of the thread, and returns what was it before.
#[inline]
pub(crate) fn replace(family: Family) -> Family {
    INNERMOST.replace(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_operation_seen_twice_is_a_double() {
        use Family::*;
        let all = [
            Custom, HttpServer, HttpClient, RpcServer, RpcClient, Database, Messaging,
        ];
        let doubles: Vec<_> = all
            .into_iter()
            .flat_map(|inner| all.map(|outer| (inner, outer)))
            .filter(|(inner, outer)| inner.doubles(*outer))
            .collect();
        assert_eq!(
            doubles,
            [
                (HttpServer, HttpServer),
                (HttpServer, RpcServer),
                (HttpClient, HttpClient),
                (HttpClient, RpcClient),
                (RpcServer, RpcServer),
                (RpcClient, RpcClient),
                (Database, Database),
            ]
        );
    }
}
