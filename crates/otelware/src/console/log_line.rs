//! One log record as one line, wherever the record comes from.

use std::fmt;
use std::time::SystemTime;

use opentelemetry::trace::{SpanId, TraceId};

use super::text::{Paint, escape, timestamp};

/// What a line says: `2026-11-21T03:14:10.123Z  INFO trace_id=… span_id=… target: message key=value`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LogLine {
    pub(super) time: SystemTime,
    pub(super) level: &'static str,
    pub(super) span: Option<(TraceId, SpanId)>,
    pub(super) target: String,
    pub(super) message: String,
    /// Each ready to print; see [`field`].
    pub(super) fields: Vec<String>,
}

impl LogLine {
    /// The line, without its end. Line breaks are escaped: one record is one line, and none can be forged.
    pub(super) fn render(&self, color: bool) -> String {
        let time = Paint::Dim.apply(&timestamp(self.time), color);
        let level = paint(self.level).apply(&format!("{:>5}", escape(self.level)), color);
        let ids = self
            .span
            .map(|(trace_id, span_id)| format!("trace_id={trace_id} span_id={span_id}"));
        let target = Some(&self.target).filter(|target| !target.is_empty());
        let target = target.map(|target| Paint::Dim.apply(&format!("{}:", escape(target)), color));
        let message = Some(escape(&self.message)).filter(|message| !message.is_empty());
        let parts = [Some(time), Some(level), ids, target, message];
        let parts: Vec<String> = parts
            .into_iter()
            .flatten()
            .chain(self.fields.iter().cloned())
            .collect();
        parts.join(" ")
    }
}

/// By the beginning of the name, as the severities of OpenTelemetry are numbered: `INFO2` is a kind of `INFO`.
fn paint(level: &str) -> Paint {
    match level.get(..4) {
        Some("ERRO" | "FATA") => Paint::Red,
        Some("WARN") => Paint::Yellow,
        Some("INFO") => Paint::Green,
        Some("DEBU") => Paint::Blue,
        _ => Paint::Magenta,
    }
}

/// `key=value`, where `value` is the form that the caller chose.
pub(super) fn field(key: &str, value: &dyn fmt::Display) -> String {
    format!("{}={}", escape(key), escape(&value.to_string()))
}

/// `key=value`, where `value` is a string: quoted unless it is a single plain word.
pub(super) fn string_field(key: &str, value: &str) -> String {
    let is_word = |character: char| {
        !character.is_whitespace() && !character.is_control() && !"\"'=".contains(character)
    };
    if !value.is_empty() && value.chars().all(is_word) {
        field(key, &value)
    } else {
        field(key, &format_args!("{value:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn line() -> LogLine {
        LogLine {
            time: UNIX_EPOCH + Duration::from_millis(1_795_230_850_123),
            level: "INFO",
            span: Some((
                TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
                SpanId::from(0x00f0_67aa_0ba9_02b7),
            )),
            target: "orders::checkout".to_owned(),
            message: "charged".to_owned(),
            fields: vec![field("amount", &12), string_field("note", "two words")],
        }
    }

    #[test]
    fn a_line_carries_time_level_ids_target_message_and_fields() {
        assert_eq!(
            line().render(false),
            "2026-11-21T03:14:10.123Z  INFO trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 \
             orders::checkout: charged amount=12 note=\"two words\""
        );
    }

    #[test]
    fn a_line_leaves_out_what_is_absent() {
        let line = LogLine {
            span: None,
            target: String::new(),
            message: String::new(),
            fields: Vec::new(),
            ..line()
        };
        assert_eq!(line.render(false), "2026-11-21T03:14:10.123Z  INFO");
    }

    #[test]
    fn colour_marks_the_level() {
        let line = LogLine {
            level: "ERROR",
            span: None,
            fields: Vec::new(),
            ..line()
        };
        assert_eq!(
            line.render(true),
            "\u{1b}[2m2026-11-21T03:14:10.123Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m \u{1b}[2morders::checkout:\u{1b}[0m charged"
        );
    }

    #[test]
    fn no_part_of_a_record_can_reach_the_terminal_raw() {
        let line = LogLine {
            span: None,
            target: "a\u{1b}b".to_owned(),
            message: "one\ntwo\u{1b}[2J".to_owned(),
            fields: vec![
                field("k\u{7}", &"v\r"),
                string_field("s", "\u{1b}]0;title\u{7}"),
                string_field("empty", ""),
            ],
            ..line()
        };
        assert_eq!(
            line.render(false),
            "2026-11-21T03:14:10.123Z  INFO a\\u{1b}b: one\\ntwo\\u{1b}[2J k\\u{7}=v\\r s=\"\\u{1b}]0;title\\u{7}\" empty=\"\""
        );
    }
}
