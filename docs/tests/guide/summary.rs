//! The table of contents lists every page once.

use crate::links::{BOOK, resolve};
use crate::markdown::Document;
use crate::repository::documents;

const SUMMARY: &str = "docs/src/SUMMARY.md";

#[test]
fn every_page_is_listed_once() {
    let documents = documents();
    let pages = documents
        .keys()
        .filter(|path| path.starts_with(BOOK) && *path != SUMMARY);
    assert_eq!(listed(&documents[SUMMARY]), Vec::from_iter(pages.cloned()));
}

/// The pages that are listed, as often as they are, in the order of their paths.
fn listed(summary: &Document) -> Vec<String> {
    let links = summary.links.iter();
    let mut listed: Vec<String> = links.filter_map(|link| resolve(SUMMARY, link)).collect();
    listed.sort();
    listed
}

#[test]
fn pages_that_are_listed_twice_are_told_twice() {
    let summary = Document::parse("# Summary\n\n- [B](b.md)\n- [A](a.md)\n  - [B](b.md)\n");
    assert_eq!(
        listed(&summary),
        ["docs/src/a.md", "docs/src/b.md", "docs/src/b.md"]
    );
}
