//! What the arguments of a command are, in their order, and how the table says that.

/// A word of the commands' language, in capitals, and what comes after it.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: &'static str,
    pub(super) steps: &'static [Step],
}

/// What the next argument is, or the next few. Arguments beyond the last step are values.
#[derive(Debug)]
pub(super) enum Step {
    /// A key, or what names a thing as a key does: a channel, an index.
    Key,
    /// The name of a field of what the key holds.
    Field,
    /// What must not be shown.
    Value,
    /// A number, which [`Step::Counted`] goes by.
    Count,
    /// The SHA-1 digest of a script.
    Digest,
    /// The name of a function.
    Function,
    /// One of these words, or else a value.
    Choice(&'static [&'static str]),
    /// Any of these words, each with what comes after it, in any order, as long as there are such.
    Options(&'static [Word]),
    /// These, again and again, to the end.
    Repeated(&'static [Step]),
    /// These, as many times as the last [`Step::Count`] said.
    Counted(&'static [Step]),
    /// Keys, up to the last argument.
    LeadingKeys,
    /// Keys, in the first half of what is left.
    HalfKeys,
}

/// Words, with what comes after each in parentheses:
///
/// - `key`, `field`, `value`, `count`, `digest`, `function`: one such argument
/// - `keys`, `fields`, `values`, `pairs`, `key_values`: as many such as the last `count` said
/// - `leading_keys`, `half_keys`: keys up to the last argument, or in half of those left
/// - `("A" "B")`: one of these words
/// - `["A" "B"(…)]`: any of these words, each with what comes after it, in any order
/// - `{…}`: these, again and again
///
/// What is not said is a value.
macro_rules! words {
    ($($text:literal $(($($step:tt)*))?)*) => {
        &[$(Word { text: $text, steps: steps!($($($step)*)?) }),*]
    };
}

macro_rules! steps {
    ($($step:tt)*) => { &[$(step!($step)),*] };
}

macro_rules! step {
    (key) => { Step::Key };
    (field) => { Step::Field };
    (value) => { Step::Value };
    (count) => { Step::Count };
    (digest) => { Step::Digest };
    (function) => { Step::Function };
    (keys) => { Step::Counted(&[Step::Key]) };
    (fields) => { Step::Counted(&[Step::Field]) };
    (values) => { Step::Counted(&[Step::Value]) };
    (pairs) => { Step::Counted(&[Step::Field, Step::Value]) };
    (key_values) => { Step::Counted(&[Step::Key, Step::Value]) };
    (leading_keys) => { Step::LeadingKeys };
    (half_keys) => { Step::HalfKeys };
    (($($word:literal)+)) => { Step::Choice(&[$($word),+]) };
    ([$($words:tt)+]) => { Step::Options(words!($($words)+)) };
    ({$($step:tt)+}) => { Step::Repeated(steps!($($step)+)) };
}

pub(super) use {step, steps, words};
