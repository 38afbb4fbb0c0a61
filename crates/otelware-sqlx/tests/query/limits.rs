//! Lengths, and what a table of lines cannot show.

use otelware_sqlx::query::{Analysis, Dialect, analyse};
use std::borrow::Cow;

const ALL: [Dialect; 3] = [Dialect::PostgreSql, Dialect::MySql, Dialect::Sqlite];
const LONGEST: usize = 32 * 1_024;

#[test]
fn a_text_without_literals_is_borrowed() {
    for dialect in ALL {
        for text in ["SELECT a FROM t WHERE b = ?", "", " ", "nonsense"] {
            let found = analyse(text, dialect);
            assert!(
                matches!(found.text, Cow::Borrowed(found) if found == text),
                "{text}"
            );
        }
    }
}

#[test]
fn a_long_text_is_cut_between_tokens() {
    for dialect in ALL {
        let head = "SELECT a FROM t WHERE b IN (";
        let text = format!("{head}{})", "123, ".repeat(100_000));
        let found = analyse(&text, dialect);
        assert_eq!(found.summary.as_deref(), Some("SELECT t"));
        let expected = format!("{head}{}", "?, ".repeat((LONGEST - head.len()) / 3));
        assert_eq!(found.text.len(), LONGEST);
        assert_eq!(&*found.text, expected + "?");
    }
}

#[test]
fn a_long_text_without_literals_is_cut_and_still_borrowed() {
    for dialect in ALL {
        let text = format!("SELECT {}b FROM t", "äöü, ".repeat(5_000));
        let found = analyse(&text, dialect);
        assert!(matches!(found.text, Cow::Borrowed(_)));
        assert!(text.starts_with(&*found.text));
        assert_eq!(found.text.len(), LONGEST - 1);
        assert!(found.text.ends_with("äöü, "), "cut between tokens");
        assert_eq!(found.summary.as_deref(), Some("SELECT t"));
    }
}

#[test]
fn a_text_of_exactly_the_longest_length_is_whole() {
    for dialect in ALL {
        for (more, expected) in [(0, LONGEST), (1, 7)] {
            let text = format!("SELECT {}", "a".repeat(LONGEST - 7 + more));
            assert_eq!(analyse(&text, dialect).text.len(), expected);
        }
        let text = format!("{}'secret'", " ".repeat(LONGEST - 1));
        assert_eq!(
            &*analyse(&text, dialect).text,
            " ".repeat(LONGEST - 1) + "?"
        );
        let text = format!("{}'secret'", " ".repeat(LONGEST));
        assert_eq!(&*analyse(&text, dialect).text, " ".repeat(LONGEST));
    }
}

#[test]
fn a_long_literal_leaves_room_for_what_follows() {
    for dialect in ALL {
        let text = format!("INSERT INTO t VALUES ('{}', 1)", "x".repeat(1_000_000));
        let expected = Analysis {
            summary: Some("INSERT t".to_owned()),
            text: "INSERT INTO t VALUES (?, ?)".into(),
        };
        assert_eq!(analyse(&text, dialect), expected);
    }
}

#[test]
fn quotes_that_do_not_match_are_noticed_beyond_the_cut() {
    for dialect in ALL {
        let text = format!(
            "SELECT 'it' s secret', {} FROM t",
            "some_column, ".repeat(10_000)
        );
        assert_eq!(&*analyse(&text, dialect).text, "SELECT ?");
        let text = format!("SELECT {} 'it's' FROM t", "some_column, ".repeat(10_000));
        let found = analyse(&text, dialect);
        assert!(matches!(found.text, Cow::Borrowed(_)));
        assert!(found.text.len() > LONGEST - 12);
    }
}

#[test]
fn the_summary_is_cut_between_tokens() {
    let tables: Vec<String> = (0..50)
        .map(|n| format!("very_long_table_name_{n}"))
        .collect();
    let text = format!("SELECT * FROM {}", tables.join(", "));
    let expected = format!("SELECT {}", tables[..10].join(" "));
    for dialect in ALL {
        assert_eq!(analyse(&text, dialect).summary.as_deref(), Some(&*expected));
    }
}

#[test]
fn the_summary_counts_characters() {
    let text = format!("SELECT * FROM {}", "ä".repeat(248));
    let too_long = format!("SELECT * FROM {}", "ä".repeat(249));
    for dialect in ALL {
        let found = analyse(&text, dialect).summary.unwrap();
        assert_eq!(found.chars().count(), 255);
        assert_eq!(
            analyse(&too_long, dialect).summary.as_deref(),
            Some("SELECT")
        );
    }
}

#[test]
fn parentheses_beyond_counting_are_left_alone() {
    for dialect in ALL {
        for depth in [10, 63, 64, 65, 1_000] {
            let text = format!(
                "SELECT {}(SELECT a FROM t){}, 1 FROM u",
                "(".repeat(depth),
                ")".repeat(depth)
            );
            let found = analyse(&text, dialect);
            let inner = if depth < 63 { " SELECT t" } else { "" };
            assert_eq!(found.summary, Some(format!("SELECT{inner} u")), "{depth}");
            assert_eq!(&*found.text, text.replace('1', "?"));
        }
    }
}

#[test]
fn ends_of_lines_are_those_of_the_dialect() {
    let text = "SELECT a -- it's\rFROM t WHERE b = 'x'";
    assert_eq!(
        &*analyse(text, Dialect::PostgreSql).text,
        "SELECT a \rFROM t WHERE b = ?"
    );
    for dialect in [Dialect::MySql, Dialect::Sqlite] {
        assert_eq!(&*analyse(text, dialect).text, "SELECT a ");
    }
    let text = "SELECT\ta\x0b,\x0cb\r\nFROM\tt";
    for dialect in ALL {
        let found = analyse(text, dialect);
        assert_eq!(
            (&*found.text, found.summary.as_deref()),
            (text, Some("SELECT t"))
        );
    }
}

#[test]
fn a_zero_byte_is_nothing_special() {
    for dialect in ALL {
        let found = analyse("SELECT\0'a\0b'\0FROM t", dialect);
        assert_eq!(&*found.text, "SELECT\0?\0FROM t");
    }
}

#[test]
fn a_hundred_common_table_expressions_are_survived() {
    let ctes: Vec<String> = (0..100).map(|n| format!("c{n} AS (SELECT {n})")).collect();
    let text = format!("WITH {} SELECT * FROM c5, t", ctes.join(", "));
    for dialect in ALL {
        let found = analyse(&text, dialect).summary.unwrap();
        assert!(found.starts_with("SELECT SELECT SELECT"), "{found}");
        assert!(found.len() <= 255);
    }
}
