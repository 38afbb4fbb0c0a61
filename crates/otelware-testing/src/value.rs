//! Attribute values of every signal as one comparable type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, KeyValue, StringValue};

/// Attributes by key, sorted.
pub type Attributes = BTreeMap<String, Value>;

/// A typed value of an attribute, a log body or a data point: `200` and `"200"` differ.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A string.
    String(String),
    /// Bytes; only logs have them.
    Bytes(Vec<u8>),
    /// An array.
    List(Vec<Value>),
    /// A map; only logs have them.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The double, if it is one.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Value::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The value followed by its type, as failure messages show it.
    pub(crate) fn described(&self) -> String {
        let kind = match self {
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "array",
            Value::Map(_) => "map",
        };
        format!("{self} ({kind})")
    }
}

/// Strings are quoted and doubles always have a point, so that two values print alike only if they are equal.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(flag) => write!(formatter, "{flag}"),
            Value::Int(number) => write!(formatter, "{number}"),
            Value::Double(number) => write!(formatter, "{number:?}"),
            Value::String(text) => write!(formatter, "{text:?}"),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => write!(formatter, "bytes {text:?}"),
                Err(_) => write!(
                    formatter,
                    "bytes {bytes:?} {:?}",
                    String::from_utf8_lossy(bytes)
                ),
            },
            Value::List(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(formatter, "[{}]", values.join(", "))
            }
            Value::Map(map) => formatter.write_str(&inline(map)),
        }
    }
}

/// `{a="x", b=1}`.
pub(crate) fn inline(attributes: &Attributes) -> String {
    let pairs: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// An attribute that was set again: the SDK exports both values, so it is always a mistake.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repetition {
    owner: String,
    key: String,
    first: Value,
    second: Value,
}

impl fmt::Display for Repetition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} sets attribute {} more than once: first {}, then {}",
            self.owner,
            self.key,
            self.first.described(),
            self.second.described()
        )
    }
}

/// Collects attributes by key; what a map cannot hold goes to `repetitions`.
pub(crate) fn collect(
    owner: &str,
    pairs: impl IntoIterator<Item = (String, Value)>,
    repetitions: &mut Vec<Repetition>,
) -> Attributes {
    let mut attributes = Attributes::new();
    for (key, second) in pairs {
        match attributes.get(&key) {
            Some(first) => repetitions.push(Repetition {
                owner: owner.to_owned(),
                first: first.clone(),
                second,
                key,
            }),
            None => {
                attributes.insert(key, second);
            }
        }
    }
    attributes
}

/// The attributes of a span, link, event or scope as this crate has them.
pub(crate) fn pairs<'a>(
    attributes: impl IntoIterator<Item = &'a KeyValue>,
) -> impl Iterator<Item = (String, Value)> {
    attributes
        .into_iter()
        .map(|pair| (pair.key.to_string(), Value::from(&pair.value)))
}

/// Panics if anything was set more than once.
#[track_caller]
pub(crate) fn assert_no_repetition(repetitions: &[Repetition]) {
    if let Some(repetition) = repetitions.first() {
        panic!("{repetition}");
    }
}

/// The attributes of an expectation; panics if a key is given twice.
#[track_caller]
pub(crate) fn expected<K: Into<String>, V: Into<Value>>(
    owner: &str,
    attributes: impl IntoIterator<Item = (K, V)>,
) -> Attributes {
    let mut repetitions = Vec::new();
    let pairs = attributes.into_iter().map(|(k, v)| (k.into(), v.into()));
    let attributes = collect(owner, pairs, &mut repetitions);
    assert_no_repetition(&repetitions);
    attributes
}

/// Builds [`Attributes`] of mixed types: `attributes! { "http.request.method" => "GET", "http.response.status_code" => 200 }`.
///
/// # Panics
///
/// If a key is given twice.
#[macro_export]
macro_rules! attributes {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut attributes = $crate::Attributes::new();
        $(
            let key = ::std::string::String::from($key);
            let previous = attributes.insert(key.clone(), $crate::Value::from($value));
            ::std::assert!(previous.is_none(), "attribute {key} is given twice");
        )*
        attributes
    }};
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Value::Int(i64::from(number))
            }
        }
    )*};
}

integers!(u8, u16, u32, i8, i16, i32, i64);

macro_rules! wide_integers {
    ($($integer:ty),*) => {$(
        /// Saturates at [`i64::MAX`], the largest integer of an attribute.
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
            }
        }
    )*};
}

wide_integers!(u64, usize);

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::String(text.clone())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Value::String(text.into_owned())
    }
}

impl From<&StringValue> for Value {
    fn from(text: &StringValue) -> Self {
        Value::String(text.as_str().to_owned())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Attributes> for Value {
    fn from(map: Attributes) -> Self {
        Value::Map(map)
    }
}

impl From<&opentelemetry::Value> for Value {
    fn from(value: &opentelemetry::Value) -> Self {
        match value {
            opentelemetry::Value::Bool(flag) => Value::Bool(*flag),
            opentelemetry::Value::I64(number) => Value::Int(*number),
            opentelemetry::Value::F64(number) => Value::Double(*number),
            opentelemetry::Value::String(text) => Value::from(text),
            opentelemetry::Value::Array(array) => Value::from(array),
            other => Value::String(format!("{other:?}")),
        }
    }
}

impl From<&Array> for Value {
    fn from(array: &Array) -> Self {
        match array {
            Array::Bool(values) => Value::from(values.clone()),
            Array::I64(values) => Value::from(values.clone()),
            Array::F64(values) => Value::from(values.clone()),
            Array::String(values) => Value::List(values.iter().map(Value::from).collect()),
            other => Value::String(format!("{other:?}")),
        }
    }
}

impl From<&AnyValue> for Value {
    fn from(value: &AnyValue) -> Self {
        match value {
            AnyValue::Boolean(flag) => Value::Bool(*flag),
            AnyValue::Int(number) => Value::Int(*number),
            AnyValue::Double(number) => Value::Double(*number),
            AnyValue::String(text) => Value::from(text),
            AnyValue::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            AnyValue::ListAny(values) => Value::List(values.iter().map(Value::from).collect()),
            AnyValue::Map(map) => Value::Map(
                map.iter()
                    .map(|(key, value)| (key.to_string(), Value::from(value)))
                    .collect(),
            ),
            other => Value::String(format!("{other:?}")),
        }
    }
}
