//! W3C Baggage: <https://www.w3.org/TR/baggage/>.

use std::sync::LazyLock;

use super::list;
use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::{Context, Key, StringValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

pub(super) const BAGGAGE: &str = "baggage";

static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [BAGGAGE.to_owned()]);

/// What a value may not contain as it is: all but `baggage-octet`, and the percent sign itself. `=` and `+` could stay, but
/// some receivers cut the value at the first and read the second as a space.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'+')
    .add(b',')
    .add(b';')
    .add(b'=')
    .add(b'\\');

/// For each member that may be kept, the members looked at before reading ends: bounds the work on headers full of members
/// that are refused.
const EXAMINED_PER_MEMBER: usize = 8;

/// How much baggage is read and written.
///
/// The defaults are what every participant must carry (<https://www.w3.org/TR/baggage/#limits>). [`Baggage`] itself holds
/// no more than that, so higher limits have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaggageLimits {
    /// The number of members.
    pub max_members: usize,
    /// The bytes of all members as they stand in the header, with the commas between them.
    pub max_bytes: usize,
}

impl Default for BaggageLimits {
    fn default() -> Self {
        Self {
            max_members: 64,
            max_bytes: 8192,
        }
    }
}

/// Propagates [`Baggage`] in the `baggage` header.
///
/// - All `baggage` headers form one list. Values are percent-decoded and may contain `=`; properties are kept as
///   [`BaggageMetadata`]. A member that breaks the grammar, or whose value is not UTF-8, is skipped.
/// - Both ways the members that fit [`BaggageLimits`] pass and the others are left out, never part of a member. Reading
///   takes members in the order of the header, writing in the order of their keys.
/// - Extracted baggage replaces the baggage of the context. Without a single valid member the context stays as it was, and
///   without baggage no header is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaggagePropagator {
    limits: BaggageLimits,
}

impl BaggagePropagator {
    /// Returns the propagator with the limits of the specification.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the propagator with other limits.
    pub const fn with_limits(limits: BaggageLimits) -> Self {
        Self { limits }
    }

    pub(super) fn extract_present(
        &self,
        cx: &Context,
        extractor: &dyn Extractor,
    ) -> Option<Context> {
        let headers = extractor.get_all(BAGGAGE)?;
        let mut intake = Intake::new(Baggage::new(), self.limits);
        for member in headers.into_iter().flat_map(list::members) {
            if !intake.wants_more() {
                break;
            }
            intake.offer(list::trim(member).len(), || parse(member));
        }
        intake.accepted().map(|baggage| cx.with_baggage(baggage))
    }
}

impl TextMapPropagator for BaggagePropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return;
        }
        let mut header = String::new();
        let mut members = 0;
        for (key, (value, metadata)) in sorted(baggage) {
            if members == self.limits.max_members {
                break;
            }
            let whole = header.len();
            if whole > 0 {
                header.push(',');
            }
            write(&mut header, key, value, metadata);
            if header.len() > self.limits.max_bytes {
                header.truncate(whole);
            } else {
                members += 1;
            }
        }
        if !header.is_empty() {
            injector.set(BAGGAGE, header);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.extract_present(cx, extractor)
            .unwrap_or_else(|| cx.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(FIELDS.as_slice())
    }
}

/// A member as [`Baggage`] takes it.
pub(super) type Entry = (String, String, BaggageMetadata);

/// Collects baggage from a carrier until the limits are reached.
pub(super) struct Intake {
    baggage: Baggage,
    limits: BaggageLimits,
    examined: usize,
    members: usize,
    bytes: usize,
}

impl Intake {
    pub(super) fn new(baggage: Baggage, limits: BaggageLimits) -> Self {
        Self {
            baggage,
            limits,
            examined: 0,
            members: 0,
            bytes: 0,
        }
    }

    pub(super) fn wants_more(&self) -> bool {
        self.members < self.limits.max_members
            && self.bytes < self.limits.max_bytes
            && self.examined < self.limits.max_members.saturating_mul(EXAMINED_PER_MEMBER)
    }

