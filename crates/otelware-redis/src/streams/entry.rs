//! The fields of an entry among the arguments of its `XADD`, and a context among the fields.

use otelware::opentelemetry::propagation::Injector;

/// The fields that a context is written in. One without a value has to go where it is found.
#[derive(Debug, Default)]
pub(super) struct ContextFields(Vec<(String, String)>);

impl Injector for ContextFields {
    fn set(&mut self, name: &str, value: String) {
        let known = self.0.iter_mut().find(|(known, _)| known == name);
        match known {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl ContextFields {
    fn is_one(&self, field: &[u8]) -> bool {
        let same = |(name, _): &(String, String)| field.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().any(same)
    }
}

/// Whether a command may add an entry, by its name.
#[inline]
pub(super) fn adds<'a>(mut arguments: impl Iterator<Item = &'a [u8]>) -> bool {
    let name = arguments.next();
    name.is_some_and(|name| name.eq_ignore_ascii_case(b"XADD"))
}

/// The arguments of an `XADD` with the context in its entry. `None` where it has to go out as it is:
/// it is no `XADD`, the server is to refuse it, or nothing would change.
pub(super) fn with_context<'a>(
    arguments: &[&'a [u8]],
    context: &'a ContextFields,
) -> Option<Vec<&'a [u8]>> {
    let start = start_of_fields(arguments)?;
    let (command, fields) = arguments.split_at_checked(start)?;
    let mut all = Vec::with_capacity(arguments.len() + 2 * context.0.len());
    all.extend_from_slice(command);
    for field in fields.chunks_exact(2) {
        if !field.first().is_some_and(|name| context.is_one(name)) {
            all.extend_from_slice(field);
        }
    }
    for (name, value) in &context.0 {
        if !value.is_empty() {
            all.extend([name.as_bytes(), value.as_bytes()]);
        }
    }
    // An entry has at least one field.
    (all.len() > command.len() && all != arguments).then_some(all)
}

/// Where the fields begin. `None` where the server refuses the command, and where it tells entries
/// apart by their fields, so that none may be added.
fn start_of_fields(arguments: &[&[u8]]) -> Option<usize> {
    if !adds(arguments.iter().copied()) {
        return None;
    }
    // After the name and the key.
    let mut next = 2;
    loop {
        let option = arguments.get(next)?;
        let is_any = |words: &[&str]| {
            words
                .iter()
                .any(|word| option.eq_ignore_ascii_case(word.as_bytes()))
        };
        next += match () {
            () if is_any(&["NOMKSTREAM", "KEEPREF", "DELREF", "ACKED"]) => 1,
            () if is_any(&["LIMIT"]) => 2,
            () if is_any(&["MAXLEN", "MINID"]) => match *arguments.get(next + 1)? {
                b"=" | b"~" => 3,
                _ => 2,
            },
            () if is_any(&["IDMP"]) => 3,
            () if is_any(&["IDMPAUTO"]) => return None,
            // The entry's id.
            () => break,
        };
    }
    let start = next + 1;
    let count = arguments.len().checked_sub(start)?;
    (count > 0 && count.is_multiple_of(2)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(fields: &[(&str, &str)]) -> ContextFields {
        let mut context = ContextFields::default();
        for (name, value) in fields {
            context.set(name, (*value).to_owned());
        }
        context
    }

    /// The command with the context, or that it goes out as it is.
    fn rewritten(command: &str, context: &ContextFields) -> Option<String> {
        let arguments: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let all = with_context(&arguments, context)?;
        let words = all.iter().map(|word| std::str::from_utf8(word).unwrap());
        Some(words.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_context_comes_last_whatever_options_there_are() {
        for command in [
            "XADD k * a 1",
            "xadd k * a 1 b 2",
            "XADD k 5-1 a 1",
            "XADD maxlen * a 1",
            "XADD k * maxlen 1",
            "XADD k NOMKSTREAM * a 1",
            "XADD k MAXLEN 10 * a 1",
            "XADD k MAXLEN ~ 10 LIMIT 5 * a 1",
            "XADD k minid = 5-0 * a 1",
            "XADD k DELREF ACKED KEEPREF MAXLEN = 1 * a 1",
            "XADD k IDMP me 1 * a 1",
        ] {
            let found = rewritten(command, &context(&[("t", "x"), ("s", "y")]));
            assert_eq!(found, Some(format!("{command} t x s y")));
        }
    }

    #[test]
    fn what_is_refused_or_known_by_its_fields_stays() {
        for command in [
            "SET k v",
            "XADD",
            "XADD k",
            "XADD k *",
            "XADD k * a",
            "XADD k * a 1 b",
            "XADD k MAXLEN",
            "XADD k MAXLEN ~",
            "XADD k IDMP me",
            "XADD k IDMPAUTO me * a 1",
        ] {
            assert_eq!(
                rewritten(command, &context(&[("t", "x")])),
                None,
                "{command}"
            );
        }
        assert_eq!(rewritten("XADD k * a 1", &context(&[])), None);
    }

    #[test]
    fn a_context_that_is_there_is_replaced() {
        let written = context(&[("t", ""), ("s", ""), ("t", "x")]);
        for (command, expected) in [
            ("XADD k * t old a 1", Some("XADD k * a 1 t x")),
            ("XADD k * T old a t t older", Some("XADD k * a t t x")),
            ("XADD k * s old", Some("XADD k * t x")),
            // It is a key here.
            ("XADD t * a 1", Some("XADD t * a 1 t x")),
        ] {
            assert_eq!(rewritten(command, &written).as_deref(), expected);
        }
        let gone = context(&[("s", "")]);
        assert_eq!(
            rewritten("XADD k * s old a 1", &gone).as_deref(),
            Some("XADD k * a 1")
        );
        assert_eq!(rewritten("XADD k * s old", &gone), None);
    }
}
