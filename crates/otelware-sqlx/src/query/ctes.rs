//! The names of common table expressions: they are no tables.

/// No more names than these are known at a time.
const MOST: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Cte<'a> {
    name: &'a str,
    /// The depth of parentheses at which its own body is being read, from which it cannot be seen.
    hidden_at: usize,
}

/// The common table expressions of a statement.
#[derive(Debug, Default)]
pub(super) struct Ctes<'a> {
    known: Vec<Cte<'a>>,
}

/// No depth of parentheses.
const NOWHERE: usize = usize::MAX;

impl<'a> Ctes<'a> {
    /// `name AS (…)` begins; it can be seen from its own body if it may be `recursive`.
    pub(super) fn add(&mut self, name: &'a str, depth: usize, recursive: bool) {
        if self.known.len() < MOST {
            let hidden_at = if recursive { NOWHERE } else { depth };
            self.known.push(Cte { name, hidden_at });
        }
    }

    /// The body of the expression whose name stood at this depth has ended.
    pub(super) fn show(&mut self, depth: usize) {
        for cte in &mut self.known {
            if cte.hidden_at == depth {
                cte.hidden_at = NOWHERE;
            }
        }
    }

    /// Whether an unqualified name is one of these.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.known
            .iter()
            .any(|cte| cte.hidden_at == NOWHERE && bare(cte.name).eq_ignore_ascii_case(bare(name)))
    }

    /// The statement has ended.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// A name without its quotes.
fn bare(name: &str) -> &str {
    let quoted = |open: char, close: char| name.strip_prefix(open)?.strip_suffix(close);
    quoted('"', '"')
        .or_else(|| quoted('`', '`'))
        .or_else(|| quoted('[', ']'))
        .unwrap_or(name)
}
