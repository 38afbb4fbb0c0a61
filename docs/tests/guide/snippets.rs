//! Blocks of code: Rust is compiled, and manifests and commands name what there is.

use crate::markdown::{Block, Document};
use crate::repository::{Packages, documents, read, root};
use toml::{Table, Value};

/// Every block says what it is: one that does not is Rust to rustdoc.
const LANGUAGES: &[&str] = &["console", "diff", "rust", "sh", "text", "toml", "yaml"];

#[test]
fn every_block_of_rust_is_compiled() {
    let library = read("docs/lib.rs");
    let mut wrong = Vec::new();
    for (path, document) in &documents() {
        wrong.extend(not_compiled(path, document, &library));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The blocks of a text that are Rust, or may be, and are not compiled as a part of this library.
fn not_compiled(path: &str, document: &Document, library: &str) -> Vec<String> {
    let path_there = match path.strip_prefix("docs/") {
        Some(path) => path.to_owned(),
        None => format!("../{path}"),
    };
    let is_included = library.contains(&format!("include_str!(\"{path_there}\")"));
    let problem = |block: &Block| match block.language() {
        "rust" if !is_included => Some("docs/lib.rs does not include it"),
        "rust" if block.is("ignore") => Some("it is ignored"),
        language if LANGUAGES.contains(&language) => None,
        _ => Some("it does not say what it is"),
    };
    let blocks = document.blocks.iter();
    let wrong = blocks.filter_map(|block| {
        let begin = block.text.lines().next().unwrap_or_default();
        problem(block).map(|problem| format!("{path}: {problem}: {begin}"))
    });
    wrong.collect()
}

#[test]
fn blocks_that_are_not_compiled_are_found() {
    let text = "```rust\na();\n```\n\n```rust,ignore\nb();\n```\n\n```\nc();\n```\n\n    d();\n\n```text\ne();\n```\n";
    let document = Document::parse(text);
    let library = "page: include_str!(\"src/page.md\");";
    assert_eq!(
        not_compiled("docs/src/page.md", &document, library),
        [
            "docs/src/page.md: it is ignored: b();",
            "docs/src/page.md: it does not say what it is: c();",
            "docs/src/page.md: it does not say what it is: d();",
        ]
    );
    assert_eq!(
        not_compiled("page.md", &document, library)[..2],
        [
            "page.md: docs/lib.rs does not include it: a();",
            "page.md: docs/lib.rs does not include it: b();",
        ]
    );
}

#[test]
fn manifests_name_what_there_is() {
    let packages = Packages::read();
    let mut wrong = Vec::new();
    for (path, document) in &documents() {
        let problems = problems(document, &packages);
        wrong.extend(problems.iter().map(|problem| format!("{path}: {problem}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_name_what_there_is() {
    let packages = Packages::read();
    let mut wrong = Vec::new();
    for (path, document) in &documents() {
        let blocks = document
            .blocks
            .iter()
            .filter(|block| ["console", "sh"].contains(&block.language()));
        let lines = blocks.flat_map(|block| block.text.lines());
        for command in lines.chain(document.codes.iter().map(String::as_str)) {
            if !is_known(command, &packages) {
                wrong.push(format!("{path}: {command}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the example that a command runs and the script that it calls are there.
fn is_known(command: &str, packages: &Packages) -> bool {
    let mut words = command.split_whitespace();
    let script = words
        .clone()
        .find(|word| word.starts_with("scripts/") || word.starts_with("./scripts/"));
    let example = words
        .clone()
        .any(|word| word == "cargo")
        .then(|| words.find(|word| *word == "-p").and_then(|_| words.next()))
        .flatten();
    script.is_none_or(|script| root().join(script).exists())
        && example.is_none_or(|name| {
            packages.examples.contains(name)
                || packages.features.contains_key(name)
                || name == "guide"
        })
}

/// What is wrong with the dependencies in a text's blocks, and between its backticks.
fn problems(document: &Document, packages: &Packages) -> Vec<String> {
    let blocks = document
        .blocks
        .iter()
        .filter(|block| block.language() == "toml");
    let lines = document
        .codes
        .iter()
        .filter(|code| code.starts_with("otelware") && code.contains(" = "));
    let manifests = blocks
        .map(|block| block.text.clone())
        .chain(lines.map(|line| format!("[dependencies]\n{line}")));
    let mut problems = Vec::new();
    for manifest in manifests {
        match manifest.parse::<Table>() {
            Err(error) => problems.push(format!("{manifest}: {}", error.message())),
            Ok(manifest) => {
                for section in ["dependencies", "dev-dependencies"] {
                    let section = manifest.get(section).and_then(Value::as_table);
                    for (name, dependency) in section.into_iter().flatten() {
                        problems.extend(problem(name, dependency, packages));
                    }
                }
            }
        }
    }
    problems
}

fn problem(name: &str, dependency: &Value, packages: &Packages) -> Option<String> {
    let version = dependency.get("version").unwrap_or(dependency).as_str();
    let newest = match packages.features.get(name) {
        Some(features) => {
            let named = dependency.get("features").and_then(Value::as_array);
            let mut named = named.into_iter().flatten().filter_map(Value::as_str);
            if let Some(unknown) = named.find(|feature| !features.contains(*feature)) {
                return Some(format!("{name} has no feature {unknown}"));
            }
            &packages.version
        }
        None => match packages.dependencies.get(name) {
            Some(version) => version,
            None => return Some(format!("{name} is not known here")),
        },
    };
    match version {
        // From its repository.
        None => None,
        Some(version) if format!("{newest}.").starts_with(&format!("{version}.")) => None,
        Some(version) => Some(format!("{name} is {newest} and not {version}")),
    }
}

#[test]
fn wrong_manifests_and_commands_are_found() {
    let packages = Packages {
        version: "0.1.0".to_owned(),
        features: [("otelware-tower".to_owned(), ["axum".to_owned()].into())].into(),
        examples: ["shop".to_owned()].into(),
        dependencies: [("axum".to_owned(), "0.8.9".to_owned())].into(),
    };
    let document = Document::parse(
        "`otelware-tower = { version = \"0.1\", features = [\"axum\", \"actix\"] }`\n\n\
         ```toml\n[dependencies]\naxum = \"0.8\"\notelware-tower = { git = \"x\", features = [\"axum\"] }\n```\n\n\
         ```toml\n[dependencies]\naxum = \"0.7\"\nactix = \"1\"\n\n[dev-dependencies]\notelware-tower = \"0.10\"\n```\n\n\
         ```toml\naxum = \n```\n",
    );
    let mut found = problems(&document, &packages);
    // What the parser says of the third is its own.
    assert!(found.remove(3).starts_with("axum = "));
    assert_eq!(
        found,
        [
            "actix is not known here",
            "axum is 0.8.9 and not 0.7",
            "otelware-tower is 0.1.0 and not 0.10",
            "otelware-tower has no feature actix",
        ]
    );

    for (command, known) in [
        ("cargo run -p shop -- --serve", true),
        ("LISTEN=x cargo run --quiet -p shop", true),
        ("cargo run -p shops", false),
        ("mkdir -p shops", true),
        ("./scripts/test", true),
        ("scripts/no-such-script sql", false),
    ] {
        assert_eq!(is_known(command, &packages), known, "{command}");
    }
}
