//! The text of `db.query.summary`.

/// The longest summary, in characters.
const LONGEST: usize = 255;

/// Builds a summary: operations and their targets, cut between them where it grows too long.
#[derive(Debug, Default)]
pub(super) struct Summary {
    text: String,
    characters: usize,
    /// Where the last part begins, with what separates it from the one before.
    last: usize,
    /// Whether a statement has ended since the last part.
    ended: bool,
    /// Whether nothing more is taken.
    closed: bool,
}

impl Summary {
    /// Adds an operation or a target.
    pub(super) fn push(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        let separator = match (self.text.is_empty(), self.ended) {
            (true, _) => "",
            (false, true) => "; ",
            (false, false) => " ",
        };
        let last = self.text.len();
        if self.append(separator, part) {
            self.last = last;
            self.ended = false;
        }
    }

    /// Continues the last target: the `part` of `target.part`.
    pub(super) fn extend(&mut self, part: &str) {
        // Where it was closed before, the target itself has not been added.
        if !self.closed && !self.append(".", part) {
            self.text.truncate(self.last);
        }
    }

    fn append(&mut self, separator: &str, part: &str) -> bool {
        if self.closed {
            return false;
        }
        let characters = self.characters + separator.len() + part.chars().count();
        if characters > LONGEST {
            self.closed = true;
            return false;
        }
        if self.text.capacity() == 0 {
            self.text.reserve(64);
        }
        self.text.push_str(separator);
        self.text.push_str(part);
        self.characters = characters;
        true
    }

    /// What follows belongs to the next statement.
    pub(super) fn end_statement(&mut self) {
        self.ended = true;
    }

    /// Takes no more parts.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// How long it is, in bytes, for [`truncate`](Self::truncate).
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Forgets what came after it was `len` bytes long, and takes no more parts.
    pub(super) fn truncate(&mut self, len: usize) {
        self.text.truncate(len);
        self.closed = true;
    }

    /// The summary, where there is one.
    pub(super) fn finish(self) -> Option<String> {
        (!self.text.is_empty()).then_some(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_statements_are_separated() {
        let mut summary = Summary::default();
        for part in ["SELECT", "a", ""] {
            summary.push(part);
        }
        summary.extend("b");
        summary.end_statement();
        summary.push("COMMIT");
        summary.end_statement();
        assert_eq!(summary.finish().as_deref(), Some("SELECT a.b; COMMIT"));
        assert_eq!(Summary::default().finish(), None);
    }

    #[test]
    fn it_is_cut_between_parts() {
        let mut summary = Summary::default();
        summary.push("SELECT");
        for _ in 0..3 {
            summary.push(&"ä".repeat(99));
        }
        summary.push("t");
        let text = summary.finish().unwrap_or_default();
        assert_eq!(text.chars().count(), 206);
        assert_eq!(text, format!("SELECT {0} {0}", "ä".repeat(99)));
    }

    #[test]
    fn exactly_255_characters_fit() {
        for (len, expected) in [(248, 255), (249, 6)] {
            let mut summary = Summary::default();
            summary.push("SELECT");
            summary.push(&"t".repeat(len));
            assert_eq!(summary.finish().unwrap_or_default().len(), expected);
        }
    }

    #[test]
    fn a_target_that_grows_too_long_goes_as_a_whole() {
        let mut summary = Summary::default();
        summary.push("SELECT");
        summary.push("schema");
        summary.extend(&"t".repeat(250));
        summary.push("more");
        assert_eq!(summary.finish().as_deref(), Some("SELECT"));
    }

    #[test]
    fn the_rest_of_a_target_that_did_not_fit_takes_no_other_with_it() {
        let mut summary = Summary::default();
        for part in ["SELECT", "a", &"t".repeat(250)] {
            summary.push(part);
        }
        summary.extend("b");
        assert_eq!(summary.finish().as_deref(), Some("SELECT a"));
    }
}
