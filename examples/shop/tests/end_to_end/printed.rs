//! What the launcher prints, as data.

use std::collections::BTreeMap;

/// What became of the spans of a service, or of all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) exported: usize,
    /// Nothing where telemetry goes elsewhere.
    pub(crate) received: Option<usize>,
    pub(crate) failed: usize,
    pub(crate) dropped: usize,
}

/// The cells of the rows of a table, without its titles.
#[track_caller]
pub(crate) fn table<'a>(printed: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let mut lines = printed.lines();
    let found = lines.by_ref().any(|line| line == title);
    assert!(found, "no {title} in\n{printed}");
    let rows = lines.skip(1).take_while(|line| !line.is_empty());
    rows.map(cells).collect()
}

/// What is apart by more than one space.
fn cells(line: &str) -> Vec<&str> {
    let cells = line.split("  ").map(str::trim);
    cells.filter(|cell| !cell.is_empty()).collect()
}

/// What became of the spans, by service; together as `all`.
#[track_caller]
pub(crate) fn accounts(printed: &str) -> BTreeMap<&str, Account> {
    let account = |row: Vec<&'_ str>| Account {
        exported: row[1].parse().unwrap(),
        received: row[2].parse().ok(),
        failed: row[3].parse().unwrap(),
        dropped: row[4].parse().unwrap(),
    };
    let rows = table(printed, "Telemetry").into_iter();
    rows.map(|row| (row[0], account(row))).collect()
}

/// The trees of orders, as `Trace::tree` has them but for what the console does not show.
pub(crate) fn trees(printed: &str) -> Vec<String> {
    let mut trees: Vec<String> = Vec::new();
    for line in printed.lines() {
        let Some((branch, text)) = line.split_once("─ ") else {
            continue;
        };
        let depth = branch.chars().count() / 3;
        let cells = cells(text);
        let [service, name, kind] = cells[..3] else {
            panic!("{line}");
        };
        let error = text.split_once("✗ error.type=").map(|(_, error)| {
            let error = error.split(' ').next().unwrap();
            format!(" ! {error}")
        });
        let error = error.unwrap_or_default();
        if depth == 0 {
            trees.push(String::new());
        }
        let tree = trees.last_mut().unwrap();
        *tree += &format!("{}{service} {kind} {name}{error}\n", "  ".repeat(depth));
    }
    trees.retain(|tree| tree.starts_with("customer"));
    trees
}
