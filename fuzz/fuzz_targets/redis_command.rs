//! Redis commands of any arguments and as any bytes: a text always comes, it is bounded, the same
//! for both, and with keys hidden shows nothing of an argument.
#![no_main]

use libfuzzer_sys::fuzz_target;
use otelware_redis::command::{
    KeyCapture, decode, known, name, pipeline_text, stored_procedure, text,
};

/// No word of any command, and no name of a function.
const MARKER: &[u8] = b"~secret-7f~";

fuzz_target!(|input: (u16, Vec<&[u8]>, &[u8])| {
    let (choice, others, bytes) = input;

    // A known command, with arguments that may be its words, numbers, or secrets.
    let names: Vec<_> = known().collect();
    let name_of_known = names[usize::from(choice) % names.len()];
    let mut command = vec![name_of_known.as_bytes().to_vec()];
    command.extend(others.iter().map(|argument| match argument {
        [0, rest @ ..] => [MARKER, rest].concat(),
        [1, rest @ ..] => [rest, MARKER].concat(),
        _ => argument.to_vec(),
    }));
    let hidden = sound(&command);
    assert!(!hidden.contains("secret-7f"), "{hidden}");
    assert_eq!(
        name(command.iter().map(Vec::as_slice)).as_str(),
        name_of_known
    );

    // The same as it is sent.
    let mut sent = format!("*{}\r\n", command.len()).into_bytes();
    for argument in &command {
        sent.extend(format!("${}\r\n", argument.len()).into_bytes());
        sent.extend(argument);
        sent.extend(b"\r\n");
    }
    let read: Vec<Vec<Vec<u8>>> = decode(&sent)
        .map(|arguments| arguments.map(<[u8]>::to_vec).collect())
        .collect();
    assert_eq!(read, [command]);

    // Whatever else is sent.
    for arguments in decode(bytes) {
        let expected = arguments.len();
        let command: Vec<_> = arguments.map(<[u8]>::to_vec).collect();
        assert_eq!(command.len(), expected);
        sound(&command);
    }
    let pipeline = pipeline_text(decode(bytes), KeyCapture::Shown);
    assert!(pipeline.len() <= 8_192);
});

/// The text with keys hidden.
fn sound(command: &[Vec<u8>]) -> String {
    let arguments = || command.iter().map(Vec::as_slice);
    let [shown, hidden] =
        [KeyCapture::Shown, KeyCapture::Hidden].map(|keys| text(arguments(), keys));
    for text in [&shown, &hidden] {
        assert!(text.len() <= 2_048);
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let name = name(arguments());
    assert!((1..=64).contains(&name.as_str().len()));
    if let Some(procedure) = stored_procedure(arguments()) {
        assert!(hidden.starts_with(&format!("{} {procedure}", name.as_str())));
    }
    hidden
}
