//! The cases of the suite. Each panics where the client fails it.

mod batches;
mod contexts;
mod ends;
mod forwards;
mod options;
mod sends;
mod settlements;
mod signals;

pub use batches::*;
pub use contexts::*;
pub use ends::*;
pub use forwards::*;
pub use options::*;
pub use sends::*;
pub use settlements::*;
pub use signals::*;
