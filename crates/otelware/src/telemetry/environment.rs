//! The one reader of environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Longer than any time limit of telemetry makes sense.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The variables a [`Telemetry`](super::Telemetry) is set up from: those of the process, or any map.
///
/// Values follow the rules of the OpenTelemetry specification ("Environment Variable Specification"): an empty value is
/// as good as none, names of choices are compared without regard to case, and a value that cannot be used is ignored
/// with a [`Complaint`].
///
/// ```
/// use otelware::telemetry::Environment;
///
/// let environment = Environment::from_iter([("OTEL_TRACES_EXPORTER", "console")]);
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    complaints: Vec<Complaint>,
}

impl Environment {
    /// The `OTEL_*` variables and `RUST_LOG` of this process.
    ///
    /// A value that is not Unicode is ignored with a [`Complaint`], which does not show it.
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    fn from_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else {
                continue;
            };
            if !name.starts_with("OTEL_") && name != "RUST_LOG" {
                continue;
            }
            match value.into_string() {
                Ok(value) => {
                    environment.variables.insert(name, value);
                }
                // It may be a header or an endpoint, with a credential.
                Err(_) => {
                    environment.complain(&name, "<not shown>", "is not Unicode", "UTF-8 text");
                }
            }
        }
        environment
    }

    /// Everything that was ignored, in the order it was read; each text once.
    pub(super) fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// The value of a variable, without blanks around it; `None` when it is not set or empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.variables.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Records that `value` of `name` is not used.
    pub(super) fn complain(&mut self, name: &str, value: &str, problem: &str, allowed: &str) {
        let complaint = Complaint {
            variable: name.to_owned(),
            value: value.to_owned(),
            problem: problem.to_owned(),
            allowed: allowed.to_owned(),
        };
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        self.choice(name, &Choices::new(&[("true", true), ("false", false)]))
    }

    /// A whole number within `range`.
    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<usize>) -> Option<usize> {
        let value = self.text(name)?;
        let problem = match value.parse() {
            Ok(number) if range.contains(&number) => return Some(number),
            Ok(number) if number < *range.start() => "is too small",
            Ok(_) => "is too large",
            Err(_) => "is not a whole number",
        };
        let allowed = match range.into_inner() {
            (least, usize::MAX) => format!("a whole number from {least}"),
            (least, most) => format!("a whole number from {least} to {most}"),
        };
        self.complain(name, &value, problem, &allowed);
        None
    }

    /// A number of milliseconds; more than a day's counts as a day, which timers can handle everywhere.
    pub(super) fn milliseconds(&mut self, name: &str) -> Option<Duration> {
        let value = self.text(name)?;
        if let Ok(milliseconds) = value.parse() {
            return Some(Duration::from_millis(milliseconds).min(DAY));
        }
        self.complain(
            name,
            &value,
            "is not a number of milliseconds",
            "a whole number of milliseconds from 0",
        );
        None
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &Choices<'_, T>) -> Option<T> {
        let value = self.text(name)?;
        self.resolve(name, &value, choices)
    }

    /// A comma-separated list of names; `None` when no known name is in it. A name counts once.
    pub(super) fn choice_list<T: Copy + PartialEq>(
        &mut self,
        name: &str,
        choices: &Choices<'_, T>,
    ) -> Option<Vec<T>> {
        let value = self.text(name)?;
        let mut chosen = Vec::new();
        for element in value
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
        {
            if let Some(choice) = self.resolve(name, element, choices)
                && !chosen.contains(&choice)
            {
                chosen.push(choice);
            }
        }
        (!chosen.is_empty()).then_some(chosen)
    }

    fn resolve<T: Copy>(&mut self, name: &str, value: &str, choices: &Choices<'_, T>) -> Option<T> {
        if let Some((_, choice)) = choices
            .known
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(value))
        {
            return Some(*choice);
        }
        let elsewhere = choices
            .elsewhere
            .iter()
            .any(|known| known.eq_ignore_ascii_case(value));
        let problem = if elsewhere {
            "is known but not built in"
        } else {
            "is not known"
        };
        self.complain(name, value, problem, &choices.allowed());
        None
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            complaints: Vec::new(),
        }
    }
}

impl fmt::Debug for Environment {
    // Values stay out: headers and endpoints carry credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("complaints", &self.complaints)
            .finish()
    }
}

/// The names a variable may have as its value.
pub(super) struct Choices<'a, T> {
    known: &'a [(&'a str, T)],
    elsewhere: &'a [&'a str],
}

impl<'a, T> Choices<'a, T> {
    pub(super) fn new(known: &'a [(&'a str, T)]) -> Self {
        Self {
            known,
            elsewhere: &[],
        }
    }

    /// Names the specification knows and this build does not offer.
    pub(super) fn elsewhere(mut self, names: &'a [&'a str]) -> Self {
        self.elsewhere = names;
        self
    }

    fn allowed(&self) -> String {
        let names: Vec<&str> = self.known.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }
}

