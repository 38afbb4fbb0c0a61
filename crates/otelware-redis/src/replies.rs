//! What replies tell.

use redis::{ServerError, Value};

/// The first error among replies, and how many of them have one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed<'a> {
    pub(crate) first: &'a ServerError,
    pub(crate) count: usize,
}

/// What failed of several commands, of which each counts once.
#[inline]
pub(crate) fn failed(replies: &[Value]) -> Option<Failed<'_>> {
    let start = replies.iter().position(may_fail)?;
    let mut errors = replies.get(start..)?.iter().filter_map(first_error);
    let first = errors.next()?;
    let count = 1 + errors.count();
    Some(Failed { first, count })
}

/// Whether it is an error, or may have one in it. Most replies are not, which is seen at once.
#[inline]
const fn may_fail(reply: &Value) -> bool {
    matches!(
        reply,
        Value::ServerError(_)
            | Value::Array(_)
            | Value::Set(_)
            | Value::Map(_)
            | Value::Push { .. }
            | Value::Attribute { .. }
    )
}

/// The first error in a reply, however deep: redis-rs finds it there too.
#[inline]
pub(crate) fn first_error(reply: &Value) -> Option<&ServerError> {
    match reply {
        Value::ServerError(error) => Some(error),
        _ if may_fail(reply) => first_within(reply),
        _ => None,
    }
}

fn first_within(reply: &Value) -> Option<&ServerError> {
    match reply {
        Value::Array(values) | Value::Set(values) | Value::Push { data: values, .. } => {
            values.iter().find_map(first_error)
        }
        Value::Map(pairs) => first_of_pairs(pairs),
        Value::Attribute { data, attributes } => {
            first_error(data).or_else(|| first_of_pairs(attributes))
        }
        _ => None,
    }
}

fn first_of_pairs(pairs: &[(Value, Value)]) -> Option<&ServerError> {
    let either = |(key, value)| first_error(key).or_else(|| first_error(value));
    pairs
        .iter()
        .map(|(key, value)| (key, value))
        .find_map(either)
}

/// The replies to the commands of a transaction, which are one reply to its end. `None` where it
/// did not happen.
pub(crate) fn of_transaction(replies: &[Value]) -> Option<&[Value]> {
    let mut last = replies.last()?;
    while let Value::Attribute { data, .. } = last {
        last = data;
    }
    match last {
        Value::Array(replies) => Some(replies),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::PushKind;

    fn error(code: &str) -> Value {
        let reply = format!("-{code} and more\r\n");
        redis::parse_redis_value(reply.as_bytes()).unwrap()
    }

    #[test]
    fn errors_are_found_at_any_depth() {
        let pairs = |key, value| vec![(Value::Int(1), Value::Int(2)), (key, value)];
        let attribute = |data: Value, attributes| Value::Attribute {
            data: Box::new(data),
            attributes,
        };
        for reply in [
            error("OOM"),
            Value::Array(vec![Value::Int(1), error("OOM"), error("BUSY")]),
            Value::Set(vec![Value::Nil, error("OOM")]),
            Value::Map(pairs(error("OOM"), error("BUSY"))),
            Value::Map(pairs(Value::Okay, error("OOM"))),
            Value::Push {
                kind: PushKind::Message,
                data: vec![error("OOM")],
            },
            attribute(error("OOM"), pairs(Value::Nil, error("BUSY"))),
            attribute(Value::Okay, pairs(Value::Nil, error("OOM"))),
            Value::Array(vec![Value::Map(pairs(
                Value::Nil,
                Value::Set(vec![attribute(error("OOM"), Vec::new())]),
            ))]),
        ] {
            assert_eq!(
                first_error(&reply).map(ServerError::code),
                Some("OOM"),
                "{reply:?}"
            );
            assert_eq!(
                failed(&[Value::Okay, reply]).map(|failed| failed.count),
                Some(1)
            );
        }
        for reply in [
            Value::Nil,
            Value::SimpleString("OOM".to_owned()),
            Value::Array(vec![Value::Int(1)]),
            Value::Map(pairs(Value::Nil, Value::Nil)),
        ] {
            assert_eq!(first_error(&reply), None);
        }
    }

    #[test]
    fn a_transaction_that_did_not_happen_has_no_replies() {
        let replies = vec![Value::Okay, Value::Nil];
        let happened = Value::Array(replies.clone());
        let within = Value::Attribute {
            data: Box::new(happened.clone()),
            attributes: Vec::new(),
        };
        assert_eq!(of_transaction(&[happened]), Some(replies.as_slice()));
        assert_eq!(of_transaction(&[within]), Some(replies.as_slice()));
        assert_eq!(of_transaction(&[Value::Nil]), None);
        assert_eq!(of_transaction(&[error("ERR")]), None);
        assert_eq!(of_transaction(&[]), None);
    }
}
