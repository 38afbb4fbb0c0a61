//! No value comes through, whatever it is.

use crate::cases::cases;
use crate::line::{arguments, slices};
use otelware_redis::command::{KeyCapture, known, name, pipeline_text, text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// No word of any command, and no name of a function.
const MARKER: &str = "~secret-7f~";

/// Values with the marker in them, and with what could be taken for something else.
fn secret() -> impl Strategy<Value = Vec<u8>> {
    (vec(any::<u8>(), 0..6), vec(any::<u8>(), 0..6))
        .prop_map(|(before, after)| [&before, MARKER.as_bytes(), &after].concat())
}

/// All words of the cases, so that options and their values are met.
fn word() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<Vec<u8>> = cases()
        .iter()
        .flat_map(|case| arguments(case.hidden))
        .filter(|word| word != b"?")
        .collect();
    select(words)
}

fn any_argument() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => secret(),
        2 => word(),
        1 => (0..5_u32).prop_map(|count| count.to_string().into_bytes()),
    ]
}

fn known_name() -> impl Strategy<Value = String> {
    select(known().map(str::to_owned).collect::<Vec<_>>())
}

fn shows_secret(text: &str) -> bool {
    text.contains("secret")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn with_keys_hidden_a_known_command_shows_nothing_of_anyone(
        name in known_name(),
        others in vec(any_argument(), 0..12),
    ) {
        let mut command = vec![name.into_bytes()];
        command.extend(others);
        let shown = text(slices(&command), KeyCapture::Hidden);
        prop_assert!(!shows_secret(&shown), "{}", shown);
        let pipeline = pipeline_text([slices(&command), slices(&command)], KeyCapture::Hidden);
        prop_assert_eq!(pipeline, format!("{shown}; {shown}"));
        // As many arguments as there are, and none that is not there.
        prop_assert_eq!(shown.split(' ').count(), command.len());
    }

    #[test]
    fn an_unknown_command_shows_its_name_only(
        name in "[a-z]{1,8}[0-9]",
        others in vec(any_argument(), 0..12),
    ) {
        let expected = format!("{name}{}", " ?".repeat(others.len()));
        let mut command = vec![name.into_bytes()];
        command.extend(others);
        for keys in [KeyCapture::Shown, KeyCapture::Hidden] {
            prop_assert_eq!(&text(slices(&command), keys), &expected);
        }
    }
}

proptest! {
    #[test]
    fn no_text_depends_on_a_value(secrets in vec(secret(), 16)) {
        for case in cases() {
            let mut command = arguments(case.command);
            let shown = arguments(case.shown);
            for ((argument, shown), secret) in command.iter_mut().zip(shown).zip(&secrets) {
                if shown == b"?" && argument != b"?" {
                    argument.clone_from(secret);
                }
            }
            let text = text(slices(&command), KeyCapture::Shown);
            prop_assert_eq!(text, case.shown, "{}", case.command);
        }
    }

    #[test]
    fn any_arguments_have_a_text(command in vec(vec(any::<u8>(), 0..300), 0..150)) {
        for keys in [KeyCapture::Shown, KeyCapture::Hidden] {
            let shown = text(slices(&command), keys);
            prop_assert!(shown.len() <= 2_048);
            prop_assert!(!shown.contains(|character: char| character.is_control()));
            if !command.is_empty() {
                prop_assert!(shown.starts_with(name(slices(&command)).as_str()));
            }
        }
    }
}
