//! What holds for every text: no literal survives, and an answer always comes.

use otelware_sqlx::query::{Dialect, analyse, summarise};
use proptest::prelude::*;
use proptest::sample::select;
use std::borrow::Cow;

const ALL: [Dialect; 3] = [Dialect::PostgreSql, Dialect::MySql, Dialect::Sqlite];

/// What must not be seen. No keyword, name or number of the texts around has any of it.
const MARKER: &str = "ZqXwVj";
/// The same as a number, and as part of hexadecimal ones.
const DIGITS: &str = "8675309";

/// Every way to write the marker as a literal: `§` in these is the marker, `¤` its digits.
fn literals(dialect: Dialect) -> Vec<String> {
    let mut literals: Vec<String> = [
        "'§'",
        "'§''§'",
        "'''§'''",
        "'it''s §'",
        "'§ -- §'",
        "'/* §'",
        "'§ */'",
        "'; §'",
        "'§;'",
        "'\"§'",
        "'§\"§\"'",
        "'`§'",
        "'[§'",
        "'$$§$$'",
        "'$§'",
        "'(§'",
        "'§)'",
        "'§\n§'",
        "'ä§😀'",
        "'?§'",
        "'#§'",
        "'\u{0}§'",
        "'§' '§'",
        "'§'\n'§'",
        "x'¤'",
        "X'¤'",
        "¤",
        "-¤",
        "+¤",
        "¤.5",
        ".¤",
        "1.¤",
        "0x¤",
        "0X¤¤",
        "1e¤",
        "1e-¤",
        "¤_¤",
        "¤§",
        "-.¤e+¤",
        "DATE '§'",
        "INTERVAL '§'",
        "TIMESTAMP '§'",
        "DATE'§'",
        "('§')",
        "'§'||'§'",
        "'§'=¤",
    ]
    .map(str::to_owned)
    .to_vec();
    let own: &[&str] = match dialect {
        Dialect::PostgreSql => &[
            "E'§'",
            "e'\\'§'",
            "E'\\\\\\'§'",
            "E'§\\\\'",
            "E'§'\n'\\'§'",
            "E'§' -- x\n'\\'§'",
            "U&'§'",
            "u&'\\+00§'",
            "N'§'",
            "B'¤'",
            "b'¤'",
            "$$§$$",
            "$t$§$t$",
            "$t$ § $ $$ $u$ §$t$",
            "$t_1$'§$t_1$",
            "$$'§\"$$",
            "$ä$§$ä$",
            "'§'::text",
            "'{§}'::text[]",
            "ARRAY['§', '§']",
            "'§\\'",
            "'\\§'",
            "¤::int",
            "DATE $$§$$",
            "'§'::\"T\"",
            "U&'§' UESCAPE '!'",
        ],
        Dialect::MySql => &[
            "\"§\"",
            "\"§\"\"§\"",
            "'\\'§'",
            "\"\\\"§\"",
            "'\\\\\\'§'",
            "'§\\\\'",
            "\"'§\"",
            "\"it's §\"",
            "'\\\n§'",
            "_utf8mb4'§'",
            "_latin1\"§\"",
            "N'§'",
            "n'§'",
            "b'¤'",
            "B'¤'",
            "0b¤",
            "\"§\" '§'",
            "_binary x'¤'",
            "{d '§'}",
            "{ts \"§\"}",
            "$$§$$",
            "\"§ -- §\"",
            "\"/*§\"",
            "\"#§\"",
        ],
        Dialect::Sqlite => &[
            "\"§\"",
            "\"§\"\"§\"",
            "\"'§\"",
            "\"[§\"",
            "\"§]\"",
            "\"`§\"",
            "'\\§'",
            "'§\\'",
            "\"§ -- §\"",
            "\"§\" || \"§\"",
            "+\"§\"",
        ],
    };
    literals.extend(own.iter().map(|literal| (*literal).to_owned()));
    for literal in &mut literals {
        *literal = literal.replace('§', MARKER).replace('¤', DIGITS);
    }
    literals
}

