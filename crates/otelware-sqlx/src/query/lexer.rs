//! The tokens of SQL, in three dialects.

use super::Dialect;
use super::keyword::Keyword;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// The beginning or end of a comment that MySQL executes. What is between is SQL.
    Executable,
    Word,
    /// A quoted identifier.
    Name,
    /// A double-quoted text of SQLite: an identifier where there is one of that name, else a
    /// string.
    NameOrText,
    /// A quoted literal.
    Text,
    Number,
    /// `?`, `$1`, `:a`, `@a`: as the dialect has them.
    Parameter,
    Open,
    Close,
    Comma,
    Dot,
    Semicolon,
    Equals,
    Other,
}

impl Kind {
    /// Whether quotes of any sort surround it.
    pub(super) fn is_quoted(self) -> bool {
        matches!(self, Self::Name | Self::NameOrText | Self::Text)
    }
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// What a word means.
    pub(super) keyword: Keyword,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a backslash does inside quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Always,
    /// It escapes what follows, unless the server is set otherwise.
    BySetting,
}

/// Cuts a text into tokens. The tokens cover the text without gaps, and each byte is looked at a
/// bounded number of times.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    at: usize,
    last: Kind,
    /// What the present token means, if it is a word.
    keyword: Keyword,
    /// Whether the last thing was an `E''` string of PostgreSQL: a string that continues it on
    /// the next line has its escapes, too.
    escapes: bool,
    /// The same, before the present token.
    escapes_before: bool,
    /// Whether this is inside an executable comment.
    executable: bool,
    /// Whether a backslash stood before a quote where the settings of the server decide what
    /// that means.
    escape_in_doubt: bool,
    in_doubt: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            dialect,
            at: 0,
            last: Kind::Space,
            keyword: Keyword::None,
            escapes: false,
            escapes_before: false,
            executable: false,
            escape_in_doubt: false,
            in_doubt: false,
        }
    }

    /// Whether the quotes may be other than they were read, now that the text is at its end: it
    /// ended inside something quoted or a comment, or a comment may be none.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt || self.executable
    }

    /// The text of a token.
    pub(super) fn text(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The byte at a position, or 0 beyond the end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn is_my_sql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    fn is_postgre_sql(&self) -> bool {
        self.dialect == Dialect::PostgreSql
    }

    fn is_sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    /// The end of the word that begins, or goes on, at `at`.
    #[inline]
    fn word_end(&self, at: usize) -> usize {
        self.end_of(at, is_word)
    }

    /// The end of what begins, or goes on, at `at`, and of which all bytes are such.
    #[inline]
    fn end_of(&self, at: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| is(**byte)).count()
    }

    /// The position after the first `needle` at or after `at`, or the end.
    fn after(&self, needle: &[u8], at: usize) -> Option<usize> {
        let first = *needle.first()?;
        let mut at = at;
        loop {
            let rest = self.bytes.get(at..)?;
            at += rest.iter().position(|byte| *byte == first)?;
            // No needle has its first byte in it again, other than at its end, so that what was
            // compared is not compared again.
            if self.bytes.get(at..)?.starts_with(needle) {
                return Some(at + needle.len());
            }
            at += 1;
        }
    }

    /// What is quoted by `quote`, the first of which is at `open`. What has no end is masked,
    /// whatever `kind` it would be.
    fn quoted(&mut self, kind: Kind, open: usize, quote: u8, escapes: Escapes) -> (Kind, usize) {
        let mut at = open + 1;
        loop {
            let byte = self.byte(at);
            if at >= self.bytes.len() {
                return self.unclosed();
            } else if byte == b'\\' && escapes != Escapes::None {
                self.escape_in_doubt |= escapes == Escapes::BySetting && self.byte(at + 1) == quote;
                at += 2;
            } else if byte != quote {
                at += 1;
            } else {
                self.escape_in_doubt |=
                    escapes == Escapes::None && quote == b'\'' && self.byte(at - 1) == b'\\';
                at += 1;
                if self.byte(at) != quote {
                    return self.closed(kind, open, at);
                }
                at += 1;
            }
        }
    }

    /// What is quoted is so from `open` to `end`. Where the server skips an executable comment,
    /// that ends at the first `*/`, be it inside quotes or not.
    fn closed(&mut self, kind: Kind, open: usize, end: usize) -> (Kind, usize) {
        if self.executable {
            let inside = self.bytes.get(open..end).unwrap_or_default();
            self.in_doubt |= inside.windows(2).any(|pair| pair == b"*/");
        }
        (kind, end)
    }

    /// What is quoted has no end.
    fn unclosed(&mut self) -> (Kind, usize) {
        self.in_doubt = true;
        (Kind::Text, self.bytes.len())
    }

    /// The end of a number. Letters that follow belong to it, as in `0xFF`, `1e3` and `1st`.
    fn number(&self, start: usize) -> usize {
        let is_hex = self.byte(start) == b'0' && matches!(self.byte(start + 1), b'x' | b'X');
        let mut at = start;
        while at < self.bytes.len() {
            match self.byte(at) {
                b'$' => break,
                b'.' => {}
                b'+' | b'-' => {
                    let exponent = at > start && matches!(self.byte(at - 1), b'e' | b'E');
                    if is_hex || !exponent || !self.byte(at + 1).is_ascii_digit() {
                        break;
                    }
                }
                byte if is_word(byte) => {}
                _ => break,
            }
            at += 1;
        }
        at
    }

    fn starts_number(&self, at: usize) -> bool {
        match self.byte(at) {
            b'.' => self.byte(at + 1).is_ascii_digit(),
            byte => byte.is_ascii_digit(),
        }
    }

    /// A sign: part of the number that follows, unless it follows an operand itself.
    fn sign(&self, start: usize) -> (Kind, usize) {
        let after_operand = matches!(
            self.last,
            Kind::Word | Kind::Name | Kind::NameOrText | Kind::Parameter | Kind::Close
        ) || (start > 0 && self.byte(start - 1) == b']');
        if self.starts_number(start + 1) && !after_operand {
            (Kind::Number, self.number(start + 1))
        } else {
            (Kind::Other, start + 1)
        }
    }

    fn word(&mut self, start: usize) -> (Kind, usize) {
        let end = self.word_end(start);
        let quote = self.byte(end);
        if end - start == 1 && matches!(quote, b'\'' | b'&') {
            let prefix = self.byte(start).to_ascii_lowercase();
            match (self.dialect, prefix, quote) {
                (Dialect::PostgreSql, b'e', b'\'') => return self.escape_string(end),
                (Dialect::PostgreSql, b'u', b'&') => match self.byte(end + 1) {
                    b'\'' => return self.string(end + 1, b'\''),
                    b'"' => return self.name(end + 1, b'"'),
                    _ => {}
                },
                (Dialect::PostgreSql | Dialect::MySql, b'b' | b'x' | b'n', b'\'')
                | (Dialect::Sqlite, b'x', b'\'') => return self.string(end, b'\''),
                _ => {}
            }
        }
        self.keyword = Keyword::of(self.bytes.get(start..end).unwrap_or_default());
        (Kind::Word, end)
    }

    fn string(&mut self, open: usize, quote: u8) -> (Kind, usize) {
        let escapes = if self.is_my_sql() {
            Escapes::BySetting
        } else {
            Escapes::None
        };
        self.quoted(Kind::Text, open, quote, escapes)
    }

    /// An `E''` string of PostgreSQL, or one that continues it.
    fn escape_string(&mut self, open: usize) -> (Kind, usize) {
        self.escapes = true;
        self.quoted(Kind::Text, open, b'\'', Escapes::Always)
    }

    fn name(&mut self, open: usize, quote: u8) -> (Kind, usize) {
        self.quoted(Kind::Name, open, quote, Escapes::None)
    }

    /// `[name]` of SQLite.
    fn bracket(&mut self, start: usize) -> (Kind, usize) {
        match self.after(b"]", start) {
            Some(end) => (Kind::Name, end),
            None => self.unclosed(),
        }
    }

    /// `$1`, `$name`, `$tag$ … $tag$`.
    fn dollar(&mut self, start: usize) -> (Kind, usize) {
        if self.is_sqlite() {
            return self.parameter(start);
        }
        if self.byte(start + 1).is_ascii_digit() {
            if self.is_my_sql() {
                return (Kind::Other, start + 1);
            }
            let end = self.end_of(start + 1, |byte| byte.is_ascii_digit());
            return (Kind::Parameter, end);
        }
        let tag_end = self.end_of(start + 1, |byte| is_word(byte) && byte != b'$');
        if self.byte(tag_end) == b'$' {
            let tag = self.bytes.get(start..=tag_end).unwrap_or_default();
            return match self.after(tag, tag_end + 1) {
                Some(end) => self.closed(Kind::Text, start, end),
                None => self.unclosed(),
            };
        }
        if tag_end == start + 1 {
            return (Kind::Other, tag_end);
        }
        (Kind::Word, tag_end)
    }

    /// A parameter of SQLite: `?1`, `:name`, `@name`, `$name`.
    fn parameter(&self, start: usize) -> (Kind, usize) {
        let end = self.word_end(start + 1);
        let kind = if end > start + 1 {
            Kind::Parameter
        } else {
            Kind::Other
        };
        (kind, end)
    }

    fn question_mark(&self, start: usize) -> (Kind, usize) {
        let numbered = self.is_sqlite();
        let end = self.end_of(start + 1, |byte| numbered && byte.is_ascii_digit());
        (Kind::Parameter, end)
    }

    fn colon(&self, start: usize) -> (Kind, usize) {
        match self.byte(start + 1) {
            _ if self.is_sqlite() => self.parameter(start),
            b':' => (Kind::Other, start + 2),
            _ => (Kind::Other, start + 1),
        }
    }

    /// `@variable`, `@@variable`.
    fn at_sign(&self, start: usize) -> (Kind, usize) {
        match self.dialect {
            Dialect::PostgreSql => (Kind::Other, start + 1),
            Dialect::Sqlite => self.parameter(start),
            Dialect::MySql => {
                let mut end = start + 1;
                if self.byte(end) == b'@' {
                    end += 1;
                }
                if !is_word(self.byte(end)) || self.byte(end).is_ascii_digit() {
                    return (Kind::Other, end);
                }
                let end = self.end_of(end, |byte| is_word(byte) || byte == b'.');
                (Kind::Parameter, end)
            }
        }
    }

    /// A comment. Where the quotes before it are in doubt, so is what is a comment: one with an
    /// odd number of quotes in it would hide that.
    fn comment(&mut self, end: usize) -> (Kind, usize) {
        if self.escape_in_doubt {
            let comment = self.bytes.get(self.at..end).unwrap_or_default();
            let apostrophes = comment.iter().filter(|byte| **byte == b'\'').count();
            let has_others = comment.iter().any(|byte| matches!(byte, b'"' | b'`'));
            self.in_doubt |= apostrophes % 2 == 1 || has_others;
        }
        (Kind::Comment, end)
    }

    fn line_comment(&mut self, start: usize) -> (Kind, usize) {
        let ends = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && self.is_postgre_sql());
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.comment(start + length)
    }

    fn dash(&mut self, start: usize) -> (Kind, usize) {
        if self.byte(start + 1) == b'-' {
            let after = self.byte(start + 2);
            // MySQL needs a space, or the end of the text, for which `byte` has a 0.
            if !self.is_my_sql() || after <= b' ' || after == 0x7f {
                return self.line_comment(start);
            }
        }
        self.sign(start)
    }

    fn slash(&mut self, start: usize) -> (Kind, usize) {
        if self.byte(start + 1) != b'*' {
            return (Kind::Other, start + 1);
        }
        let rest = self.bytes.get(start + 2..).unwrap_or_default();
        if self.is_my_sql() && (rest.starts_with(b"!") || rest.starts_with(b"M!")) {
            self.executable = true;
            return (Kind::Executable, self.executable_start(start));
        }
        if self.is_postgre_sql() {
            return self.nested_comment(start);
        }
        match self.after(b"*/", start + 2) {
            Some(end) => self.comment(end),
            None => {
                self.in_doubt = true;
                self.comment(self.bytes.len())
            }
        }
    }

    /// The end of `/*!40101`, `/*M!100100` or `/*!`.
    fn executable_start(&self, start: usize) -> usize {
        let start = match self.byte(start + 2) {
            b'!' => start + 3,
            _ => start + 4,
        };
        let end = self.end_of(start, |byte| byte.is_ascii_digit());
        if matches!(end - start, 5 | 6) {
            end
        } else {
            start
        }
    }

    fn nested_comment(&mut self, start: usize) -> (Kind, usize) {
        let mut depth = 1_usize;
        let mut at = start + 2;
        while depth > 0 {
            match (self.byte(at), self.byte(at + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                }
                (b'/', b'*') => {
                    depth += 1;
                    at += 2;
                }
                _ if at >= self.bytes.len() => {
                    self.in_doubt = true;
                    break;
                }
                _ => at += 1,
            }
        }
        self.comment(at)
    }

    fn token(&mut self, start: usize) -> (Kind, usize) {
        let one = start + 1;
        match self.byte(start) {
            b'0'..=b'9' => (Kind::Number, self.number(start)),
            b'$' => self.dollar(start),
            byte if is_word(byte) => self.word(start),
            b'\'' if self.escapes_before => self.escape_string(start),
            b'\'' => self.string(start, b'\''),
            b'"' => match self.dialect {
                Dialect::PostgreSql => self.name(start, b'"'),
                Dialect::MySql => self.string(start, b'"'),
                Dialect::Sqlite => self.quoted(Kind::NameOrText, start, b'"', Escapes::None),
            },
            b'`' if !self.is_postgre_sql() => self.name(start, b'`'),
            b'[' if self.is_sqlite() => self.bracket(start),
            b'-' => self.dash(start),
            b'+' => self.sign(start),
            b'/' => self.slash(start),
            b'#' if self.is_my_sql() => self.line_comment(start),
            b'*' if self.executable && self.byte(one) == b'/' => {
                self.executable = false;
                (Kind::Executable, start + 2)
            }
            b'.' if self.starts_number(start) => (Kind::Number, self.number(start)),
            b'.' => (Kind::Dot, one),
            b'?' => self.question_mark(start),
            b':' => self.colon(start),
            b'@' => self.at_sign(start),
            b'(' => (Kind::Open, one),
            b')' => (Kind::Close, one),
            b',' => (Kind::Comma, one),
            b';' => (Kind::Semicolon, one),
            b'=' => (Kind::Equals, one),
            _ => (Kind::Other, one),
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        if is_space(self.byte(start)) {
            // It may stand between the parts of a string.
            let end = self.end_of(start + 1, is_space);
            self.at = end;
            self.last = Kind::Space;
            return Some(Token {
                kind: Kind::Space,
                keyword: Keyword::None,
                start,
                end,
            });
        }
        self.escapes_before = std::mem::take(&mut self.escapes);
        self.keyword = Keyword::None;
        let (kind, end) = self.token(start);
        // So may a comment.
        self.escapes |= self.escapes_before && kind == Kind::Comment;
        let end = end.clamp(start + 1, self.bytes.len());
        self.at = end;
        self.last = kind;
        Some(Token {
            kind,
            keyword: self.keyword,
            start,
            end,
        })
    }
}

/// Whether a byte may be in a word: letters, digits, `_`, `$` and all that is not ASCII.
#[inline]
fn is_word(byte: u8) -> bool {
    const WORD: [bool; 256] = {
        let mut word = [false; 256];
        let mut byte = 0_u8;
        loop {
            word[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
            if byte == u8::MAX {
                break word;
            }
            byte += 1;
        }
    };
    WORD[byte as usize]
}

#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}
