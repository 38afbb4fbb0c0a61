//! What a handler is to do.

use tonic::Code;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

const KEY: &str = "x-script";

/// What the handler of a call does. It comes in the metadata of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Answers when it has all requests.
    ///
    /// A unary method answers with the request, a method of many requests and one response with
    /// their number, a method of one request and many responses with as many as the request's
    /// number, and one of many of both with each request.
    Answer,
    /// Answers without having read its stream of requests; a stream of responses is empty then.
    AnswerAtOnce,
    /// Answers, with what the current context carries to another service, a line for each entry
    /// (`name: value`): in the handler, in a task that it spawns (`spawned name: value`), and, from
    /// the second response of a stream on, where the stream is polled. It makes a span in each of
    /// these places.
    Context,
    /// Ends with a code.
    Fail(Moment, Code),
    /// Goes no further.
    Hang(Moment),
    /// Panics.
    Panic(Moment),
}

/// When a handler does something else than to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Instead of an answer.
    Instead,
    /// In a stream of responses, before the first: the head of the response is sent.
    Head,
    /// After the first response of a stream; where there is one response only, after the first of
    /// many requests.
    First,
}

impl Moment {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Instead, "instead"),
        (Self::Head, "head"),
        (Self::First, "first"),
    ];
}

impl Script {
    /// The script of a request; of one that has none, [`Script::Answer`].
    ///
    /// # Panics
    ///
    /// If it is none that [`Script::write`] has written.
    pub fn read(metadata: &MetadataMap) -> Self {
        let Some(text) = metadata.get(KEY) else {
            return Self::Answer;
        };
        let text = text.to_str().unwrap();
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let verb = word();
        let moment = word();
        let code = word();
        let moment = || {
            let known = Moment::ALL.iter().find(|(_, name)| *name == moment);
            known.unwrap().0
        };
        match verb {
            "answer" => Self::Answer,
            "answer-at-once" => Self::AnswerAtOnce,
            "context" => Self::Context,
            "fail" => Self::Fail(moment(), Code::from_bytes(code.as_bytes())),
            "hang" => Self::Hang(moment()),
            "panic" => Self::Panic(moment()),
            _ => panic!("{text:?} is no script"),
        }
    }

    /// Puts the script into the metadata of a request.
    pub fn write(self, metadata: &mut MetadataMap) {
        let name = |moment| {
            let known = Moment::ALL.iter().find(|(other, _)| *other == moment);
            known.unwrap().1
        };
        let text = match self {
            Self::Answer => "answer".to_owned(),
            Self::AnswerAtOnce => "answer-at-once".to_owned(),
            Self::Context => "context".to_owned(),
            Self::Fail(moment, code) => format!("fail {} {}", name(moment), code as i32),
            Self::Hang(moment) => format!("hang {}", name(moment)),
            Self::Panic(moment) => format!("panic {}", name(moment)),
        };
        let value: MetadataValue<Ascii> = text.parse().unwrap();
        metadata.insert(KEY, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_read_as_it_was_written() {
        for script in [
            Script::Answer,
            Script::AnswerAtOnce,
            Script::Context,
            Script::Fail(Moment::Instead, Code::Cancelled),
            Script::Fail(Moment::First, Code::Unauthenticated),
            Script::Hang(Moment::Head),
            Script::Panic(Moment::First),
        ] {
            let mut metadata = MetadataMap::new();
            script.write(&mut metadata);
            assert_eq!(Script::read(&metadata), script);
        }
        assert_eq!(Script::read(&MetadataMap::new()), Script::Answer);
    }
}