/// Statements with places for literals.
const STATEMENTS: [&str; 36] = [
    "SELECT {}",
    "SELECT {}, {} FROM t",
    "SELECT a FROM t WHERE b = {} AND c <> {}",
    "SELECT a FROM t WHERE b IN ({}, {},{})",
    "SELECT a FROM t WHERE b BETWEEN {} AND {} OR c LIKE {} ",
    "SELECT CASE WHEN a = {} THEN {} ELSE {} END FROM t",
    "SELECT f({}, a, {}) FROM t ORDER BY {}, c LIMIT 5",
    "SELECT a AS b, {} AS c FROM t, u JOIN v ON v.x = {} , w",
    "SELECT a FROM (SELECT {} FROM t) AS x WHERE b IS NOT DISTINCT FROM {}",
    "WITH x AS (SELECT {} FROM t WHERE a = {}) SELECT * FROM x WHERE b = {}",
    "INSERT INTO t VALUES ({}, {})",
    "INSERT INTO t (a, b) VALUES ({}, {}), ({}, 1)",
    "INSERT INTO s.t (a) SELECT {} FROM u WHERE b = {}",
    "INSERT INTO t (a) VALUES ({}) ON CONFLICT (a) DO UPDATE SET a = {}, b = {} RETURNING a",
    "INSERT INTO t (a) VALUES ({}) ON DUPLICATE KEY UPDATE a = {}, b = {}",
    "REPLACE INTO t (a) VALUES ({})",
    "UPDATE t SET a = {}, b = {} WHERE c = {}",
    "UPDATE t SET a = {} FROM u WHERE t.b = {}",
    "DELETE FROM t WHERE a = {} RETURNING {}",
    "DELETE FROM t USING u WHERE a = {}",
    "MERGE INTO t USING u ON t.a = {} WHEN MATCHED THEN UPDATE SET b = {}, c = {}",
    "CALL p({}, {})",
    "VALUES ({}, {})",
    "EXPLAIN SELECT a FROM t WHERE b = {}",
    "SET a = {}",
    "CREATE TABLE t (a INT DEFAULT {}, CHECK (a <> {}))",
    "CREATE VIEW v AS SELECT {} FROM t",
    "ALTER TABLE t ADD COLUMN a TEXT DEFAULT {}",
    "SELECT a FROM t WHERE b = {}; SELECT {}; UPDATE t SET c = {}",
    "(SELECT {}) UNION ALL (SELECT {} FROM t)",
    "nonsense {} and {}",
    "SELECT a FROM t WHERE b = {} /* c */ AND d = {} -- e\n AND f = {}",
    "SELECT a FROM t WHERE b={}\tAND c>{}\r\nGROUP BY d HAVING e <{}",
    "PREPARE p AS SELECT a FROM t WHERE b = {}",
    "CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE u SET a = {}; SELECT {}; END",
    "{}",
];

fn assert_hidden(text: &str, dialect: Dialect) -> Result<(), TestCaseError> {
    let found = analyse(text, dialect);
    let summary = found.summary.clone().unwrap_or_default();
    for secret in [MARKER, DIGITS] {
        prop_assert!(
            !found.text.contains(secret),
            "{dialect:?}: {text:?} gave {}",
            found.text
        );
        prop_assert!(
            !summary.contains(secret),
            "{dialect:?}: {text:?} gave {summary}"
        );
    }
    Ok(())
}

fn a_dialect() -> impl Strategy<Value = Dialect> {
    select(ALL.to_vec())
}

/// A statement with literals, and its dialect.
fn a_statement() -> impl Strategy<Value = (Dialect, String)> {
    a_dialect().prop_flat_map(|dialect| {
        let literal = select(literals(dialect));
        (
            Just(dialect),
            select(STATEMENTS.to_vec()),
            prop::collection::vec(literal, 4),
        )
            .prop_map(|(dialect, statement, literals)| {
                let mut parts = statement.split("{}");
                let mut text = parts.next().unwrap_or_default().to_owned();
                for (part, literal) in parts.zip(literals) {
                    text += &literal;
                    text += part;
                }
                (dialect, text)
            })
    })
}

