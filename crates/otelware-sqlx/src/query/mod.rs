//! What a statement tells about itself: `db.query.summary`, and `db.query.text` without literals.
//!
//! One pass over the text, with no parser's idea of what is right SQL: whatever comes in, an
//! answer comes out, in a time proportional to the text's length. Where a piece of text may be a
//! literal it is taken for one, and where quotes do not match, everything from the first of them
//! on is.

mod cache;
mod ctes;
mod keyword;
mod lexer;
mod sanitised;
mod secret;
mod statement;
mod summary;

pub use cache::Cache;

use keyword::Keyword;
use lexer::{Kind, Lexer, Token};
use sanitised::Sanitised;
use secret::{Secrecy, Secrets};
use statement::Statements;
use std::borrow::Cow;

/// The language that a database speaks, as far as quotes, comments and parameters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL: `E''`, `$tag$…$tag$`, nested comments, `"identifiers"`, `$1`.
    PostgreSql,
    /// MySQL and MariaDB: backslash escapes, `"strings"`, `` `identifiers` ``, `#` comments, `?`.
    MySql,
    /// SQLite: `[identifiers]`, `` `identifiers` ``, `"identifiers"` that may be strings, `?1`,
    /// `:name`, `@name`, `$name`.
    Sqlite,
}

/// What [`analyse`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis<'a> {
    /// The value of `db.query.summary`: operations and their targets in the order of the text, at
    /// most 255 characters. `None` where no operation was recognised.
    pub summary: Option<String>,
    /// The value of `db.query.text`: `?` for each literal, no comments, at most 32 KiB, cut
    /// between tokens, and never longer than the text. Borrowed where nothing had to be changed.
    pub text: Cow<'a, str>,
}

/// Finds the summary of a text and the text without its literals.
///
/// The text may hold several statements, and need not be right.
pub fn analyse(text: &str, dialect: Dialect) -> Analysis<'_> {
    let mut sanitised = Sanitised::new(text);
    let (summary, doubt) = read(text, dialect, Some(&mut sanitised));
    Analysis {
        summary,
        text: sanitised.finish(doubt),
    }
}

/// Finds the summary only, the same that [`analyse`] finds.
///
/// For texts that need not be sanitised, such as those with bound parameters.
pub fn summarise(text: &str, dialect: Dialect) -> Option<String> {
    read(text, dialect, None).0
}

/// The beginning of a text that need not be sanitised: at most 32 KiB of it.
pub fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(sanitised::LONGEST);
    text.get(..end).unwrap_or(text)
}

/// What becomes of a token in the sanitised text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Masked,
    LeftOut,
    /// Left out, as a comment.
    Comment,
}

/// Reads the text; gives the summary and, where the quotes are in doubt, how much of the
/// sanitised text is not.
fn read<'a>(
    text: &'a str,
    dialect: Dialect,
    mut sanitised: Option<&mut Sanitised<'a>>,
) -> (Option<String>, Option<usize>) {
    let mut lexer = Lexer::new(text, dialect);
    let mut reader = Reader {
        dialect,
        statements: Statements::new(dialect),
        secrets: Secrets::new(dialect),
        after_dot: false,
        text_end: None,
        in_doubt: false,
    };
    // How long the sanitised text and the summary were before the first quote.
    let mut certain = None;
    // How long the text was after the last mask.
    let mut masked = 0;
    while let Some(token) = lexer.next() {
        let (start, end) = (token.start, token.end);
        let is_first_quote = token.kind.is_quoted() && certain.is_none();
        if is_first_quote {
            let text = sanitised.as_ref().map_or(0, |text| text.len(start));
            certain = Some((text, reader.statements.summary.len()));
        }
        let fate = match token.kind {
            Kind::Space if !reader.secrets.hides_space() => Fate::Kept,
            _ => reader.token(&lexer, token),
        };
        if is_first_quote && fate == Fate::LeftOut {
            certain = certain.map(|(_, summary)| (masked, summary));
        }
        let Some(sanitised) = &mut sanitised else {
            continue;
        };
        match fate {
            Fate::Kept => sanitised.keep(start, end),
            Fate::Masked => {
                sanitised.mask(start, end);
                masked = sanitised.len(end);
            }
            Fate::Comment => sanitised.leave_out_comment(start, end),
            Fate::LeftOut => sanitised.leave_out(start, end),
        }
    }
    let doubt = certain.filter(|_| reader.in_doubt || lexer.is_in_doubt());
    let mut summary = reader.statements.summary;
    if let Some((_, len)) = doubt {
        summary.truncate(len);
    }
    (summary.finish(), doubt.map(|(len, _)| len))
}

