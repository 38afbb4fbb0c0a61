//! The query analyser on arbitrary texts: an answer always comes, is no longer than the text and
//! its own answer, and shows nothing of a literal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otelware_sqlx::query::{Dialect, analyse, summarise};

const MARKER: &str = "ZqXwVj";

fuzz_target!(|input: (u8, &str, &str)| {
    let (choice, before, after) = input;
    let dialect = match choice % 3 {
        0 => Dialect::PostgreSql,
        1 => Dialect::MySql,
        _ => Dialect::Sqlite,
    };
    let sound = |text: &str| {
        let found = analyse(text, dialect);
        assert!(found.text.len() <= text.len().min(32 * 1_024));
        assert_eq!(found.summary, summarise(text, dialect));
        let len = found
            .summary
            .as_ref()
            .map_or(1, |summary| summary.chars().count());
        assert!((1..=255).contains(&len));
        let again = analyse(&found.text, dialect);
        assert_eq!(again.text, found.text, "{text:?}");
        // A text that was cut off may have had its operations beyond the cut.
        if text.len() <= 32 * 1_024 {
            assert_eq!(again.summary, found.summary, "{text:?}");
        }
        found.text.contains(MARKER) || found.summary.is_some_and(|found| found.contains(MARKER))
    };
    sound(before);

    // A literal after whatever can begin no quote.
    let quotes = ['\'', '"', '`', '$', '[', '\\', '\n', '\r'];
    if !before.contains(quotes) && !before.contains(MARKER) && !after.contains(MARKER) {
        let literal = match choice / 3 % 4 {
            0 => format!("'{MARKER}'"),
            1 => format!("'it''s {MARKER}'"),
            2 if dialect == Dialect::MySql => format!("\"\\\"{MARKER}\""),
            2 if dialect == Dialect::PostgreSql => format!("$a${MARKER}$a$"),
            _ => format!("0x{MARKER}"),
        };
        assert!(
            !sound(&format!("{before} {literal} {after}")),
            "{before} {literal} {after}"
        );
    }
});
