//! Text in columns.

use std::fmt;

/// A table whose first columns are text, and whose last are figures.
pub(super) struct Table {
    texts: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With the titles of the columns, so many of which are text.
    pub(super) fn new(texts: usize, titles: &[&str]) -> Self {
        let titles = titles.iter().map(|title| (*title).to_owned()).collect();
        Self {
            texts,
            rows: vec![titles],
        }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().zip(&widths).enumerate();
                let cells = cells.map(|(column, (cell, width))| match column < self.texts {
                    true => format!("  {cell:width$}"),
                    false => format!("  {cell:>width$}"),
                });
                cells.collect::<String>().trim_end().to_owned()
            })
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_on_the_left_and_figures_are_on_the_right() {
        let mut table = Table::new(1, &["service", "spans"]);
        for (service, spans) in [("orders", "1234567"), ("payments é", "")] {
            table.push(vec![service.to_owned(), spans.to_owned()]);
        }
        let text = "  service       spans\n  orders      1234567\n  payments é";
        assert_eq!(table.to_string(), text);
    }
}