/// Decides on tokens.
struct Reader<'a> {
    dialect: Dialect,
    statements: Statements<'a>,
    secrets: Secrets,
    after_dot: bool,
    /// The end of the literal before, if that was one in quotes.
    text_end: Option<usize>,
    /// Whether a literal may be more than what its quotes surround.
    in_doubt: bool,
}

impl<'a> Reader<'a> {
    fn token(&mut self, lexer: &Lexer<'a>, token: Token) -> Fate {
        match token.kind {
            Kind::Space | Kind::Comment if self.secrets.hides_space() => return Fate::LeftOut,
            Kind::Executable => return Fate::Kept,
            Kind::Comment if !self.becomes_comment(lexer, token) => return Fate::Comment,
            _ => {}
        }
        let after_dot = std::mem::replace(&mut self.after_dot, token.kind == Kind::Dot);
        let text_end = self.text_end.take();
        let (mut kind, mut keyword) = (token.kind, token.keyword);
        let text = match kind {
            Kind::Word | Kind::Name | Kind::NameOrText => lexer.text(token),
            _ => "",
        };
        if kind == Kind::Semicolon || self.secrets.may_come() {
            let is_name = after_dot || self.statements.expects_target();
            match self.secrets.token(kind, keyword, text, is_name) {
                Secrecy::Open => {}
                Secrecy::Masked => {
                    self.statements.token(Kind::Text, Keyword::None, text);
                    return Fate::Masked;
                }
                Secrecy::LeftOut => return Fate::LeftOut,
            }
        }
        match kind {
            // The place tells that it is a name, not that it is a keyword.
            Kind::Word if after_dot => keyword = Keyword::None,
            Kind::Word if keyword == Keyword::Boolean => kind = Kind::Text,
            Kind::NameOrText if self.is_name(lexer, token, after_dot) => kind = Kind::Name,
            Kind::NameOrText | Kind::Comment => kind = Kind::Text,
            _ => {}
        }
        self.statements.token(kind, keyword, text);
        match kind {
            Kind::Text => {
                self.text_end = Some(token.end);
                Fate::Masked
            }
            Kind::Number | Kind::Word
                if text_end == Some(token.start) && keyword == Keyword::None =>
            {
                // `'O'Brien'`: a literal, it seems, that has a quote in it.
                self.in_doubt = true;
                Fate::Masked
            }
            Kind::Number => Fate::Masked,
            _ => Fate::Kept,
        }
    }

    /// Whether two dashes would be the beginning of a comment without the comment that follows
    /// them. In MySQL they are two signs if no space follows.
    fn becomes_comment(&self, lexer: &Lexer<'a>, comment: Token) -> bool {
        self.dialect == Dialect::MySql
            && comment.start >= 2
            && lexer.byte(comment.start - 1) == b'-'
            && lexer.byte(comment.start - 2) == b'-'
    }

    /// Whether a double-quoted text of SQLite is a name for sure.
    fn is_name(&self, lexer: &Lexer<'a>, token: Token, after_dot: bool) -> bool {
        let before_dot =
            lexer.byte(token.end) == b'.' && !lexer.byte(token.end + 1).is_ascii_digit();
        after_dot || before_dot || self.statements.expects_name()
    }
}
