//! The guide, the READMEs and the decisions: their links lead somewhere, their manifests and commands
//! name what there is, and all of their Rust is compiled. (That it compiles is for the documentation
//! tests of this crate.)
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod links;
mod markdown;
mod repository;
mod snippets;
mod summary;
