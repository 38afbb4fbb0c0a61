//! Secrets that are no literals, or not for sure: passwords and the values of settings.

use super::Dialect;
use super::keyword::Keyword;
use super::lexer::Kind;

/// Which words announce a secret in the present statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// None: a statement about data, in which `password` is a column.
    Data,
    /// `IDENTIFIED BY`.
    Grant,
    /// `PASSWORD` and `IDENTIFIED BY`: accounts, and statements that are not known.
    Account,
    /// `SET`: what is set may be a password.
    Set,
    /// `PRAGMA`: what is set may be a key.
    Pragma,
    /// `ATTACH`: a key may follow.
    Attach,
    /// `COPY`: data may follow the statement.
    Copy,
}

/// How far what follows is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    /// It is not.
    Not,
    /// From the next token on, up to the end of the statement.
    Next,
    /// Up to the end of the statement.
    On,
    /// From the next statement on, up to the end of the text.
    AfterStatement,
    /// Up to the end of the text.
    Always,
}

/// What is to be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// It is no secret.
    Open,
    /// It is one.
    Masked,
    /// It is part of one that has been masked already.
    LeftOut,
}

/// Watches for secrets.
#[derive(Debug)]
pub(super) struct Secrets {
    dialect: Dialect,
    guard: Guard,
    hidden: Hidden,
    /// Whether the statement, or what is hidden after it, has begun.
    begun: bool,
    /// Whether the account is being `IDENTIFIED`, or the thing that is set is secret.
    announced: bool,
    /// Whether the words to come are the value of a setting of PostgreSQL, in which they are
    /// strings without quotes.
    in_value: bool,
    alters: bool,
}

impl Secrets {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            guard: Guard::Account,
            hidden: Hidden::Not,
            begun: false,
            announced: false,
            in_value: false,
            alters: false,
        }
    }

    /// Whether there may be a secret before the statement ends.
    #[inline]
    pub(super) fn may_come(&self) -> bool {
        self.guard != Guard::Data || self.hidden != Hidden::Not
    }

    /// What is to be done with a token that is neither space nor comment; `is_name` tells that
    /// the place it stands at makes a word a name.
    pub(super) fn token(
        &mut self,
        kind: Kind,
        keyword: Keyword,
        text: &str,
        is_name: bool,
    ) -> Secrecy {
        if self.hidden != Hidden::Not {
            return self.hidden(kind);
        }
        if kind == Kind::Semicolon {
            self.end_statement();
            return Secrecy::Open;
        }
        match kind {
            // A literal.
            Kind::Word if !self.begun && keyword == Keyword::Boolean => {}
            Kind::Word if !self.begun => self.begin(keyword),
            Kind::Word if !is_name => return self.word(keyword, text),
            Kind::Word | Kind::Name | Kind::NameOrText => self.name(text),
            Kind::Equals if matches!(self.guard, Guard::Set | Guard::Pragma) => self.value(),
            Kind::Open if self.guard == Guard::Pragma => self.value(),
            _ => {}
        }
        if self.in_value && matches!(kind, Kind::Word | Kind::Name) {
            return Secrecy::Masked;
        }
        Secrecy::Open
    }

    /// A token that is hidden, or that comes before what is.
    fn hidden(&mut self, kind: Kind) -> Secrecy {
        match (self.hidden, kind) {
            (Hidden::AfterStatement, Kind::Semicolon) => {
                self.hidden = Hidden::Always;
                self.begun = false;
                Secrecy::Open
            }
            (Hidden::Next | Hidden::On, Kind::Semicolon) => {
                self.end_statement();
                Secrecy::Open
            }
            (Hidden::Not | Hidden::AfterStatement, _) => Secrecy::Open,
            (Hidden::Next, _) => {
                self.hidden = Hidden::On;
                Secrecy::Masked
            }
            (Hidden::Always, _) if !self.begun => {
                self.begun = true;
                Secrecy::Masked
            }
            (Hidden::On | Hidden::Always, _) => Secrecy::LeftOut,
        }
    }

    /// Whether white space is left out, as a part of a secret.
    pub(super) fn hides_space(&self) -> bool {
        match self.hidden {
            Hidden::On => true,
            Hidden::Always => self.begun,
            _ => false,
        }
    }

    fn end_statement(&mut self) {
        *self = Self::new(self.dialect);
    }

    fn begin(&mut self, keyword: Keyword) {
        self.begun = true;
        self.guard = match keyword {
            Keyword::Alter => {
                self.alters = true;
                Guard::Account
            }
            Keyword::Grant => Guard::Grant,
            Keyword::Set => Guard::Set,
            Keyword::Pragma => Guard::Pragma,
            Keyword::Attach => Guard::Attach,
            Keyword::Copy => Guard::Copy,
            Keyword::Select
            | Keyword::With
            | Keyword::Insert
            | Keyword::Update
            | Keyword::Delete
            | Keyword::Merge
            | Keyword::Values
            | Keyword::Table
            | Keyword::Drop
            | Keyword::Maintain
            | Keyword::Analyze
            | Keyword::One
            | Keyword::Deallocate
            | Keyword::Explain
            | Keyword::Prepare
            | Keyword::Load
            | Keyword::Begin
            | Keyword::Transact
            | Keyword::Savepoint
            | Keyword::Bare => Guard::Data,
            _ => Guard::Account,
        };
    }

    fn word(&mut self, keyword: Keyword, text: &str) -> Secrecy {
        if self.in_value && !matches!(keyword, Keyword::On | Keyword::Off | Keyword::Default) {
            return Secrecy::Masked;
        }
        match (self.guard, keyword) {
            (
                Guard::Account,
                Keyword::Table
                | Keyword::View
                | Keyword::Materialized
                | Keyword::Index
                | Keyword::Routine
                | Keyword::Object,
            ) => self.guard = Guard::Data,
            (Guard::Account, Keyword::Password) | (Guard::Attach, Keyword::Key) => {
                self.hidden = Hidden::Next;
            }
            (Guard::Account | Guard::Grant, Keyword::Identified) => self.announced = true,
            (Guard::Account | Guard::Grant, Keyword::By | Keyword::As | Keyword::Using)
                if self.announced =>
            {
                self.hidden = Hidden::Next;
            }
            (Guard::Account, Keyword::Set) if self.alters => self.guard = Guard::Set,
            (Guard::Set, Keyword::To) => self.value(),
            (Guard::Copy, Keyword::Stdin) => self.hidden = Hidden::AfterStatement,
            _ => self.name(text),
        }
        Secrecy::Open
    }

    /// The name of what is set.
    fn name(&mut self, name: &str) {
        self.announced |= match self.guard {
            Guard::Set => contains_password(name),
            Guard::Pragma => is_key(name),
            _ => false,
        };
    }

    /// What comes now is the value of what is set.
    fn value(&mut self) {
        if self.announced {
            self.hidden = Hidden::Next;
        } else if self.guard == Guard::Set {
            self.in_value = self.dialect == Dialect::PostgreSql;
        }
    }
}

fn contains_password(name: &str) -> bool {
    let password = b"password";
    name.as_bytes()
        .windows(password.len())
        .any(|part| part.eq_ignore_ascii_case(password))
}

/// Whether this is one of the pragmas with which SQLite's encrypted relatives take their keys.
fn is_key(pragma: &str) -> bool {
    ["key", "rekey", "hexkey", "hexrekey", "textkey", "textrekey"]
        .iter()
        .any(|key| pragma.eq_ignore_ascii_case(key))
}