    /// Takes a member of `length` bytes if it fits and turns out valid; only one that fits is read at all.
    pub(super) fn offer(&mut self, length: usize, read: impl FnOnce() -> Option<Entry>) {
        self.examined += 1;
        let comma = usize::from(self.members > 0);
        let bytes = self.bytes.saturating_add(length).saturating_add(comma);
        if bytes > self.limits.max_bytes {
            return;
        }
        if let Some((key, value, metadata)) = read() {
            self.baggage.insert_with_metadata(key, value, metadata);
            self.members += 1;
            self.bytes = bytes;
        }
    }

    /// The baggage, provided that a member was taken.
    pub(super) fn accepted(self) -> Option<Baggage> {
        (self.members > 0).then_some(self.baggage)
    }
}

/// Entries by key: [`Baggage`] has no order, and what is left out must not depend on chance.
pub(super) fn sorted(baggage: &Baggage) -> Vec<(&Key, &(StringValue, BaggageMetadata))> {
    let mut entries: Vec<_> = baggage.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    entries
}

/// The text behind percent encoding, unless it is not UTF-8.
pub(super) fn decode(value: &str) -> Option<String> {
    Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
}

/// Writes `value` so that it can stand in the header.
pub(super) fn encode(value: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(value, ENCODED)
}

/// A `token` of RFC 9110.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
        })
}

fn is_metadata(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'\t' | b' '..=b'~') && byte != b',')
}

fn is_value(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','))
}

fn parse(member: &str) -> Option<Entry> {
    let (pair, metadata) = list::split_once(member, b';').unwrap_or((member, ""));
    let (key, value) = list::split_once(pair, b'=')?;
    let (key, value) = (list::trim(key), list::trim(value));
    if !is_token(key) || !is_value(value) || !is_metadata(metadata) {
        return None;
    }
    Some((
        key.to_owned(),
        decode(value)?,
        BaggageMetadata::from(metadata),
    ))
}

