//! Which metrics and labels an expression of Prometheus' query language is about. It is not understood beyond that.

use std::collections::BTreeSet;

/// The names in an expression.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Query {
    /// The metrics, each with the labels that it is selected by.
    pub(crate) selectors: Vec<(String, BTreeSet<String>)>,
    /// The labels of `by (…)`, `on (…)` and their like.
    pub(crate) grouped: BTreeSet<String>,
}

const WITH_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
const OPERATORS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if is_of_name(first) {
                let name = rest
                    .split(|next| !is_of_name(next))
                    .next()
                    .unwrap_or_default();
                rest = &rest[name.len()..];
                let next = rest.trim_start();
                if WITH_LABELS.contains(&name) && next.starts_with('(') {
                    let (labels, after) = inside(next, ')');
                    query.grouped.extend(names(labels));
                    rest = after;
                } else if is_metric(name, next) {
                    let (labels, after) = match next.starts_with('{') {
                        true => inside(next, '}'),
                        false => ("", rest),
                    };
                    query
                        .selectors
                        .push((name.to_owned(), names(labels).collect()));
                    rest = after;
                } else if name == "label_values" {
                    // Grafana's: a metric and a label of it.
                    let (arguments, after) = inside(next, ')');
                    let (metric, label) = arguments.rsplit_once(',').unwrap_or((arguments, ""));
                    query.selectors.extend(Self::parse(metric).selectors);
                    query.grouped.extend(names(label));
                    rest = after;
                }
            } else {
                rest = match first {
                    '"' | '\'' | '`' => inside(rest, first).1,
                    '[' => inside(rest, ']').1,
                    _ => &rest[first.len_utf8()..],
                };
            }
        }
        query
    }
}

/// The labels that a legend shows: `{{job}} {{le}}`.
pub(crate) fn shown(legend: &str) -> impl Iterator<Item = String> {
    let parts = legend.split("{{").skip(1);
    parts.map(|part| {
        part.split("}}")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    })
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | ':' | '.' | '$')
}

/// Not a number, a variable, an operator, a function, or an aggregation: `sum by (job) (…)`.
fn is_metric(name: &str, next: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && !OPERATORS.contains(&name)
        && !WITH_LABELS.contains(&name)
        && !["(", "by", "without"]
            .iter()
            .any(|after| next.starts_with(after))
}

/// What is between the first character and the end, and what comes after.
fn inside(text: &str, end: char) -> (&str, &str) {
    let mut quote = None;
    for (at, character) in text.char_indices().skip(1) {
        if quote.is_none() && character == end {
            return (&text[1..at], &text[at + end.len_utf8()..]);
        }
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '"' | '\'' | '`') => quote = Some(character),
            _ => {}
        }
    }
    panic!("no {end} ends {text}")
}

/// The names in a list of labels or matchers, without the texts that they are compared with.
fn names(list: &str) -> impl Iterator<Item = String> {
    let mut outside = list.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    outside.retain(|character| character.is_ascii_alphanumeric() || "_, ".contains(character));
    let names: Vec<String> = (outside.split([',', ' ']))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    names.into_iter()
}

#[test]
fn names_are_found() {
    let set = |labels: &[&str]| {
        labels
            .iter()
            .map(|&label| label.to_owned())
            .collect::<BTreeSet<_>>()
    };
    let query = |selectors: &[(&str, &[&str])], grouped: &[&str]| Query {
        selectors: (selectors.iter())
            .map(|(metric, labels)| ((*metric).to_owned(), set(labels)))
            .collect(),
        grouped: set(grouped),
    };
    let cases = [
        ("up == 0", query(&[("up", &[])], &[])),
        (
            r#"histogram_quantile(0.95, sum by (job, le) (rate(a_bucket{job=~"$x,y}", le!=""}[$__rate_interval]))) > 1e3"#,
            query(&[("a_bucket", &["job", "le"])], &["job", "le"]),
        ),
        (
            "sum(a:b:rate5m offset 5m) without(c)\n  and on () d or e unless f * -2",
            query(
                &[("a:b:rate5m", &[]), ("d", &[]), ("e", &[]), ("f", &[])],
                &["c"],
            ),
        ),
        (
            r#"label_replace(a, "to", "$1", "from", "(.*)") / ignoring (l) group_left b"#,
            query(&[("a", &[]), ("b", &[])], &["l"]),
        ),
        (
            r#"label_values(a{b="c"}, job)"#,
            query(&[("a", &["b"])], &["job"]),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Query::parse(text), expected, "{text}");
    }
}
