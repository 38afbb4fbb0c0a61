//! The `tracestate` header of W3C Trace Context level 2.
//!
//! Grammar: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

use super::list;
use opentelemetry::trace::TraceState;

/// List members a `tracestate` may have; one with more is discarded whole.
const MAX_MEMBERS: usize = 32;
const MAX_KEY_LENGTH: usize = 256;
const MAX_VALUE_LENGTH: usize = 256;
/// Characters every participant must forward; beyond them whole members are dropped.
const MAX_LENGTH: usize = 512;
/// Members longer than this are the first to be dropped.
const LONG_MEMBER: usize = 128;

/// A member as it stands in the header.
type Member<'a> = (&'a str, &'a str);

/// What one or several `tracestate` headers say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The members [`TraceState`] can hold.
    pub(super) state: TraceState,
    /// The members it cannot hold, as a header value: it still applies the key rule of level 1, and refuses some keys of
    /// level 2 such as those with two `@`.
    pub(super) held: String,
}

/// Reads the members of all `headers` in order, keeping the first of several with one key.
///
/// Returns nothing for a list that breaks the grammar or has more than 32 members: such a list is discarded whole.
pub(super) fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Parsed {
    let Some(members) = members(headers) else {
        return Parsed::default();
    };
    if let Ok(state) = TraceState::from_key_value(members.iter().copied()) {
        return Parsed {
            state,
            held: String::new(),
        };
    }
    let (representable, held): (Vec<_>, Vec<_>) = members
        .into_iter()
        .partition(|member| TraceState::from_key_value([*member]).is_ok());
    Parsed {
        state: TraceState::from_key_value(representable).unwrap_or_default(),
        held: join(&held),
    }
}

/// The header value for `state` and the members held beside it, or nothing when there is no member to write.
///
/// A value above 512 characters loses whole members: those longer than 128 characters first, then others, each time the
/// rightmost (<https://www.w3.org/TR/trace-context-2/#tracestate-limits>).
pub(super) fn header(state: &TraceState, held: &str) -> Option<String> {
    // A `TraceState` made in this process may hold what the grammar forbids, such as line breaks in a value.
    let mut members: Vec<Member<'_>> = state
        .into_iter()
        .chain(held.split(',').filter_map(|member| member.split_once('=')))
        .filter(|(key, value)| is_key(key) && is_value(value))
        .take(MAX_MEMBERS)
        .collect();
    while length(&members) > MAX_LENGTH {
        let longest_last = members
            .iter()
            .rposition(|member| member_length(member) > LONG_MEMBER);
        members.remove(longest_last.unwrap_or(members.len() - 1));
    }
    (!members.is_empty()).then(|| join(&members))
}

fn members<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Vec<Member<'a>>> {
    let mut members: Vec<Member<'a>> = Vec::new();
    let mut count = 0;
    for member in headers.into_iter().flat_map(list::members) {
        let member = list::trim(member);
        if member.is_empty() {
            continue;
        }
        count += 1;
        let (key, value) = list::split_once(member, b'=')?;
        if count > MAX_MEMBERS || !is_key(key) || !is_value(value) {
            return None;
        }
        if members.iter().all(|(known, _)| *known != key) {
            members.push((key, value));
        }
    }
    Some(members)
}

fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let starts_well = bytes
        .first()
        .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
    starts_well
        && bytes.len() <= MAX_KEY_LENGTH
        && bytes.iter().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        )
}

fn is_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.last().is_some_and(|last| *last != b' ')
        && bytes.len() <= MAX_VALUE_LENGTH
        && bytes
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
}

fn member_length((key, value): &Member<'_>) -> usize {
    key.len() + 1 + value.len()
}

