//! What is cut.

use crate::line::{arguments, slices};
use otelware_redis::command::{KeyCapture, pipeline_text, text};

fn shown(arguments: &[Vec<u8>]) -> String {
    text(slices(arguments), KeyCapture::Shown)
}

fn mget(keys: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    std::iter::once("MGET".to_owned())
        .chain(keys)
        .map(String::into_bytes)
        .collect()
}

#[test]
fn a_hundred_arguments_are_shown() {
    let keys = |count: usize| mget((0..count).map(|n| n.to_string()));
    let hundred = shown(&keys(100));
    assert!(hundred.ends_with(" 98 99"), "{hundred}");
    assert_eq!(shown(&keys(101)), format!("{hundred} …"));
    assert_eq!(shown(&keys(100_000)), format!("{hundred} …"));

    let mut values = arguments("SADD k");
    values.extend((0..99).map(|_| b"v".to_vec()));
    let hundred = format!("SADD k{}", " ?".repeat(99));
    assert_eq!(shown(&values), hundred);
    values.push(b"v".to_vec());
    assert_eq!(shown(&values), format!("{hundred} …"));
}

#[test]
fn two_kibibytes_are_shown() {
    // `MGET` and 15 times 101 bytes are 1,519; what is left has no place for six more.
    let keys = |count: usize| mget((0..count).map(|_| "k".repeat(100)));
    let whole = shown(&keys(20));
    assert_eq!(whole.len(), 4 + 20 * 101);
    assert_eq!(shown(&keys(21)), format!("{whole} …"));
    assert_eq!(shown(&keys(90)), format!("{whole} …"));
    // Exactly as much as there is room for, beside what says that it is cut.
    let mut exact = keys(20);
    exact.push("k".repeat(2_048 - 4 - whole.len() - 1).into_bytes());
    let text = shown(&exact);
    assert_eq!(text.len(), 2_048 - 4);
    assert!(text.ends_with("kk"));
    exact[21].push(b'k');
    assert_eq!(shown(&exact), format!("{whole} …"));
}

#[test]
fn nothing_is_shown_of_no_arguments() {
    assert_eq!(shown(&[]), "");
}

#[test]
fn the_commands_of_a_pipeline_follow_each_other() {
    let commands = [
        arguments("SET a 1"),
        arguments("GET b"),
        arguments("AUTH secret"),
    ];
    let text = |keys| pipeline_text(commands.iter().map(|command| slices(command)), keys);
    assert_eq!(text(KeyCapture::Shown), "SET a ?; GET b; AUTH ?");
    assert_eq!(text(KeyCapture::Hidden), "SET ? ?; GET ?; AUTH ?");
    let none: [Vec<Vec<u8>>; 0] = [];
    let none = none.iter().map(|command| slices(command));
    assert_eq!(pipeline_text(none, KeyCapture::Shown), "");
}

#[test]
fn a_long_pipeline_is_cut_between_commands() {
    let get = arguments("GET k");
    let text = |count| {
        let commands = std::iter::repeat_n(&get, count).map(|command| slices(command));
        pipeline_text(commands, KeyCapture::Shown)
    };
    assert_eq!(text(3), "GET k; GET k; GET k");
    let long = text(10_000);
    assert!((6_000..=8_192).contains(&long.len()), "{}", long.len());
    let start = long.strip_suffix(" …").unwrap();
    assert!(start.split("; ").all(|command| command == "GET k"));
    assert_eq!(text(20_000), long);
}
