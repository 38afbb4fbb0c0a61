//! What operations are called: `SET`, `PIPELINE SET`, `MULTI SET`.

use crate::batch::Batch;
use crate::command::{Head, KNOWN, Name};
use otelware::operation::{Interned, Label};
use std::sync::OnceLock;

/// Those of known commands, as they are alone, in pipelines and in transactions. Each is looked for
/// at its first use.
static LABELS: [[OnceLock<Option<Interned>>; 3]; KNOWN] =
    [const { [const { OnceLock::new() }; 3] }; KNOWN];

/// That of a command, or of several that have its name.
#[inline]
pub(crate) fn label(command: &Head<'_>, batch: Option<Batch>) -> Label {
    let way = match batch {
        None => 0,
        Some(Batch::Pipeline | Batch::Packed) => 1,
        Some(Batch::Transaction) => 2,
    };
    let places = command.known().and_then(|place| LABELS.get(place));
    let known = places.and_then(|places| {
        let place = places.get(way)?;
        *place.get_or_init(|| Interned::new(&text(command, batch)))
    });
    known.map_or_else(|| any(command, batch), Label::Interned)
}

/// What is not known may be anything, so that it takes no place of what is.
fn any(command: &Head<'_>, batch: Option<Batch>) -> Label {
    match (command.name(), batch) {
        (Name::Static(name), None) => Label::new(name),
        (Name::Static(_), _) => Label::new(&text(command, batch)),
        (Name::Given(name), None) => Label::foreign(name),
        (Name::Given(_), _) => Label::foreign(&text(command, batch)),
    }
}

fn text(command: &Head<'_>, batch: Option<Batch>) -> String {
    let name = command.name().as_str();
    match batch {
        Some(batch) => format!("{} {name}", batch.name()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_operations_have_the_same_label() {
        let head = |name: &'static str| Head::of([name.as_bytes()].into_iter());
        for (name, batch, expected) in [
            ("SET", None, "SET"),
            ("SET", Some(Batch::Pipeline), "PIPELINE SET"),
            ("SET", Some(Batch::Packed), "PIPELINE SET"),
            ("SET", Some(Batch::Transaction), "MULTI SET"),
            ("set", Some(Batch::Pipeline), "PIPELINE set"),
            ("MY.OWN", None, "MY.OWN"),
            ("MY.OWN", Some(Batch::Transaction), "MULTI MY.OWN"),
            ("", None, "_OTHER"),
            ("", Some(Batch::Pipeline), "PIPELINE _OTHER"),
        ] {
            let one = label(&head(name), batch);
            assert_eq!(one.as_str(), expected);
            assert!(one.id().is_some() && one == label(&head(name), batch));
        }
    }
}
