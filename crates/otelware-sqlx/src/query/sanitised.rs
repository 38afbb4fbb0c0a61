//! The text of `db.query.text`, without its literals.

use std::borrow::Cow;

/// The longest sanitised text, in bytes.
pub(super) const LONGEST: usize = 32 * 1_024;

/// What stands where a literal stood.
const MASK: char = '?';

/// Builds the sanitised text, by copying what is kept between what is not. Nothing is copied, or
/// allocated, before the first change.
#[derive(Debug)]
pub(super) struct Sanitised<'a> {
    source: &'a str,
    text: String,
    /// What of the source is in `text`, or has been left out of it.
    done: usize,
    changed: bool,
    /// Whether nothing more is taken.
    full: bool,
}

impl<'a> Sanitised<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            text: String::new(),
            done: 0,
            changed: false,
            full: false,
        }
    }

    /// How long the text is, with everything before `start` of the source.
    pub(super) fn len(&self, start: usize) -> usize {
        self.text.len() + start.saturating_sub(self.done)
    }

    /// Takes a token as it is.
    pub(super) fn keep(&mut self, start: usize, end: usize) {
        if !self.full && self.len(end) > LONGEST {
            self.close(start);
        }
    }

    /// Puts the mask in a token's place.
    pub(super) fn mask(&mut self, start: usize, end: usize) {
        if end == start + 1 && self.byte(start) == Some(MASK as u8) {
            self.keep(start, end);
        } else {
            self.replace(start, end, MASK);
        }
    }

    /// Leaves a token out.
    pub(super) fn leave_out(&mut self, start: usize, end: usize) {
        if !self.full {
            self.copy(start);
            self.done = end;
        }
    }

    /// Leaves a comment out: a space stands for it where two tokens would become one.
    pub(super) fn leave_out_comment(&mut self, start: usize, end: usize) {
        let space = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace());
        let before = if start > self.done || !self.changed {
            start.checked_sub(1).and_then(|at| self.byte(at))
        } else {
            self.text.as_bytes().last().copied()
        };
        if space(before) || space(self.byte(end)) {
            self.leave_out(start, end);
        } else {
            self.replace(start, end, ' ');
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.source.as_bytes().get(at).copied()
    }

    fn replace(&mut self, start: usize, end: usize, with: char) {
        if self.full {
            return;
        }
        if self.len(start) + with.len_utf8() > LONGEST {
            self.close(start);
            return;
        }
        self.copy(start);
        self.text.push(with);
        self.done = end;
    }

    fn copy(&mut self, end: usize) {
        if !self.changed {
            self.changed = true;
            self.text.reserve_exact(self.source.len().min(LONGEST));
        }
        self.text
            .push_str(self.source.get(self.done..end).unwrap_or_default());
        self.done = end;
    }

    /// Takes nothing from `end` of the source on.
    fn close(&mut self, end: usize) {
        self.full = true;
        if self.changed {
            self.copy(end);
        } else {
            self.source = self.source.get(..end).unwrap_or_default();
        }
    }

    /// The text; with `doubt`, one mask stands for everything after that many bytes of it.
    pub(super) fn finish(mut self, doubt: Option<usize>) -> Cow<'a, str> {
        // A full text that has not changed is the beginning of the source, see `close`.
        if !(self.full && self.changed) {
            if !self.changed && doubt.is_none_or(|doubt| doubt >= self.source.len()) {
                return Cow::Borrowed(self.source);
            }
            self.copy(self.source.len());
        }
        if let Some(doubt) = doubt.filter(|doubt| *doubt < self.text.len()) {
            self.text.truncate(doubt);
            // After a secret, its mask stands for the rest, too.
            if !self.text.ends_with(MASK) {
                self.text.push(MASK);
            }
        }
        Cow::Owned(self.text)
    }
}