fn length(members: &[Member<'_>]) -> usize {
    members.iter().map(member_length).sum::<usize>() + members.len().saturating_sub(1)
}

fn join(members: &[Member<'_>]) -> String {
    let mut header = String::with_capacity(length(members));
    for (key, value) in members {
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(key);
        header.push('=');
        header.push_str(value);
    }
    header
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    /// Reads `headers` and writes them again.
    fn through(headers: &[&str]) -> Option<String> {
        let parsed = parse(headers.iter().copied());
        header(&parsed.state, &parsed.held)
    }

    fn numbered(count: usize) -> String {
        let members: Vec<_> = (1..=count).map(|n| format!("bar{n:02}={n:02}")).collect();
        members.join(",")
    }

    #[test]
    fn members_keep_their_order() {
        assert_eq!(
            through(&["foo=1,bar=2,baz=3"]).as_deref(),
            Some("foo=1,bar=2,baz=3")
        );
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(
            through(&["foo=1", "bar=2", "rojo=1,congo=2"]).as_deref(),
            Some("foo=1,bar=2,rojo=1,congo=2")
        );
        assert_eq!(
            through(&["foo=1", "", "bar=2", " \t "]).as_deref(),
            Some("foo=1,bar=2")
        );
    }

    #[test]
    fn white_space_around_members_is_not_part_of_them() {
        assert_eq!(
            through(&["foo=1 \t , \t bar=2, \t baz=3"]).as_deref(),
            Some("foo=1,bar=2,baz=3")
        );
        assert_eq!(
            through(&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"]).as_deref(),
            Some("foo=1,bar=2,baz=3")
        );
        assert_eq!(
            through(&[" foo=1", "\tfoo2=1", "foo3=1 ", "foo4=1\t"]).as_deref(),
            Some("foo=1,foo2=1,foo3=1,foo4=1")
        );
    }

    #[test]
    fn empty_members_are_skipped() {
        assert_eq!(through(&["foo=1,"]).as_deref(), Some("foo=1"));
        assert_eq!(
            through(&[",foo=1,, ,bar=2"]).as_deref(),
            Some("foo=1,bar=2")
        );
        assert_eq!(through(&[""]), None);
        assert_eq!(through(&[]), None);
    }

    #[test]
    fn the_first_of_two_members_with_one_key_is_kept() {
        assert_eq!(
            through(&["foo=1,bar=0,foo=2", "bar=3"]).as_deref(),
            Some("foo=1,bar=0")
        );
    }

    #[test]
    fn keys_outside_the_grammar_discard_the_list() {
        for header in [
            "foo =1",
            "FOO=1",
            "foo.bar=1",
            "@foo=1,bar=2",
            "_foo=1",
            "=1",
            "ok=1,föö=1",
            "foo",
        ] {
            assert_eq!(through(&[header]), None, "{header}");
        }
    }

    #[test]
    fn values_outside_the_grammar_discard_the_list() {
        for header in [
            "foo=",
            "foo=bar=baz",
            "foo=\u{1}",
            "foo=é",
            "foo=a\tb",
            "ok=1,foo=",
        ] {
            assert_eq!(through(&[header]), None, "{header:?}");
        }
    }

    #[test]
    fn every_allowed_character_passes() {
        let key = "0123456789abcdefghijklmnopqrstuvwxyz_-*/";
        let value: String = (' '..='~')
            .filter(|character| !matches!(character, ',' | '='))
            .collect();
        let value = format!("{value}~");
        let header = format!("{key}={value}");
        // A leading space belongs to the value, since it stands after the sign.
        assert_eq!(through(&[&header]), Some(header.clone()));
    }

    #[test]
    fn keys_and_values_have_at_most_256_characters() {
        let longest = "z".repeat(256);
        let too_long = "z".repeat(257);
        assert_eq!(
            through(&[&format!("foo=1,{longest}=1")]),
            Some(format!("foo=1,{longest}=1"))
        );
        assert_eq!(through(&[&format!("foo=1,{too_long}=1")]), None);
        assert_eq!(
            through(&[&format!("foo={longest}")]),
            Some(format!("foo={longest}"))
        );
        assert_eq!(through(&[&format!("foo={too_long}")]), None);
    }

    #[test]
    fn thirty_two_members_pass_and_one_more_discards_the_list() {
        assert_eq!(through(&[&numbered(32)]), Some(numbered(32)));
        assert_eq!(through(&[&numbered(33)]), None);
        assert_eq!(through(&[&numbered(32), "foo=1"]), None);
        assert_eq!(through(&[&numbered(32), ",,,"]), Some(numbered(32)));
    }

    #[test]
    fn keys_of_level_two_survive_though_the_api_refuses_them() {
        let tenant = format!("{}@{}", "t".repeat(241), "v".repeat(14));
        let parsed = parse(["foo=1,foo@bar@baz=2", &format!("{tenant}=1")]);
        assert_eq!(
            parsed,
            Parsed {
                state: TraceState::from_key_value([("foo", "1")]).unwrap(),
                held: format!("foo@bar@baz=2,{tenant}=1"),
            }
        );
        assert_eq!(
            header(&parsed.state, &parsed.held),
            Some(format!("foo=1,foo@bar@baz=2,{tenant}=1"))
        );
    }

    #[test]
    fn above_the_limit_long_members_go_first_and_then_the_rightmost() {
        let long = format!("long={}", "x".repeat(200));
        let short: Vec<_> = (0..4)
            .map(|n| format!("key{n}={}", "y".repeat(100)))
            .collect();
        let all = format!("{},{long},{},{},{}", short[0], short[1], short[2], short[3]);
        assert_eq!(through(&[&all]), Some(short.join(",")));

        let medium: Vec<_> = (0..6)
            .map(|n| format!("key{n}={}", "y".repeat(100)))
            .collect();
        assert_eq!(through(&[&medium.join(",")]), Some(medium[..4].join(",")));
    }

    #[test]
    fn exactly_the_limit_is_written_whole() {
        let header = format!("a={},b={}", "x".repeat(254), "y".repeat(253));
        assert_eq!(header.len(), MAX_LENGTH);
        assert_eq!(through(&[&header]), Some(header.clone()));
        let over = format!("{header}y");
        assert_eq!(through(&[&over]), Some(format!("a={}", "x".repeat(254))));
    }

    #[test]
    fn members_that_would_break_a_header_are_not_written() {
        let state =
            TraceState::from_key_value([("foo", "1\r\nevil: 1"), ("bar", "2"), ("baz", "")])
                .unwrap();
        assert_eq!(header(&state, "").as_deref(), Some("bar=2"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_written_within_the_limits(headers in prop::collection::vec(".{0,200}", 0..5)) {
            let parsed = parse(headers.iter().map(String::as_str));
            if let Some(header) = header(&parsed.state, &parsed.held) {
                prop_assert!(!header.is_empty() && header.len() <= MAX_LENGTH);
            }
        }

        #[test]
        fn lists_made_of_tokens_are_read_without_panic(header in "([a-z@*/_]{0,5}[= ,\t]{1,2}){0,60}") {
            let parsed = parse([header.as_str()]);
            let again = self::header(&parsed.state, &parsed.held).unwrap_or_default();
            prop_assert!(again.len() <= MAX_LENGTH);
        }

        #[test]
        fn valid_lists_within_the_limit_pass_unchanged(
            members in prop::collection::btree_map("[a-z0-9][a-z0-9_*/-]{0,6}", "[ -+\\--<>-~]{0,4}[!-+\\--<>-~]", 0..32)
        ) {
            let list: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let list = list.join(",");
            prop_assume!(list.len() <= MAX_LENGTH);
            prop_assert_eq!(through(&[&list]).unwrap_or_default(), list);
        }
    }
}
