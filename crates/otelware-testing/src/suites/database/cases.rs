//! The cases of the suite. Each panics where the client fails it.

mod ends;
mod options;
mod parents;
mod pools;
mod signals;

pub use ends::*;
pub use options::*;
pub use parents::*;
pub use pools::*;
pub use signals::*;
