//! The arguments of a command, taken as the table says.

use super::procedure::{digest, function};
use super::shape::{Step, Word};
use super::writer::Writer;

/// Writes the arguments of a command with these steps.
#[inline]
pub(super) fn write<'a>(
    mut arguments: impl ExactSizeIterator<Item = &'a [u8]>,
    mut steps: &[Step],
    writer: &mut Writer<'_>,
) {
    // What most commands begin with, and many have no more than, takes no look ahead. Values with
    // nothing after them are not looked at either.
    loop {
        match steps {
            [Step::Key | Step::Field, others @ ..] => {
                let Some(argument) = arguments.next() else {
                    return;
                };
                writer.key(argument);
                steps = others;
            }
            [Step::Value, others @ ..] if arguments.len() > 1 => {
                arguments.next();
                writer.value();
                steps = others;
            }
            [] | [Step::Value, ..] => return writer.values(arguments.len()),
            _ => break,
        }
    }
    if arguments.len() > 0 {
        let mut reader = Reader::new(arguments);
        reader.run(steps, writer);
        writer.values(reader.left());
    }
}

struct Reader<'a, I> {
    next: Option<&'a [u8]>,
    others: I,
    /// What the last [`Step::Count`] was.
    count: usize,
}

impl<'a, I: ExactSizeIterator<Item = &'a [u8]>> Reader<'a, I> {
    fn new(mut arguments: I) -> Self {
        Self {
            next: arguments.next(),
            others: arguments,
            count: 0,
        }
    }

    /// Writes what these steps say.
    fn run(&mut self, steps: &[Step], writer: &mut Writer<'_>) {
        for step in steps {
            if writer.is_cut() {
                return;
            }
            let Some(next) = self.next else {
                return;
            };
            match step {
                Step::Options(words) => self.options(words, writer),
                Step::Repeated(steps) => {
                    // A wrong number, of steps of one argument each: which is which is not known.
                    if self.left().is_multiple_of(steps.len()) {
                        self.repeat(steps, usize::MAX, writer);
                    }
                }
                Step::Counted(steps) => {
                    // A wrong number: which arguments it is about is not known.
                    let is_enough = self
                        .count
                        .checked_mul(steps.len())
                        .is_some_and(|wanted| wanted <= self.left());
                    if is_enough {
                        self.repeat(steps, self.count, writer);
                    }
                }
                Step::LeadingKeys => {
                    self.repeat(&[Step::Key], self.left().saturating_sub(1), writer);
                }
                Step::HalfKeys => self.repeat(&[Step::Key], self.left() / 2, writer),
                _ => {
                    self.take();
                    self.one(step, next, writer);
                }
            }
        }
    }

    /// Writes an argument that is there.
    fn one(&mut self, step: &Step, argument: &'a [u8], writer: &mut Writer<'_>) {
        let shown = match step {
            Step::Key | Step::Field => return writer.key(argument),
            Step::Count => {
                let number = number(argument);
                self.count = number.and_then(|digits| digits.parse().ok()).unwrap_or(0);
                number
            }
            Step::Digest => digest(argument),
            Step::Function => function(argument),
            Step::Choice(words) => words
                .iter()
                .any(|word| argument.eq_ignore_ascii_case(word.as_bytes()))
                .then(|| std::str::from_utf8(argument).ok())
                .flatten(),
            _ => None,
        };
        match shown {
            Some(word) => writer.word(word),
            None => writer.value(),
        }
    }

    fn options(&mut self, words: &[Word], writer: &mut Writer<'_>) {
        while let Some(next) = self.next {
            let same = |word: &&Word| next.eq_ignore_ascii_case(word.text.as_bytes());
            let Some(word) = words.iter().find(same) else {
                return;
            };
            if writer.is_cut() {
                return;
            }
            self.take();
            writer.word(std::str::from_utf8(next).unwrap_or(word.text));
            self.run(word.steps, writer);
        }
    }

    /// Each time takes at least one argument: no step that is repeated is optional.
    fn repeat(&mut self, steps: &[Step], times: usize, writer: &mut Writer<'_>) {
        for _ in 0..times {
            if self.next.is_none() || writer.is_cut() {
                return;
            }
            self.run(steps, writer);
        }
    }

    fn take(&mut self) -> Option<&'a [u8]> {
        std::mem::replace(&mut self.next, self.others.next())
    }

    /// How many arguments are left.
    fn left(&self) -> usize {
        self.others.len() + usize::from(self.next.is_some())
    }
}

/// The argument, if it is a number of things.
fn number(argument: &[u8]) -> Option<&str> {
    let is_one = (1..=9).contains(&argument.len()) && argument.iter().all(u8::is_ascii_digit);
    is_one.then(|| std::str::from_utf8(argument).ok()).flatten()
}