/// A value of an environment variable that is not used.
///
/// Its text names the variable, the value and what is allowed:
/// `OTEL_TRACES_EXPORTER: "otpl" is not known and is ignored; allowed: otlp, console, none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    variable: String,
    value: String,
    problem: String,
    allowed: String,
}

impl Complaint {
    /// The name of the variable.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            value,
            problem,
            allowed,
        } = self;
        write!(
            formatter,
            "{variable}: {value:?} {problem} and is ignored; allowed: {allowed}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(environment: &Environment) -> Vec<String> {
        environment
            .complaints()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn empty_values_count_as_unset() {
        let mut environment = Environment::from_iter([("A", ""), ("B", "  "), ("C", " c ")]);
        assert_eq!(environment.text("A"), None);
        assert_eq!(environment.text("B"), None);
        assert_eq!(environment.text("C"), Some("c".to_owned()));
        assert_eq!(environment.boolean("A"), None);
        assert_eq!(complaints(&environment), Vec::<String>::new());
    }

    #[test]
    fn booleans() {
        let mut environment = Environment::from_iter([("A", "TRUE"), ("B", "false"), ("C", "1")]);
        assert_eq!(
            [
                environment.boolean("A"),
                environment.boolean("B"),
                environment.boolean("C")
            ],
            [Some(true), Some(false), None]
        );
        assert_eq!(
            complaints(&environment),
            [r#"C: "1" is not known and is ignored; allowed: true, false"#]
        );
    }

    #[test]
    fn numbers() {
        let mut environment = Environment::from_iter([
            ("A", "7"),
            ("B", "0"),
            ("C", "many"),
            ("D", "-1"),
            ("E", "8"),
        ]);
        let numbers = ["A", "B", "C", "D"].map(|name| environment.number(name, 1..=usize::MAX));
        assert_eq!(numbers, [Some(7), None, None, None]);
        assert_eq!(environment.number("E", 1..=7), None);
        assert_eq!(
            complaints(&environment),
            [
                r#"B: "0" is too small and is ignored; allowed: a whole number from 1"#,
                r#"C: "many" is not a whole number and is ignored; allowed: a whole number from 1"#,
                r#"D: "-1" is not a whole number and is ignored; allowed: a whole number from 1"#,
                r#"E: "8" is too large and is ignored; allowed: a whole number from 1 to 7"#,
            ]
        );
    }

    #[test]
    fn milliseconds() {
        let mut environment =
            Environment::from_iter([("A", "250"), ("B", "5s"), ("C", "18446744073709551615")]);
        assert_eq!(
            environment.milliseconds("A"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(environment.milliseconds("C"), Some(DAY));
        assert_eq!(environment.milliseconds("B"), None);
        assert_eq!(
            complaints(&environment),
            [
                r#"B: "5s" is not a number of milliseconds and is ignored; allowed: a whole number of milliseconds from 0"#
            ]
        );
    }

    #[test]
    fn lists_keep_what_is_known_once_and_complain_once() {
        let choices = || Choices::new(&[("one", 1), ("two", 2)]).elsewhere(&["three"]);
        let mut environment =
            Environment::from_iter([("A", "two, ONE,,two,three,four,four"), ("B", "five")]);
        assert_eq!(environment.choice_list("A", &choices()), Some(vec![2, 1]));
        assert_eq!(environment.choice_list("B", &choices()), None);
        assert_eq!(environment.choice_list("C", &choices()), None);
        assert_eq!(
            complaints(&environment),
            [
                r#"A: "three" is known but not built in and is ignored; allowed: one, two"#,
                r#"A: "four" is not known and is ignored; allowed: one, two"#,
                r#"B: "five" is not known and is ignored; allowed: one, two"#,
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn variables_of_the_process() {
        use std::os::unix::ffi::OsStringExt as _;

        let variables = [
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                b"authorization=secret\xff".as_slice(),
            ),
            ("OTEL_SERVICE_NAME", b"shop"),
            ("HOME", b"elsewhere"),
        ]
        .map(|(name, value)| (OsString::from(name), OsString::from_vec(value.to_vec())));
        let environment = Environment::from_variables(variables.into_iter());
        assert_eq!(
            environment.variables,
            BTreeMap::from([("OTEL_SERVICE_NAME".to_owned(), "shop".to_owned())])
        );
        assert_eq!(
            complaints(&environment),
            [
                r#"OTEL_EXPORTER_OTLP_HEADERS: "<not shown>" is not Unicode and is ignored; allowed: UTF-8 text"#
            ]
        );
    }

    #[test]
    fn debug_shows_no_value() {
        let environment =
            Environment::from_iter([("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret")]);
        assert_eq!(
            format!("{environment:?}"),
            r#"Environment { variables: ["OTEL_EXPORTER_OTLP_HEADERS"], complaints: [] }"#
        );
    }
}
