//! Text that is safe and tidy on a terminal: escaping, cutting, durations, timestamps, colours.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest name or value shown, in characters.
pub(super) const MAXIMUM_VALUE_LENGTH: usize = 60;

const MILLISECONDS_PER_DAY: u128 = 86_400_000;

/// The colours in use, as SGR parameters (ECMA-48, section 8.3.117).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
}

impl Paint {
    fn parameter(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Magenta => "35",
        }
    }

    /// Wraps `text` in this colour, if `color` is on and there is something to colour.
    pub(super) fn apply(self, text: &str, color: bool) -> String {
        if color && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", self.parameter())
        } else {
            text.to_owned()
        }
    }
}

/// Replaces every character that a terminal would obey instead of show.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut escaped, character);
    }
    escaped
}

/// Escapes `text` after cutting it to [`MAXIMUM_VALUE_LENGTH`] characters.
pub(super) fn escape_and_cut(text: &str) -> String {
    if text.chars().nth(MAXIMUM_VALUE_LENGTH).is_none() {
        return escape(text);
    }
    let mut escaped = String::new();
    for character in text.chars().take(MAXIMUM_VALUE_LENGTH - 1) {
        push_escaped(&mut escaped, character);
    }
    escaped.push('…');
    escaped
}

fn push_escaped(escaped: &mut String, character: char) {
    if character.is_control() || reorders_or_hides(character) {
        escaped.extend(character.escape_default());
    } else {
        escaped.push(character);
    }
}

/// Line separators, invisible characters and the bidirectional controls, with which a value could disguise itself.
fn reorders_or_hides(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// How long something took: three units, so that `µs` and `s` can stand in one column.
pub(super) fn duration(duration: Duration) -> String {
    let microseconds = duration.as_nanos() as f64 / 1e3;
    // The limits lie where rounding would otherwise print `1000 µs` or `1000.0 ms`.
    if microseconds < 999.5 {
        format!("{microseconds:.0} µs")
    } else if microseconds < 999_950.0 {
        format!("{:.1} ms", microseconds / 1e3)
    } else {
        format!("{:.2} s", microseconds / 1e6)
    }
}

/// The time from `start` to `end`; zero if the clock went backwards.
pub(super) fn elapsed(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

/// RFC 3339 in UTC with milliseconds; times before 1970 are shown as its first instant.
pub(super) fn timestamp(time: SystemTime) -> String {
    let milliseconds = elapsed(UNIX_EPOCH, time).as_millis();
    let (year, month, day) = civil_date(milliseconds / MILLISECONDS_PER_DAY);
    let rest = milliseconds % MILLISECONDS_PER_DAY;
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millisecond) = (rest / 1_000 % 60, rest % 1_000);
    let mut text = String::with_capacity(24);
    let _ = write!(
        text,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
    );
    text
}

/// The proleptic Gregorian date of a day counted from 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last day of its year.
fn civil_date(days_since_epoch: u128) -> (u128, u128, u128) {
    const DAYS_FROM_MARCH_OF_YEAR_0_TO_EPOCH: u128 = 719_468;
    const DAYS_IN_400_YEARS: u128 = 146_097;
    let days = days_since_epoch + DAYS_FROM_MARCH_OF_YEAR_0_TO_EPOCH;
    let day_of_cycle = days % DAYS_IN_400_YEARS;
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = days / DAYS_IN_400_YEARS * 400 + year_of_cycle + u128::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(
            escape("a\u{1b}[31mb\r\n\t\u{7f}\u{9b}\u{202e}é✓"),
            "a\\u{1b}[31mb\\r\\n\\t\\u{7f}\\u{9b}\\u{202e}é✓"
        );
    }

    #[test]
    fn a_long_value_is_cut_to_sixty_characters() {
        let exact = "é".repeat(60);
        assert_eq!(escape_and_cut(&exact), exact);
        assert_eq!(
            escape_and_cut(&"é".repeat(61)),
            format!("{}…", "é".repeat(59))
        );
    }

    #[test]
    fn durations_pick_their_unit_after_rounding() {
        let texts = [
            0,
            499,
            999_499,
            999_500,
            42_100_000,
            999_949_999,
            999_950_000,
            75_000_000_000,
        ]
        .map(|nanoseconds| duration(Duration::from_nanos(nanoseconds)));
        assert_eq!(
            texts,
            [
                "0 µs", "0 µs", "999 µs", "1.0 ms", "42.1 ms", "999.9 ms", "1.00 s", "75.00 s"
            ]
        );
    }

    #[test]
    fn timestamps_follow_the_calendar() {
        let texts = [
            0,
            951_782_399_999,
            951_782_400_000,
            951_868_800_001,
            1_795_230_850_123,
            4_107_542_400_000,
        ]
        .map(|milliseconds| timestamp(UNIX_EPOCH + Duration::from_millis(milliseconds)));
        assert_eq!(
            texts,
            [
                "1970-01-01T00:00:00.000Z",
                "2000-02-28T23:59:59.999Z",
                "2000-02-29T00:00:00.000Z",
                "2000-03-01T00:00:00.001Z",
                "2026-11-21T03:14:10.123Z",
                "2100-03-01T00:00:00.000Z",
            ]
        );
        assert_eq!(
            timestamp(UNIX_EPOCH - Duration::from_secs(1)),
            "1970-01-01T00:00:00.000Z"
        );
    }

    #[test]
    fn paint_adds_nothing_without_colour_or_text() {
        assert_eq!(Paint::Red.apply("x", true), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint::Red.apply("x", false), "x");
        assert_eq!(Paint::Red.apply("", true), "");
    }
}