/// Bits of SQL in any order, with quotes and comments that need not match.
fn a_jumble() -> impl Strategy<Value = String> {
    let bits = vec![
        "'",
        "''",
        "\"",
        "`",
        "[",
        "]",
        "$$",
        "$a$",
        "$",
        "\\",
        "\\'",
        "--",
        "-- ",
        "#",
        "/*",
        "*/",
        "/*!",
        "/*!50000",
        "/*M!",
        "E'",
        "e'",
        "U&'",
        "U&\"",
        "x'",
        "N'",
        "\n",
        "\r",
        " ",
        "\t",
        ";",
        "(",
        ")",
        ",",
        ".",
        "=",
        "?",
        "?1",
        ":",
        "::",
        ":a",
        "@",
        "@@",
        "@a",
        "$1",
        "-",
        "+",
        "1",
        "-1",
        ".5",
        "1e",
        "1e-5",
        "0x",
        "a",
        "b.c",
        "ä",
        "😀",
        "\0",
        "*",
        "%",
        "_",
        "SELECT",
        "FROM",
        "WHERE",
        "JOIN",
        "INTO",
        "INSERT",
        "UPDATE",
        "SET",
        "DELETE",
        "WITH",
        "AS",
        "UNION",
        "VALUES",
        "CREATE",
        "TABLE",
        "USER",
        "PASSWORD",
        "IDENTIFIED",
        "BY",
        "PRAGMA",
        "key",
        "COPY",
        "STDIN",
        "ALTER",
        "ROLE",
        "GRANT",
        "TRUE",
        "TO",
        "ON",
        "BEGIN",
        "EXPLAIN",
        "USING",
        "MERGE",
        "DISTINCT",
        "ATTACH",
        "DROP",
        "LOCK",
        "IF",
        "OR",
        "RECURSIVE",
        "password",
    ];
    let spaced = (select(bits), any::<bool>()).prop_map(|(bit, space)| {
        if space {
            format!("{bit} ")
        } else {
            bit.to_owned()
        }
    });
    prop::collection::vec(spaced, 0..30).prop_map(|bits| bits.concat())
}

