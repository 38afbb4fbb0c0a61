//! Line-by-line comparison of what was expected with what was found.

use std::fmt::{self, Display, Write};

/// A labelled property of a captured value, as text.
pub(crate) type Found = (String, String);

/// A labelled property of an expectation.
pub(crate) type Wanted = (String, Want);

#[derive(Clone, Debug)]
pub(crate) enum Want {
    /// The property must read exactly so.
    Exactly(String),
    /// The property must be there, whatever it reads.
    Anything,
}

impl Want {
    pub(crate) fn exactly_or_anything(text: Option<String>) -> Self {
        text.map_or(Want::Anything, Want::Exactly)
    }
}

/// One line per property that is missing, unexpected or different.
fn differences(wanted: &[Wanted], found: &[Found]) -> Vec<String> {
    let mut lines = Vec::new();
    for (label, want) in wanted {
        let actual = found.iter().find(|(other, _)| other == label);
        match (want, actual) {
            (Want::Anything, Some(_)) => {}
            (Want::Anything, None) => lines.push(format!("missing    {label}: (any)")),
            (Want::Exactly(text), None) => lines.push(format!("missing    {label}: {text}")),
            (Want::Exactly(text), Some((_, actual))) if text == actual => {}
            (Want::Exactly(text), Some((_, actual))) => {
                lines.push(format!(
                    "different  {label}: expected {text}, found {actual}"
                ));
            }
        }
    }
    for (label, text) in found {
        if !wanted.iter().any(|(other, _)| other == label) {
            lines.push(format!("unexpected {label}: {text}"));
        }
    }
    lines
}

/// Panics with the differences and the whole value, unless there are none.
#[track_caller]
pub(crate) fn assert_same(subject: &str, wanted: &[Wanted], found: &[Found], whole: &dyn Display) {
    let lines = differences(wanted, found);
    if !lines.is_empty() {
        panic!(
            "{subject} is not as expected:\n{}found:\n{}",
            indented(&lines.join("\n")),
            indented(&whole.to_string())
        );
    }
}

/// Every line of `text` moved to the right.
pub(crate) fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        // Writing to a string cannot fail.
        let _ = writeln!(all, "  {line}");
        all
    })
}

/// One `label: text` per line.
pub(crate) fn write_fields(
    formatter: &mut fmt::Formatter<'_>,
    title: &str,
    fields: &[Found],
) -> fmt::Result {
    write!(formatter, "{title}")?;
    for (label, text) in fields {
        write!(formatter, "\n  {label}: {text}")?;
    }
    Ok(())
}
