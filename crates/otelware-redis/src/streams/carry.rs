//! Commands with the context of their span in the entries that they add.

use super::entry::{ContextFields, adds, with_context};
use crate::call::Call;
use crate::command;
use crate::core::Session;
use otelware::operation::Operation;
use otelware::propagation;
use redis::{Arg, Cmd};

/// The fields of the operation's context, where entries are to have them and `adds` says that there
/// is one.
#[inline]
fn context_fields(
    session: &Session,
    operation: &Operation<Call>,
    adds: impl FnOnce() -> bool,
) -> Option<ContextFields> {
    let options = session.core.options();
    let outbound = options.stream_context.as_ref()?;
    adds().then(|| {
        options.shared.providers.with_propagator(|propagator| {
            let mut fields = ContextFields::default();
            propagation::inject(propagator, operation.context(), &mut fields, outbound);
            fields
        })
    })
}

/// The command with the context in its entry; `None` where it goes out as it is.
#[inline]
pub(crate) fn command(session: &Session, operation: &Operation<Call>, cmd: &Cmd) -> Option<Cmd> {
    let context = context_fields(session, operation, || adds(command::arguments(cmd)))?;
    rewritten(cmd, &context)
}

fn rewritten(cmd: &Cmd, context: &ContextFields) -> Option<Cmd> {
    let simple = |argument| match argument {
        Arg::Simple(bytes) => Some(bytes),
        // A place for a cursor has no meaning in it.
        _ => None,
    };
    let arguments: Option<Vec<&[u8]>> = cmd.args_iter().map(simple).collect();
    let all = with_context(&arguments?, context)?;
    let size = all.iter().map(|argument| argument.len()).sum();
    let mut carrying = Cmd::with_capacity(all.len(), size);
    for argument in all {
        carrying.arg(argument);
    }
    carrying.set_no_response(cmd.is_no_response());
    Some(carrying)
}

/// The same for a pipeline. What is ignored of the replies is known to the one that was given.
#[cfg(feature = "aio")]
#[inline]
pub(crate) fn pipeline(
    session: &Session,
    operation: &Operation<Call>,
    pipeline: &redis::Pipeline,
) -> Option<redis::Pipeline> {
    let context = context_fields(session, operation, || {
        pipeline.cmd_iter().any(|cmd| adds(command::arguments(cmd)))
    })?;
    let mut carrying = redis::Pipeline::with_capacity(pipeline.len());
    if pipeline.is_transaction() {
        carrying.atomic();
    }
    for cmd in pipeline.cmd_iter() {
        carrying.add_command(rewritten(cmd, &context).unwrap_or_else(|| cmd.clone()));
    }
    Some(carrying)
}

/// The same for commands as they are sent.
#[inline]
pub(crate) fn packed(
    session: &Session,
    operation: &Operation<Call>,
    commands: &[u8],
) -> Option<Vec<u8>> {
    let context = context_fields(session, operation, || command::decode(commands).any(adds))?;
    repacked(commands, &context)
}

fn repacked(commands: &[u8], context: &ContextFields) -> Option<Vec<u8>> {
    let (mut carrying, mut read) = (Vec::with_capacity(commands.len() + 256), 0);
    for arguments in command::decode(commands) {
        let arguments: Vec<&[u8]> = arguments.collect();
        let start = carrying.len();
        pack(&arguments, &mut carrying);
        read += carrying.len() - start;
        if let Some(all) = with_context(&arguments, context) {
            carrying.truncate(start);
            pack(&all, &mut carrying);
        }
    }
    // Not where some of it was not understood.
    (read == commands.len()).then_some(carrying)
}

/// Writes a command as it is sent.
fn pack(arguments: &[&[u8]], packed: &mut Vec<u8>) {
    let mut count = |mark: u8, count: usize| {
        packed.push(mark);
        packed.extend_from_slice(count.to_string().as_bytes());
        packed.extend_from_slice(b"\r\n");
    };
    count(b'*', arguments.len());
    for argument in arguments {
        let mark = format!("${}\r\n", argument.len());
        packed.extend_from_slice(mark.as_bytes());
        packed.extend_from_slice(argument);
        packed.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otelware::opentelemetry::propagation::Injector;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn context() -> ContextFields {
        let mut context = ContextFields::default();
        context.set("traceparent", "00-…".to_owned());
        context
    }

    fn packed(arguments: &[&str]) -> Vec<u8> {
        let mut cmd = Cmd::new();
        cmd.arg(arguments);
        cmd.get_packed_command()
    }

    #[test]
    fn commands_are_packed_as_redis_rs_packs_them() {
        let commands = [
            packed(&["MULTI"]),
            packed(&["XADD", "k", "*", "a", "ü"]),
            packed(&["SET", "k", ""]),
            packed(&["EXEC"]),
        ];
        let expected = [
            packed(&["MULTI"]),
            packed(&["XADD", "k", "*", "a", "ü", "traceparent", "00-…"]),
            packed(&["SET", "k", ""]),
            packed(&["EXEC"]),
        ];
        assert_eq!(
            repacked(&commands.concat(), &context()),
            Some(expected.concat())
        );
        let cut_off = [&commands.concat()[..], b"*1\r\n"].concat();
        assert_eq!(repacked(&cut_off, &context()), None);
    }

    #[test]
    fn a_command_keeps_what_else_it_has() {
        let mut cmd = redis::cmd("XADD");
        cmd.arg("k").arg("*").arg(&[("a", 1)]).set_no_response(true);
        let carrying = rewritten(&cmd, &context()).unwrap();
        assert!(carrying.is_no_response());
        let expected = packed(&["XADD", "k", "*", "a", "1", "traceparent", "00-…"]);
        assert_eq!(carrying.get_packed_command(), expected);
        let mut cmd = redis::cmd("XADD");
        cmd.arg("k").cursor_arg(0).arg("a").arg(1);
        assert!(rewritten(&cmd, &context()).is_none());
    }

    proptest! {
        /// Whatever the arguments are, those of the entry are there, the context follows, and both
        /// ways of sending agree.
        #[test]
        fn nothing_but_the_context_is_added(
            key in vec(any::<u8>(), 0..9),
            fields in vec((vec(any::<u8>(), 0..9), vec(any::<u8>(), 0..40)), 1..9),
            others in vec(vec(any::<u8>(), 0..9), 0..9),
        ) {
            let mut cmd = redis::cmd("XADD");
            cmd.arg(&key).arg("*");
            for (name, value) in &fields {
                cmd.arg(name).arg(value);
            }
            let mut expected = cmd.clone();
            expected.arg("traceparent").arg("00-…");
            let expected = expected.get_packed_command();
            let carrying = rewritten(&cmd, &context()).unwrap();
            prop_assert_eq!(&carrying.get_packed_command(), &expected);

            let mut other = redis::cmd("RPUSH");
            other.arg(&others);
            let (before, after) = (other.get_packed_command(), cmd.get_packed_command());
            let both = [before.as_slice(), &after].concat();
            let found = repacked(&both, &context()).unwrap();
            prop_assert_eq!(found, [before, expected].concat());
        }
    }
}