/// What holds for whatever text.
fn assert_sound(text: &str, dialect: Dialect) -> Result<(), TestCaseError> {
    let found = analyse(text, dialect);
    prop_assert!(found.text.len() <= text.len().min(32 * 1_024));
    prop_assert_eq!(&found.summary, &summarise(text, dialect));
    if let Some(summary) = &found.summary {
        prop_assert!(!summary.is_empty() && summary.chars().count() <= 255);
    }
    if *found.text == *text {
        prop_assert!(matches!(found.text, Cow::Borrowed(_)));
    }
    let again = analyse(&found.text, dialect);
    prop_assert_eq!(&again.text, &found.text, "{:?}: {:?}", dialect, text);
    prop_assert_eq!(&again.summary, &found.summary, "{:?}: {:?}", dialect, text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_literal_survives((dialect, text) in a_statement()) {
        assert_hidden(&text, dialect)?;
    }

    #[test]
    fn no_literal_survives_when_the_text_is_cut_off((dialect, text) in a_statement(), at in any::<prop::sample::Index>()) {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let cut = &text[..*at.get(&ends)];
        let found = analyse(cut, dialect);
        let summary = found.summary.unwrap_or_default();
        // The marker itself may be cut.
        for secret in [&MARKER[..2], &DIGITS[..2]] {
            prop_assert!(!found.text.contains(secret), "{dialect:?}: {cut:?} gave {}", found.text);
            prop_assert!(!summary.contains(secret), "{dialect:?}: {cut:?} gave {summary}");
        }
    }

    #[test]
    fn no_literal_survives_between_any_bytes(
        dialect in a_dialect(),
        before in "[^'\"`$\\[\\\\]{0,40}",
        after in "[^'\"`$\\[\\\\]{0,40}",
        literal in any::<prop::sample::Index>(),
    ) {
        // A comment may begin before the literal, and the end of a line would end it.
        let literals: Vec<String> = literals(dialect)
            .into_iter()
            .filter(|literal| !literal.contains(['\n', '\r']))
            .collect();
        let text = format!("{before} {} {after}", literal.get(&literals));
        // In SQLite, what is in double quotes is a name at some places.
        if dialect != Dialect::Sqlite || !text.contains('"') {
            assert_hidden(&text, dialect)?;
        }
    }

    #[test]
    fn no_literal_survives_when_a_quote_is_in_it(
        dialect in a_dialect(),
        statement in select(STATEMENTS.to_vec()),
        quotes in 0_usize..6,
    ) {
        // What an application that does not escape makes of a name such as O'Brien.
        let value = format!("'O{}{MARKER}'", "'x".repeat(quotes));
        let text = statement.replace("{}", &value);
        assert_hidden(&text, dialect)?;
        let value = format!("'{MARKER}'s {MARKER} and {DIGITS}'");
        assert_hidden(&statement.replacen("{}", &value, 1).replace("{}", "1"), dialect)?;
    }

    #[test]
    fn no_password_survives(
        (dialect, head, tail) in select(vec![
            (Dialect::PostgreSql, "CREATE USER a PASSWORD ", ""),
            (Dialect::PostgreSql, "ALTER ROLE a WITH LOGIN ENCRYPTED PASSWORD ", " VALID UNTIL 'x'"),
            (Dialect::PostgreSql, "SELECT 1; alter user a password ", "; SELECT 1"),
            (Dialect::PostgreSql, "SET app.password = ", ""),
            (Dialect::PostgreSql, "SET LOCAL a.b TO ", ""),
            (Dialect::PostgreSql, "ALTER ROLE a SET b = ", ""),
            (Dialect::MySql, "CREATE USER 'a'@'%' IDENTIFIED BY ", " REQUIRE SSL"),
            (Dialect::MySql, "ALTER USER a IDENTIFIED WITH b BY ", " REPLACE 'x'"),
            (Dialect::MySql, "ALTER USER a IDENTIFIED BY 'x' REPLACE ", ""),
            (Dialect::MySql, "CREATE USER a IDENTIFIED BY PASSWORD ", ""),
            (Dialect::MySql, "GRANT ALL ON *.* TO a IDENTIFIED BY ", " WITH GRANT OPTION"),
            (Dialect::MySql, "SET PASSWORD FOR a = ", ""),
            (Dialect::MySql, "SET PASSWORD = ", ""),
            (Dialect::MySql, "/*!50000 CREATE USER a IDENTIFIED BY ", " */"),
            (Dialect::Sqlite, "PRAGMA key = ", ""),
            (Dialect::Sqlite, "PRAGMA rekey=", ";"),
            (Dialect::Sqlite, "PRAGMA main.key(", ")"),
            (Dialect::Sqlite, "ATTACH 'a' AS b KEY ", ""),
        ]),
        form in select(vec!["§", "'§'", "\"§\"", "§.§", "§ ¤", "`§`", "(§)", "PASSWORD('§')", "x'¤'", "§, §"]),
    ) {
        let password = form.replace('§', MARKER).replace('¤', DIGITS);
        assert_hidden(&format!("{head}{password}{tail}"), dialect)?;
    }

    #[test]
    fn every_text_has_an_answer(text in ".{0,200}", dialect in a_dialect()) {
        assert_sound(&text, dialect)?;
    }

    #[test]
    fn every_jumble_has_an_answer(text in a_jumble()) {
        for dialect in ALL {
            assert_sound(&text, dialect)?;
        }
    }

    #[test]
    fn every_statement_has_an_answer((dialect, text) in a_statement()) {
        assert_sound(&text, dialect)?;
    }

    #[test]
    fn bytes_that_are_no_text_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let text = String::from_utf8_lossy(&bytes);
        for dialect in ALL {
            assert_sound(&text, dialect)?;
        }
    }
}