fn write(header: &mut String, key: &Key, value: &StringValue, metadata: &BaggageMetadata) {
    header.push_str(key.as_str());
    header.push('=');
    header.extend(encode(value.as_str()));
    let metadata = metadata.as_str();
    // Metadata made in this process may be any text.
    if !metadata.is_empty() && is_metadata(metadata) {
        header.push(';');
        header.push_str(metadata);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::propagation::{PairsExtractor, PairsInjector};

    type Read = Vec<(String, String, String)>;

    fn entries(cx: &Context) -> Read {
        sorted(cx.baggage())
            .into_iter()
            .map(|(key, (value, metadata))| {
                (key.to_string(), value.to_string(), metadata.to_string())
            })
            .collect()
    }

    fn extract_within(limits: BaggageLimits, headers: &[&str]) -> Read {
        let carrier: Vec<_> = headers
            .iter()
            .map(|value| ("Baggage".to_owned(), (*value).to_owned()))
            .collect();
        entries(
            &BaggagePropagator::with_limits(limits)
                .extract_with_context(&Context::new(), &PairsExtractor(&carrier)),
        )
    }

    fn extract(headers: &[&str]) -> Read {
        extract_within(BaggageLimits::default(), headers)
    }

    fn read(expected: &[(&str, &str, &str)]) -> Read {
        expected
            .iter()
            .map(|(key, value, metadata)| {
                (
                    (*key).to_owned(),
                    (*value).to_owned(),
                    (*metadata).to_owned(),
                )
            })
            .collect()
    }

    fn inject_within(limits: BaggageLimits, baggage: Baggage) -> Option<String> {
        let mut carrier = Vec::new();
        BaggagePropagator::with_limits(limits).inject_context(
            &Context::new().with_baggage(baggage),
            &mut PairsInjector(&mut carrier),
        );
        carrier.pop().map(|(name, value)| {
            assert_eq!(name, "baggage");
            value
        })
    }

    fn inject(baggage: Baggage) -> Option<String> {
        inject_within(BaggageLimits::default(), baggage)
    }

    fn baggage(entries: &[(&str, &str)]) -> Baggage {
        let mut baggage = Baggage::new();
        for (key, value) in entries {
            baggage.insert((*key).to_owned(), (*value).to_owned());
        }
        baggage
    }

    #[test]
    fn members_are_read() {
        assert_eq!(
            extract(&["key1=val1,key2 = val2 , key3\t=\tval3 "]),
            read(&[
                ("key1", "val1", ""),
                ("key2", "val2", ""),
                ("key3", "val3", "")
            ])
        );
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(
            extract(&["a=1", "", "b=2,c=3"]),
            read(&[("a", "1", ""), ("b", "2", ""), ("c", "3", "")])
        );
    }

    #[test]
    fn the_last_of_two_members_with_one_key_is_kept() {
        assert_eq!(
            extract(&["a=1,b=2", "a=3"]),
            read(&[("a", "3", ""), ("b", "2", "")])
        );
    }

    #[test]
    fn values_keep_every_equals_sign() {
        assert_eq!(
            extract(&["a=b=c==,d="]),
            read(&[("a", "b=c==", ""), ("d", "", "")])
        );
    }

    #[test]
    fn values_are_percent_decoded() {
        assert_eq!(
            extract(&["a=%20x%2C%3B%25,b=Am%C3%A9lie,c=1+1,d=100%,e=%zz"]),
            read(&[
                ("a", " x,;%", ""),
                ("b", "Amélie", ""),
                ("c", "1+1", ""),
                ("d", "100%", ""),
                ("e", "%zz", "")
            ])
        );
    }

    #[test]
    fn a_value_that_is_not_utf_8_is_skipped() {
        assert_eq!(extract(&["a=%FF%FE,b=2"]), read(&[("b", "2", "")]));
    }

    #[test]
    fn properties_are_kept() {
        assert_eq!(
            extract(&["a=1;p1=v;p2, b=2 ; q = 7 ,c=3;"]),
            read(&[("a", "1", "p1=v;p2"), ("b", "2", "q = 7"), ("c", "3", "")])
        );
    }

    #[test]
    fn members_outside_the_grammar_are_skipped() {
        assert_eq!(
            extract(&[
                "=1,nothing,k y=1,\"q\"=1,a(b)=1,ä=1,v=a b,w=\"x\",x=back\\slash,m=1;\u{1},ok=1,,;p"
            ]),
            read(&[("ok", "1", "")])
        );
    }

    #[test]
    fn nothing_valid_leaves_the_context_as_it_was() {
        let local = Context::new().with_baggage(baggage(&[("local", "1")]));
        let carriers = [vec![], vec![("baggage".to_owned(), "broken".to_owned())]];
        for carrier in carriers {
            let cx =
                BaggagePropagator::new().extract_with_context(&local, &PairsExtractor(&carrier));
            assert_eq!(entries(&cx), read(&[("local", "1", "")]));
        }
    }

    #[test]
    fn extracted_baggage_replaces_local_baggage() {
        let local = Context::new().with_baggage(baggage(&[("local", "1")]));
        let carrier = [("baggage".to_owned(), "remote=2".to_owned())];
        let cx = BaggagePropagator::new().extract_with_context(&local, &PairsExtractor(&carrier));
        assert_eq!(entries(&cx), read(&[("remote", "2", "")]));
    }

    #[test]
    fn the_first_64_members_are_read() {
        let header: Vec<_> = (0..65).map(|n| format!("k{n:02}=v")).collect();
        let kept: Vec<_> = (0..64)
            .map(|n| (format!("k{n:02}"), "v".to_owned(), String::new()))
            .collect();
        assert_eq!(extract(&[&header.join(",")]), kept);
    }

    #[test]
    fn members_that_do_not_fit_are_left_out_whole() {
        let huge = format!("huge={}", "x".repeat(100_000));
        assert_eq!(
            extract(&[&format!("a=1,{huge},b=2")]),
            read(&[("a", "1", ""), ("b", "2", "")])
        );

        let limits = BaggageLimits {
            max_members: 64,
            max_bytes: 11,
        };
        assert_eq!(
            extract_within(limits, &["a=1,b=2,c=3,d=4"]),
            read(&[("a", "1", ""), ("b", "2", ""), ("c", "3", "")])
        );
        assert_eq!(
            extract_within(limits, &["a=1,bb=2,c=3,d=4"]),
            read(&[("a", "1", ""), ("bb", "2", "")])
        );
    }

    #[test]
    fn a_member_of_the_whole_size_is_read() {
        let value = "x".repeat(8190);
        assert_eq!(
            extract(&[&format!("a={value}")]),
            read(&[("a", &value, "")])
        );
        assert_eq!(extract(&[&format!("a={value}x")]), read(&[]));
    }

    #[test]
    fn reading_ends_at_the_limits() {
        let valid: Vec<_> = (0..10_000).map(|n| format!("k{n:05}=v")).collect();
        assert_eq!(extract(&[&valid.join(",")]).len(), 64);
        // Refused members are not looked at without end either.
        let refused = format!("{}ok=1", "bad,".repeat(10_000));
        assert_eq!(extract(&[&refused]), read(&[]));
        assert_eq!(
            extract_within(
                BaggageLimits {
                    max_members: 0,
                    max_bytes: 8192
                },
                &["a=1"]
            ),
            read(&[])
        );
    }

    #[test]
    fn values_are_percent_encoded() {
        assert_eq!(
            inject(baggage(&[("k", "a b,c;d\"e\\f%g=h+i/Amélie\r\n")])).as_deref(),
            Some("k=a%20b%2Cc%3Bd%22e%5Cf%25g%3Dh%2Bi/Am%C3%A9lie%0D%0A")
        );
    }

    #[test]
    fn members_are_written_by_key_with_their_properties() {
        let mut baggage = baggage(&[("b", "2"), ("a", "1")]);
        baggage.insert_with_metadata("c", "3", "p=1;q");
        baggage.insert_with_metadata("d", "4", "not\r\nsafe");
        baggage.insert_with_metadata("e", "5", "not,safe");
        assert_eq!(
            inject(baggage).as_deref(),
            Some("a=1,b=2,c=3;p=1;q,d=4,e=5")
        );
    }

    #[test]
    fn no_baggage_writes_no_header() {
        assert_eq!(inject(Baggage::new()), None);
        assert_eq!(
            inject_within(
                BaggageLimits {
                    max_members: 64,
                    max_bytes: 2
                },
                baggage(&[("a", "1")])
            ),
            None
        );
        assert_eq!(
            inject_within(
                BaggageLimits {
                    max_members: 0,
                    max_bytes: 99
                },
                baggage(&[("a", "1")])
            ),
            None
        );
    }

    #[test]
    fn writing_leaves_out_what_does_not_fit() {
        let limits = BaggageLimits {
            max_members: 2,
            max_bytes: 8,
        };
        assert_eq!(
            inject_within(
                limits,
                baggage(&[("a", "too long"), ("b", "2"), ("c", "3"), ("d", "4")])
            )
            .as_deref(),
            Some("b=2,c=3")
        );
        // Encoding makes a value longer than the baggage of the API counts it.
        assert_eq!(
            inject(baggage(&[("big", &" ".repeat(4000)), ("small", "1")])).as_deref(),
            Some("small=1")
        );
    }

    #[test]
    fn fields_are_named() {
        let fields: Vec<String> = BaggagePropagator::new()
            .fields()
            .map(str::to_owned)
            .collect();
        assert_eq!(fields, ["baggage"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_within_the_limits(headers in prop::collection::vec(".{0,300}", 0..4)) {
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            prop_assert!(extract(&headers).len() <= 64);
        }

        #[test]
        fn injection_and_extraction_are_inverse(entries in prop::collection::btree_map("[!#-'*+.^-z|~-]{1,8}", ".{0,12}", 0..40)) {
            let mut sent = Baggage::new();
            for (key, value) in &entries {
                sent.insert(key.clone(), value.clone());
            }
            let received: BTreeMap<String, String> = match inject(sent) {
                Some(header) => extract(&[&header]).into_iter().map(|(key, value, _)| (key, value)).collect(),
                None => BTreeMap::new(),
            };
            prop_assert_eq!(received, entries);
        }

        #[test]
        fn what_is_written_keeps_the_limits(
            entries in prop::collection::vec(("[a-z]{1,4}", ".{0,60}"), 0..80), max_members in 0_usize..70, max_bytes in 0_usize..600,
        ) {
            let mut sent = Baggage::new();
            for (key, value) in entries {
                sent.insert(key, value);
            }
            if let Some(header) = inject_within(BaggageLimits { max_members, max_bytes }, sent) {
                prop_assert!(!header.is_empty() && header.len() <= max_bytes);
                prop_assert!(header.split(',').count() <= max_members);
            }
        }
    }
}
