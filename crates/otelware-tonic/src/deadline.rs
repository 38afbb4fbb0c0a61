//! Deadlines of calls.

use http::{HeaderMap, HeaderName};
use std::time::Duration;

static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A peer's clock starts earlier or later by what is on its way, and timers tick in milliseconds:
/// a call that ended so short before its deadline has ended by it.
const SLACK: Duration = Duration::from_millis(10);

/// gRPC's core (C++, Python, Ruby) tells servers its deadline rounded up by as much as a hundredth.
const ROUNDING: u32 = 100;

/// Who enforces a deadline does it sooner than this after it.
const GRACE: Duration = Duration::from_secs(1);

/// How long a call may take, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Duration);

impl Deadline {
    /// The deadline in the metadata of a call (gRPC over HTTP/2, "Timeout").
    #[inline]
    pub(crate) fn of(metadata: &HeaderMap) -> Option<Self> {
        let timeout = metadata.get(&GRPC_TIMEOUT)?.as_bytes();
        let (unit, digits) = timeout.split_last()?;
        if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let amount = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let timeout = match unit {
            b'H' => Duration::from_secs(amount * 3_600),
            b'M' => Duration::from_secs(amount * 60),
            b'S' => Duration::from_secs(amount),
            b'm' => Duration::from_millis(amount),
            b'u' => Duration::from_micros(amount),
            b'n' => Duration::from_nanos(amount),
            _ => return None,
        };
        Some(Self(timeout))
    }

    /// Whether a call that ended `after` its beginning can have ended by its deadline.
    pub(crate) fn has_passed(self, after: Duration) -> bool {
        after + SLACK.min(self.0 / 8) + self.0 / ROUNDING >= self.0
    }

    /// Whether it has passed so long before that nobody can have enforced it.
    pub(crate) fn is_long_past(self, after: Duration) -> bool {
        after > self.0 + GRACE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn of(timeout: &[u8]) -> Option<Duration> {
        let value = HeaderValue::from_bytes(timeout).unwrap();
        Deadline::of(&HeaderMap::from_iter([(GRPC_TIMEOUT.clone(), value)])).map(|found| found.0)
    }

    #[test]
    fn timeouts_are_read_in_all_units_and_others_ignored() {
        for (timeout, expected) in [
            ("3H", Some(Duration::from_secs(10_800))),
            ("1M", Some(Duration::from_secs(60))),
            ("42S", Some(Duration::from_secs(42))),
            ("13m", Some(Duration::from_millis(13))),
            ("2u", Some(Duration::from_micros(2))),
            ("82n", Some(Duration::from_nanos(82))),
            ("99999999H", Some(Duration::from_secs(359_999_996_400))),
            ("100000000n", None),
            ("+1S", None),
            ("1", None),
            ("S", None),
            ("1s", None),
            ("", None),
        ] {
            assert_eq!(of(timeout.as_bytes()), expected, "{timeout:?}");
        }
        assert_eq!(of(b"1\xff"), None);
        assert_eq!(Deadline::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_call_that_ended_just_before_its_deadline_ended_by_it() {
        let deadline = Deadline(Duration::from_secs(1));
        assert!(deadline.has_passed(Duration::from_secs(1)));
        assert!(deadline.has_passed(Duration::from_millis(980)));
        assert!(!deadline.has_passed(Duration::from_millis(979)));
        assert!(!deadline.is_long_past(Duration::from_secs(2)));
        assert!(deadline.is_long_past(Duration::from_millis(2_001)));
        let short = Deadline(Duration::from_millis(8));
        assert!(short.has_passed(Duration::from_millis(7)));
        assert!(!short.has_passed(Duration::from_millis(6)));
        // Of a client that gives up after 10.001 s.
        let rounded = Deadline(Duration::from_millis(10_100));
        assert!(rounded.has_passed(Duration::from_millis(9_999)));
    }
}
