//! The time an analysis takes grows with the length of the text and no faster, whatever the text.

use otelware_sqlx::query::{Dialect, analyse};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ALL: [Dialect; 3] = [Dialect::PostgreSql, Dialect::MySql, Dialect::Sqlite];

/// How long a good run is waited for on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is repeated, and what stands before it: texts that make a careless reader look at the
/// same bytes again and again.
const SHAPES: [(&str, &str); 34] = [
    ("SELECT a FROM t WHERE b IN (1", ", 'two', 3.5"),
    ("", "SELECT a, b FROM t JOIN u ON t.x = u.y WHERE z = 'x'; "),
    ("INSERT INTO t VALUES (1)", ", (2, 'x', NULL, now())"),
    ("", "'"),
    ("", "\""),
    ("", "`"),
    ("", "["),
    ("", "''"),
    ("'", "\\'"),
    ("E'", "\\'"),
    ("", "E'a' "),
    ("", "E'\\'"),
    ("", "$a$ "),
    ("", "$a$b"),
    ("$a$", "$b$"),
    ("$aaaaaaaaaaaaaaaa$", "$aaaaaaaaaaaaaaa"),
    ("", "$"),
    ("", "$a "),
    ("", "/*"),
    ("", "/* */"),
    ("/*", "*"),
    ("", "/*!50000 'a' "),
    ("", "/*!50000 */ "),
    ("/*!50000 ", "'a' "),
    ("", "-"),
    ("", "--\n"),
    ("", "("),
    ("", "()"),
    ("SELECT ", "((SELECT a FROM t)"),
    ("SELECT * FROM ", "a."),
    ("SELECT * FROM ", "a, "),
    ("1", "e+1"),
    ("WITH a AS (SELECT 1)", ", b AS (SELECT * FROM a)"),
    ("SET PASSWORD = ", "x "),
];

fn text(shape: (&str, &str), length: usize) -> String {
    let (head, part) = shape;
    let mut text = head.to_owned();
    while text.len() < length {
        text.push_str(part);
    }
    text
}

fn time(text: &str, dialect: Dialect) -> Duration {
    let start = Instant::now();
    black_box(analyse(black_box(text), dialect));
    start.elapsed()
}

/// Ten times the text should take ten times as long. What else the machine does can only make a
/// run take longer, so that one good run of the longer text is enough, and the shorter one is
/// allowed its worst. If the time grew with the square of the length the factor would be a
/// hundred, in every run.
#[test]
fn ten_times_the_text_takes_about_ten_times_as_long() {
    for shape in SHAPES {
        let (short, long) = (text(shape, 100_000), text(shape, 1_000_000));
        for dialect in ALL {
            let most = (0..3)
                .map(|_| time(&short, dialect))
                .max()
                .unwrap_or_default()
                * 30;
            let since = Instant::now();
            while time(&long, dialect) > most {
                let tried = since.elapsed();
                assert!(
                    tried < PATIENCE,
                    "{shape:?}, {dialect:?}: never within {most:?}"
                );
            }
        }
    }
}
