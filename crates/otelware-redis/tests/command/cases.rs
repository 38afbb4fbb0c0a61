//! Our own cases: the tables in `data`, the form of which its README tells.

use crate::line::{arguments, slices};
use otelware_redis::command::{KeyCapture, Name, decode, known, name, stored_procedure, text};
use redis::Cmd;

const TABLES: [&str; 3] = [
    include_str!("data/values.txt"),
    include_str!("data/servers.txt"),
    include_str!("data/modules.txt"),
];

pub(crate) struct Case {
    pub(crate) command: &'static str,
    pub(crate) shown: &'static str,
    pub(crate) hidden: &'static str,
}

pub(crate) fn cases() -> Vec<Case> {
    let lines: Vec<&'static str> = TABLES
        .iter()
        .flat_map(|table| table.lines())
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .collect();
    lines
        .chunks(3)
        .map(|case| {
            let [command, shown, hidden] = case else {
                panic!("{case:?}");
            };
            Case {
                command: command.strip_prefix("> ").expect(command),
                shown: shown.strip_prefix("= ").expect(shown),
                hidden: hidden.strip_prefix("- ").expect(hidden),
            }
        })
        .collect()
}

#[test]
fn every_case_has_its_text_from_a_command_and_from_its_bytes() {
    let cases = cases();
    assert!(cases.len() >= 120, "{}", cases.len());
    for case in cases {
        let arguments = arguments(case.command);
        let mut command = Cmd::new();
        command.arg(&arguments);
        let held = || otelware_redis::command::arguments(&command);
        let packed = command.get_packed_command();
        let sent = || decode(&packed).next().unwrap();
        for (keys, expected) in [
            (KeyCapture::Shown, case.shown),
            (KeyCapture::Hidden, case.hidden),
        ] {
            assert_eq!(text(slices(&arguments), keys), expected, "{}", case.command);
            assert_eq!(text(held(), keys), expected, "{}", case.command);
            assert_eq!(text(sent(), keys), expected, "{}", case.command);
        }
        assert_eq!(decode(&packed).count(), 1);
    }
}

#[test]
fn a_text_begins_with_the_name() {
    for case in cases() {
        let arguments = arguments(case.command);
        let name = name(slices(&arguments));
        let begins = case.shown.split(' ').next();
        assert_eq!(begins, Some(name.as_str()), "{}", case.command);
    }
}

#[test]
fn a_known_name_is_static_and_others_are_as_given() {
    for known in known() {
        assert_eq!(name([known.as_bytes()].into_iter()), Name::Static(known));
    }
    let cases: [(&[u8], Name<'_>); 9] = [
        (b"get", Name::Given("get")),
        (b"FLY", Name::Given("FLY")),
        (&[b'x'; 64], Name::Given(&"x".repeat(64))),
        (&[b'x'; 65], Name::Static("_OTHER")),
        (b"", Name::Static("_OTHER")),
        (b"A B", Name::Static("_OTHER")),
        (b"A\n", Name::Static("_OTHER")),
        ("\u{e4}".as_bytes(), Name::Static("_OTHER")),
        (b"\xff", Name::Static("_OTHER")),
    ];
    for (given, expected) in cases {
        assert_eq!(name([given].into_iter()), expected);
    }
    assert_eq!(name(std::iter::empty()), Name::Static("_OTHER"));
}

#[test]
fn a_script_is_told_by_its_digest_and_a_function_by_its_name() {
    let digest = "0123456789abcdef0123456789ABCDEF01234567";
    let cases = [
        (format!("EVALSHA {digest} 0"), Some(digest)),
        (format!("evalsha_ro {digest}"), Some(digest)),
        (format!("EVALSHA {digest}0 0"), None),
        ("EVALSHA secret 0".to_owned(), None),
        ("EVALSHA".to_owned(), None),
        ("FCALL add_user 0".to_owned(), Some("add_user")),
        ("FCALL_RO Users1 0".to_owned(), Some("Users1")),
        ("FCALL \"add user\" 0".to_owned(), None),
        ("FCALL \"\" 0".to_owned(), None),
        (format!("FCALL {} 0", "f".repeat(65)), None),
        (format!("SCRIPT EXISTS {digest}"), None),
        (format!("EVAL {digest} 0"), None),
        (format!("GET {digest}"), None),
        (String::new(), None),
    ];
    for (line, expected) in cases {
        let arguments = arguments(&line);
        assert_eq!(stored_procedure(slices(&arguments)), expected, "{line}");
    }
}
