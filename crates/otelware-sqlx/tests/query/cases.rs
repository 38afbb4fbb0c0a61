//! Our own test cases: the tables in `tests/data`, the form of which its README tells.

use otelware_sqlx::query::{Dialect, analyse, summarise};
use std::collections::HashSet;

const TABLES: [(&str, &str); 9] = [
    ("literals", include_str!("data/literals.txt")),
    ("queries", include_str!("data/queries.txt")),
    ("definitions", include_str!("data/definitions.txt")),
    ("accounts", include_str!("data/accounts.txt")),
    ("statements", include_str!("data/statements.txt")),
    ("wrong", include_str!("data/wrong.txt")),
    ("postgresql", include_str!("data/postgresql.txt")),
    ("mysql", include_str!("data/mysql.txt")),
    ("sqlite", include_str!("data/sqlite.txt")),
];

#[derive(Debug, Default)]
struct Case {
    name: String,
    dialects: Vec<Dialect>,
    statement: Vec<String>,
    text: Vec<String>,
    summary: Option<String>,
}

fn dialects(names: &str) -> Vec<Dialect> {
    let all = [
        ("postgresql", Dialect::PostgreSql),
        ("mysql", Dialect::MySql),
        ("sqlite", Dialect::Sqlite),
    ];
    let dialects: Vec<_> = names
        .split_whitespace()
        .flat_map(|name| {
            all.iter()
                .filter(move |(known, _)| name == "all" || name == *known)
        })
        .map(|(_, dialect)| *dialect)
        .collect();
    assert!(!dialects.is_empty(), "{names}");
    dialects
}

fn cases(table: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let (mark, rest) = line.split_at(1);
        let rest = rest.strip_prefix(' ').unwrap_or(rest).replace('␠', " ");
        if mark == "[" {
            let (name, names) = rest.split_once(']').unwrap();
            cases.push(Case {
                name: name.to_owned(),
                dialects: dialects(names),
                ..Case::default()
            });
        } else if mark != "#" {
            let case = cases.last_mut().unwrap();
            match mark {
                ">" => case.statement.push(rest),
                "=" => case.text.push(rest),
                "~" => case.summary = Some(rest),
                _ => panic!("{line}"),
            }
        }
    }
    cases
}

#[test]
fn the_tables_hold() {
    let mut names = HashSet::new();
    let mut wrong = Vec::new();
    for (table, text) in TABLES {
        for case in cases(text) {
            let statement = case.statement.join("\n");
            let expected_text = if case.text.is_empty() {
                statement.clone()
            } else {
                case.text.join("\n")
            };
            let summary = case.summary.expect("a summary");
            let expected = (expected_text, (!summary.is_empty()).then_some(summary));
            for dialect in case.dialects {
                let name = format!("{table}: {}, {dialect:?}", case.name);
                assert!(names.insert(name.clone()), "{name} is there twice");
                let found = analyse(&statement, dialect);
                assert_eq!(found.summary, summarise(&statement, dialect), "{name}");
                let found = (found.text.into_owned(), found.summary);
                if found != expected {
                    wrong.push(format!("{name}\n  {found:?}, expected\n  {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names.len() > 800, "{} cases", names.len());
}
