//! The table beside what a server knows.

use crate::samples::{Description, descriptions, sample};
use otelware_redis::command::{KeyCapture, known, text};
use redis::{Connection, RedisResult, Value};
use std::collections::{BTreeMap, HashSet};

/// How many samples of each command are made.
const SAMPLES: u64 = 200;

/// What the server answers about a command that has no keys.
const KEYLESS: &str = "The command has no key arguments";

/// Commands whose arguments are hidden, all of them.
const HIDDEN: [&str; 1] = ["MIGRATE"];

fn connect() -> Connection {
    let client = redis::Client::open("redis://127.0.0.1:6379").unwrap();
    client.get_connection().unwrap()
}

fn documented(connection: &mut Connection) -> Vec<Description> {
    let docs: Value = redis::cmd("COMMAND").arg("DOCS").query(connection).unwrap();
    descriptions(&docs)
}

fn shown(command: &[String], keys: KeyCapture) -> String {
    text(command.iter().map(String::as_bytes), keys)
}

/// The arguments of this kind in a text.
fn of_kind<'a>(words: impl Iterator<Item = &'a str>, kind: &str) -> Vec<String> {
    let mut found: Vec<_> = words
        .filter(|word| word.starts_with(kind))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

#[test]
fn every_command_of_the_server_is_known() {
    let known: HashSet<_> = known().collect();
    let names: Vec<String> = redis::cmd("COMMAND")
        .arg("LIST")
        .query(&mut connect())
        .unwrap();
    assert!(names.len() > 200, "{}", names.len());
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !name.contains('|'))
        .map(|name| name.to_uppercase())
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn the_keys_that_the_server_finds_are_those_that_are_shown() {
    let mut connection = connect();
    let mut compared: BTreeMap<String, u64> = BTreeMap::new();
    for description in documented(&mut connection) {
        let name = description.words.join(" ");
        for seed in 0..SAMPLES {
            let command = sample(&description, seed);
            let expected = if HIDDEN.contains(&name.as_str()) {
                Vec::new()
            } else {
                keys(&mut connection, &command)
            };
            let text = shown(&command, KeyCapture::Shown);
            assert_eq!(
                of_kind(text.split(' '), "key-"),
                expected,
                "{command:?}: {text}"
            );
            *compared.entry(name.clone()).or_default() += u64::from(!expected.is_empty());
        }
    }
    // Most commands have keys, and most of their samples were compared.
    let with_keys = compared.values().filter(|samples| **samples > SAMPLES / 2);
    assert!(with_keys.count() > 150, "{compared:?}");
}

#[test]
fn no_value_is_shown_and_fields_are() {
    for description in documented(&mut connect()) {
        for seed in 0..SAMPLES {
            let command = sample(&description, seed);
            let words = || command.iter().map(String::as_str);
            let text = shown(&command, KeyCapture::Shown);
            assert_eq!(
                of_kind(text.split(' '), "value-"),
                [""; 0],
                "{command:?}: {text}"
            );
            let fields = of_kind(words(), "field-");
            assert_eq!(
                of_kind(text.split(' '), "field-"),
                fields,
                "{command:?}: {text}"
            );

            let text = shown(&command, KeyCapture::Hidden);
            for kind in ["key-", "field-", "name-", "value-"] {
                assert_eq!(
                    of_kind(text.split(' '), kind),
                    [""; 0],
                    "{command:?}: {text}"
                );
            }
        }
    }
}

#[test]
fn subcommands_and_options_are_shown() {
    for description in documented(&mut connect()) {
        // After several identifiers, options are not told from them.
        if description.words == ["XCLAIM"] {
            continue;
        }
        for seed in 0..SAMPLES {
            let command = sample(&description, seed);
            let text = shown(&command, KeyCapture::Hidden);
            let hidden: Vec<_> = command
                .iter()
                .zip(text.split(' '))
                .filter(|(word, shown)| *shown == "?" && is_word(word))
                .collect();
            assert_eq!(hidden, [], "{command:?}: {text}");
        }
    }
}

/// The keys that the server finds in a command.
fn keys(connection: &mut Connection, command: &[String]) -> Vec<String> {
    // The server wants to be asked about more than a name.
    if command.len() < 2 {
        return Vec::new();
    }
    let found: RedisResult<Vec<String>> = redis::cmd("COMMAND")
        .arg("GETKEYS")
        .arg(command)
        .query(connection);
    match found {
        Ok(mut keys) => {
            keys.sort();
            keys
        }
        Err(error) if error.detail() == Some(KEYLESS) => Vec::new(),
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Whether it is in the command's own language: samples of other things have a number in them.
fn is_word(argument: &str) -> bool {
    !argument.is_empty() && !argument.contains(|character: char| character.is_ascii_digit())
}
