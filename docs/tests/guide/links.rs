//! Links lead to files that there are, and fragments to headings.

use crate::repository::{Documents, URL, documents, read, root};

/// The pages of the book, beneath which nothing else is published.
pub(crate) const BOOK: &str = "docs/src/";

#[test]
fn links_lead_somewhere() {
    let broken = broken(&documents(), |path| root().join(path).exists());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn includes_find_their_part() {
    let mut broken = Vec::new();
    for (path, document) in &documents() {
        for include in &document.includes {
            let (file, part) = include.split_once(':').unwrap_or((include, ""));
            let target = resolve(path, file).unwrap_or_default();
            let text = read(&target);
            let is_there = match part.split(':').next().unwrap_or_default() {
                "" => root().join(&target).exists(),
                // A table is taken over from its header on.
                line if line.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let line = line.parse().map_or(0, |line: usize| line - 1);
                    text.lines()
                        .nth(line)
                        .is_some_and(|line| line.starts_with('|'))
                }
                anchor => {
                    text.contains(&format!("ANCHOR: {anchor} "))
                        && text.contains(&format!("ANCHOR_END: {anchor} "))
                }
            };
            if !is_there {
                broken.push(format!("{path}: {include} has no such part"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What is wrong with the links, where `exists` says which paths there are in the repository.
fn broken(documents: &Documents, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, document) in documents {
        for link in &document.links {
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let in_repository = path
                .strip_prefix(&format!("{URL}/blob/main/"))
                .or_else(|| path.strip_prefix(&format!("{URL}/tree/main/")))
                .or((path == URL && !fragment.is_empty()).then_some("README.md"));
            let target = match in_repository {
                Some(path) => Some(path.to_owned()),
                None if path.contains("://") => continue,
                None if path.is_empty() => Some(from.clone()),
                None => resolve(from, path),
            };
            let problem = match target {
                None => Some("leads out of the repository"),
                Some(target) if !exists(&target) => Some("is not there"),
                Some(target) if in_repository.is_none() && leaves_book(from, &target) => {
                    Some("leads out of the book: write its address on the web")
                }
                Some(_) if fragment.is_empty() => None,
                Some(target) => match documents.get(&target) {
                    None => Some("is a part of what has no headings"),
                    Some(document) if document.anchors.iter().all(|anchor| anchor != fragment) => {
                        Some("is no heading there")
                    }
                    Some(_) => None,
                },
            };
            broken.extend(problem.map(|problem| format!("{from}: {link} {problem}")));
        }
    }
    broken
}

fn leaves_book(from: &str, target: &str) -> bool {
    from.starts_with(BOOK) && !target.starts_with(BOOK)
}

/// The path within the repository that a path in a text leads to.
pub(crate) fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn broken_links_are_found() {
    use crate::markdown::Document;

    let page = "# A page\n\n[good](other.md#its-heading) [good](#a-page) [good](https://example.com/x#y)\n\
                [gone](gone.md) [typo](other.md#its-headin) [own](#b-page) [out](../../README.md) [far](../../../x.md)\n\
                [good](https://github.com/otelware/otelware/blob/main/README.md#readme)\n\
                [web](https://github.com/otelware/otelware/tree/main/gone)\n\
                [part](https://github.com/otelware/otelware/blob/main/scripts/test#l3)\n";
    let documents = Documents::from([
        ("docs/src/page.md".to_owned(), Document::parse(page)),
        (
            "docs/src/other.md".to_owned(),
            Document::parse("# Other\n\n## Its heading\n"),
        ),
        (
            "README.md".to_owned(),
            Document::parse("# README\n\n[good](scripts/test) [bad](scripts/tests)\n"),
        ),
    ]);
    let exists = |path: &str| documents.contains_key(path) || path == "scripts/test";
    assert_eq!(
        broken(&documents, exists),
        [
            "README.md: scripts/tests is not there",
            "docs/src/page.md: gone.md is not there",
            "docs/src/page.md: other.md#its-headin is no heading there",
            "docs/src/page.md: #b-page is no heading there",
            "docs/src/page.md: ../../README.md leads out of the book: write its address on the web",
            "docs/src/page.md: ../../../x.md leads out of the repository",
            "docs/src/page.md: https://github.com/otelware/otelware/tree/main/gone is not there",
            "docs/src/page.md: https://github.com/otelware/otelware/blob/main/scripts/test#l3 is a part of what \
             has no headings",
        ]
    );
}
