//! What a command tells about itself without its values: `db.operation.name`, `db.query.text` and
//! `db.stored_procedure.name`.
//!
//! A table says of every command which of its arguments are keys and which are words of
//! the command's own language. Those are shown, and `?` stands for whatever else there is: what
//! the table does not know is a value. One pass over the arguments, wherever they come from: a
//! [`redis::Cmd`] (`arguments`) or the bytes that are sent (`decode`).

mod arguments;
mod change;
mod few;
mod frame;
mod head;
mod look_up;
mod name;
mod procedure;
mod quoted;
mod reader;
mod resp;
mod shape;
mod table;
mod text;
mod writer;

pub use arguments::arguments;
pub use change::Change;
pub use head::Head;
pub use name::{Name, name};
pub use procedure::stored_procedure;
pub use resp::{Arguments, Commands, decode};
pub use text::{pipeline_text, text};
pub use writer::KeyCapture;

/// How many commands the table has.
pub const KNOWN: usize = table::COMMANDS.len();

/// Their names, in its order.
pub fn known() -> impl Iterator<Item = &'static str> {
    table::COMMANDS.iter().map(|command| command.text)
}
