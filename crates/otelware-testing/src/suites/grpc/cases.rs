//! The cases. Each panics where the instrumentation fails it.

mod context;
mod ends;
mod errors;
mod interrupted;
mod parents;

pub use context::*;
pub use ends::*;
pub use errors::*;
pub use interrupted::*;
pub use parents::*;
