//! The repository that the texts are about.

use crate::markdown::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use toml::Table;

/// Where it is published.
pub(crate) const URL: &str = "https://github.com/otelware/otelware";

/// The texts by their paths within the repository.
pub(crate) type Documents = BTreeMap<String, Document>;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the repository")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| format!("{path}: {error}"))
}

/// All texts that people read: those at the root, and of the guide, the decisions, crates and examples.
pub(crate) fn documents() -> Documents {
    let mut paths = Vec::new();
    texts(root(), 0, &mut paths);
    for (folder, depth) in [("docs", 9), ("crates", 1), ("examples", 9), ("benches", 1)] {
        texts(&root().join(folder), depth, &mut paths);
    }
    let documents = paths.iter().map(|path| {
        let within = path.strip_prefix(root()).expect("it was found there");
        let text = fs::read_to_string(path).expect("it was found there");
        (
            within.to_string_lossy().replace('\\', "/"),
            Document::parse(&text),
        )
    });
    documents.collect()
}

/// Adds the texts of a folder, and of so many folders beneath it.
fn texts(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            texts(&path, depth - 1, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// What the manifests say.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    pub(crate) version: String,
    /// The features of the published crates.
    pub(crate) features: BTreeMap<String, BTreeSet<String>>,
    /// The names of the examples.
    pub(crate) examples: BTreeSet<String>,
    /// The versions of what the workspace depends on.
    pub(crate) dependencies: BTreeMap<String, String>,
}

impl Packages {
    pub(crate) fn read() -> Self {
        let workspace: Table = read("Cargo.toml").parse().expect("cargo has read it");
        let workspace = &workspace["workspace"];
        let mut packages = Self {
            version: workspace["package"]["version"].as_str().unwrap().to_owned(),
            ..Self::default()
        };
        for (name, dependency) in workspace["dependencies"].as_table().unwrap() {
            let version = dependency.get("version").unwrap_or(dependency);
            let version = version.as_str().unwrap().to_owned();
            packages.dependencies.insert(name.clone(), version);
        }
        for manifest in manifests("crates") {
            let features = manifest
                .get("features")
                .and_then(|features| features.as_table());
            let features = features.map(|features| features.keys().cloned().collect());
            let features = features.unwrap_or_default();
            packages.features.insert(name(&manifest), features);
        }
        packages.examples = manifests("examples").iter().map(name).collect();
        packages
    }
}

fn name(manifest: &Table) -> String {
    manifest["package"]["name"].as_str().unwrap().to_owned()
}

fn manifests(folder: &str) -> Vec<Table> {
    let members = fs::read_dir(root().join(folder))
        .expect("it is there")
        .flatten();
    let texts =
        members.filter_map(|member| fs::read_to_string(member.path().join("Cargo.toml")).ok());
    texts
        .map(|text| text.parse().expect("cargo has read it"))
        .collect()
}
