//! The test cases of the semantic conventions, in every dialect.

use otelware_sqlx::query::{Dialect, analyse};
use serde_json::Value;

#[test]
fn the_cases_of_the_semantic_conventions_hold() {
    let cases: Value = serde_json::from_str(include_str!("data/db-sql-test-cases.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let query = case["input"]["query"].as_str().unwrap();
        let texts = case["expected"]["db.query.text"].as_array().unwrap();
        let summary = case["expected"]["db.query.summary"].as_str();
        for dialect in [Dialect::PostgreSql, Dialect::MySql, Dialect::Sqlite] {
            let found = analyse(query, dialect);
            assert!(
                texts.iter().any(|text| text.as_str() == Some(&*found.text)),
                "{name}, {dialect:?}: {}",
                found.text
            );
            assert_eq!(found.summary.as_deref(), summary, "{name}, {dialect:?}");
        }
    }
}
