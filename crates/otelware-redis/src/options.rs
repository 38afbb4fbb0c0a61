//! What a client or a connection can be told.

use crate::command::KeyCapture;
use otelware::database::{Hook, Options, View};
use otelware::operation::Signals;
use otelware::propagation::Outbound;
use std::collections::HashSet;
use std::sync::Arc;

/// An operation as hooks and filters see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CommandView<'a> {
    /// What it does: `GET`; `PIPELINE` or `MULTI` for several commands at once, with their name
    /// where that is the same: `PIPELINE SET`.
    pub name: &'a str,
    /// How many commands it has, where those are not one.
    pub batch_size: Option<usize>,
}

impl View for CommandView<'static> {
    type Of<'a> = CommandView<'a>;
}

/// How the operations on a server are observed, for
/// [`instrument_with`](crate::Instrument::instrument_with).
///
/// ```
/// let options = otelware_redis::RedisOptions::new()
///     .without_commands(["PING"])
///     .with_pool_name("sessions");
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a client is given them"]
pub struct RedisOptions {
    pub(crate) shared: Options<CommandView<'static>>,
    pub(crate) keys: KeyCapture,
    pub(crate) connect_spans: bool,
    /// What of the context is written into entries of streams.
    pub(crate) stream_context: Option<Outbound>,
    commands: Commands,
    /// Codes of errors that scripts have.
    pub(crate) error_codes: HashSet<String>,
}

/// Which commands are observed.
#[derive(Clone, Debug)]
enum Commands {
    All,
    But(HashSet<String>),
    Only(HashSet<String>),
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl RedisOptions {
    /// The defaults, and the global providers.
    pub fn new() -> Self {
        Self {
            shared: Options::default(),
            keys: KeyCapture::Shown,
            connect_spans: false,
            stream_context: None,
            commands: Commands::All,
            error_codes: HashSet::new(),
        }
    }

    otelware::__with_database_options!(CommandView<'_>);

    /// Leaves out `db.query.text`, which is otherwise there, with `?` in the place of each value.
    pub fn without_query_text(mut self) -> Self {
        self.shared.query_text = false;
        self
    }

    /// Puts `?` in the place of keys, fields and channels too.
    pub fn without_keys(mut self) -> Self {
        self.keys = KeyCapture::Hidden;
        self
    }

    /// Tells these codes of errors too, such as `OUT_OF_STOCK` of a script that answers
    /// `redis.error_reply("OUT_OF_STOCK there are none left")`. Those of Redis, its modules and Valkey
    /// are known; whatever else an error begins with is `_OTHER`, since it could be anything.
    pub fn with_error_codes<N: Into<String>>(mut self, codes: impl IntoIterator<Item = N>) -> Self {
        self.error_codes.extend(codes.into_iter().map(Into::into));
        self
    }

    /// Gives the opening of a connection a span of its own: `connect`, of kind `INTERNAL`. (What
    /// redis-rs opens by itself has none.)
    pub fn with_connect_spans(mut self) -> Self {
        self.connect_spans = true;
        self
    }

    /// Writes the context of each `XADD`'s span into the entry, in fields of its own (`traceparent` and
    /// others that the propagator has), for those who process it. See [`streams`](crate::streams).
    pub fn with_stream_context(self) -> Self {
        self.with_stream_context_of(Outbound::Everything)
    }

    /// The same, with no more of the context than this.
    pub fn with_stream_context_of(mut self, outbound: Outbound) -> Self {
        self.stream_context = Some(outbound);
        self
    }

    /// Leaves out these commands, in capitals or not, also where they are all that a pipeline has.
    /// It takes the place of [`with_commands_only`](Self::with_commands_only), and goes before the
    /// filter.
    pub fn without_commands<N: AsRef<str>>(
        mut self,
        commands: impl IntoIterator<Item = N>,
    ) -> Self {
        self.commands = Commands::But(capitals(commands));
        self
    }

    /// Leaves out all but these commands, in capitals or not; `PIPELINE` and `MULTI` stand for
    /// those of different commands. It takes the place of
    /// [`without_commands`](Self::without_commands), and goes before the filter.
    pub fn with_commands_only<N: AsRef<str>>(
        mut self,
        commands: impl IntoIterator<Item = N>,
    ) -> Self {
        self.commands = Commands::Only(capitals(commands));
        self
    }

    /// The options with all that decides on an operation in the filter.
    pub(crate) fn settled(mut self) -> Self {
        let commands = std::mem::replace(&mut self.commands, Commands::All);
        if matches!(commands, Commands::All) {
            return self;
        }
        let filter = self.shared.filter.take();
        let both: Hook<CommandView<'static>, Signals> =
            Arc::new(move |view| match (commands.wants(view.name), &filter) {
                (false, _) => Signals::NONE,
                (true, Some(filter)) => filter(view),
                (true, None) => Signals::ALL,
            });
        self.shared.filter = Some(both);
        self
    }
}

impl Commands {
    fn wants(&self, name: &str) -> bool {
        // `PIPELINE SET` is what `SET` is.
        let command = name.rsplit(' ').next().unwrap_or_default();
        match self {
            Self::All => true,
            Self::But(left_out) => !left_out.contains(&command.to_ascii_uppercase()),
            Self::Only(wanted) => wanted.contains(&command.to_ascii_uppercase()),
        }
    }
}

fn capitals<N: AsRef<str>>(commands: impl IntoIterator<Item = N>) -> HashSet<String> {
    let capitals = |command: N| command.as_ref().to_ascii_uppercase();
    commands.into_iter().map(capitals).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_left_out_or_chosen_before_the_filter_is_asked() {
        let options = RedisOptions::new()
            .with_filter(|view: CommandView<'_>| view.batch_size.is_none())
            .without_commands(["ping"])
            .settled();
        let filter = options.shared.filter.unwrap();
        let ask = |filter: &Hook<CommandView<'static>, Signals>, name, batch_size| {
            filter(CommandView { name, batch_size }) == Signals::ALL
        };
        assert!(ask(&filter, "GET", None));
        assert!(!ask(&filter, "GET", Some(2)));
        assert!(!ask(&filter, "PING", None));
        assert!(!ask(&filter, "Ping", None));

        let options = RedisOptions::new().with_commands_only(["GET", "multi"]);
        let filter = options.settled().shared.filter.unwrap();
        for (name, wanted) in [
            ("GET", true),
            ("get", true),
            ("PIPELINE GET", true),
            ("PIPELINE", false),
            ("MULTI", true),
            ("SET", false),
        ] {
            assert_eq!(ask(&filter, name, None), wanted, "{name}");
        }
    }
}
