//! What there is in a text of Markdown.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeMap;

/// A text, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The fragments that lead to its headings.
    pub(crate) anchors: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) blocks: Vec<Block>,
    /// What stands between backticks.
    pub(crate) codes: Vec<String>,
    /// What mdBook puts in from other files: `path` or `path:part`.
    pub(crate) includes: Vec<String>,
}

/// A block of code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// `rust,no_run`
    pub(crate) info: String,
    pub(crate) text: String,
}

impl Block {
    /// The first word of the info.
    pub(crate) fn language(&self) -> &str {
        self.info.split(',').next().unwrap_or_default()
    }

    /// Whether the info has this among its words.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.info.split(',').any(|part| part.trim() == word)
    }
}

impl Document {
    pub(crate) fn parse(text: &str) -> Self {
        let mut document = Self {
            includes: includes(text),
            ..Self::default()
        };
        let mut heading: Option<String> = None;
        let mut block: Option<Block> = None;
        let mut seen = BTreeMap::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let title = heading.take().unwrap_or_default();
                    document.anchors.push(anchor(&title, &mut seen));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    block = Some(Block {
                        info,
                        text: String::new(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(block.take()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                Event::Text(text) => match (&mut block, &mut heading) {
                    (Some(block), _) => block.text.push_str(&text),
                    (None, Some(heading)) => heading.push_str(&text),
                    (None, None) => {}
                },
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    document.codes.push(code.to_string());
                }
                _ => {}
            }
        }
        document
    }
}

/// The fragment of a heading, as GitHub and mdBook make it: a title that comes again is numbered.
fn anchor(title: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let slug: String = title
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            c if c.is_whitespace() => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        })
        .collect();
    let times = seen.entry(slug.clone()).or_default();
    *times += 1;
    match *times {
        1 => slug,
        times => format!("{slug}-{}", times - 1),
    }
}

fn includes(text: &str) -> Vec<String> {
    text.split("{{#include ")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("}}")?.0.trim().to_owned()))
        .collect()
}

#[test]
fn a_text_is_taken_apart() {
    let document = Document::parse(
        "# The `OTEL_*` environment\n\n{{#include ../a.md:part}}\n\n## Why?\n\nSee [it](b.md#why) and `x = 1`.\n\n\
         | a | b |\n|---|---|\n| `\\|x\\|` | [c](c.md) |\n\n## Why?\n\n```rust,no_run\nlet x = \"[d](d.md)\";\n```\n",
    );
    assert_eq!(document.anchors, ["the-otel_-environment", "why", "why-1"]);
    assert_eq!(document.links, ["b.md#why", "c.md"]);
    assert_eq!(document.codes, ["OTEL_*", "x = 1", "|x|"]);
    assert_eq!(document.includes, ["../a.md:part"]);
    let block = Block {
        info: "rust,no_run".to_owned(),
        text: "let x = \"[d](d.md)\";\n".to_owned(),
    };
    assert!(block.is("no_run") && !block.is("ignore"));
    assert_eq!(block.language(), "rust");
    assert_eq!(document.blocks, [block]);
}
