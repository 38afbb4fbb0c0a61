//! `db.stored_procedure.name`.

use super::head::Head;
use super::shape::Step;

/// What names a script: a SHA-1 digest in hexadecimal.
const DIGEST: usize = 40;

/// No function's name is longer that is shown, in bytes.
const LONGEST_FUNCTION: usize = 64;

/// The digest of the script that `EVALSHA` and `EVALSHA_RO` run, the name of the function that
/// `FCALL` and `FCALL_RO` call. `None` for other commands, and for what is no digest and no name.
#[inline]
pub fn stored_procedure<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Option<&'a str> {
    Head::of(arguments).stored_procedure()
}

/// The procedure that an argument names, which is this step of its command.
#[inline]
pub(super) fn procedure<'a>(step: &Step, argument: &'a [u8]) -> Option<&'a str> {
    match step {
        Step::Digest => digest(argument),
        Step::Function => function(argument),
        _ => None,
    }
}

/// The argument, if it is a digest.
pub(super) fn digest(argument: &[u8]) -> Option<&str> {
    let is_one = argument.len() == DIGEST && argument.iter().all(u8::is_ascii_hexdigit);
    is_one.then(|| std::str::from_utf8(argument).ok()).flatten()
}

/// The argument, if Redis would take it for the name of a function.
pub(super) fn function(argument: &[u8]) -> Option<&str> {
    let is_one = (1..=LONGEST_FUNCTION).contains(&argument.len())
        && argument
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    is_one.then(|| std::str::from_utf8(argument).ok()).flatten()
}
