//! The text of a command, as it is written.

use super::quoted;

/// No text of a command is longer, in bytes.
pub(super) const LONGEST: usize = 2_048;

/// No more arguments of a command are shown.
pub(super) const MOST_ARGUMENTS: usize = 100;

/// What stands for all that is not shown any more.
pub(super) const CUT: &str = " …";

/// Whether keys, and what names things as keys do (fields, channels, indexes), are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyCapture {
    /// They are.
    #[default]
    Shown,
    /// `?` stands for them, as for values.
    Hidden,
}

/// Writes the arguments of one command after its name.
pub(super) struct Writer<'out> {
    out: &'out mut Vec<u8>,
    keys: KeyCapture,
    /// Where in `out` the command has to end.
    end: usize,
    /// How many arguments may still be shown.
    left: usize,
    /// Whether there was one that is not shown: then no other is either.
    cut: bool,
}

impl<'out> Writer<'out> {
    /// Writes the command's name, which is short.
    #[inline]
    pub(super) fn new(out: &'out mut Vec<u8>, name: &[u8], keys: KeyCapture) -> Self {
        let end = out.len() + LONGEST - CUT.len();
        out.extend_from_slice(name);
        Self {
            out,
            keys,
            end,
            left: MOST_ARGUMENTS,
            cut: false,
        }
    }

    #[inline]
    pub(super) fn value(&mut self) {
        self.argument(|out| out.extend_from_slice(b" ?"));
    }

    /// So many values.
    #[inline]
    pub(super) fn values(&mut self, count: usize) {
        for _ in 0..count {
            if self.cut {
                return;
            }
            self.value();
        }
    }

    /// A key or a field.
    #[inline]
    pub(super) fn key(&mut self, key: &[u8]) {
        match self.keys {
            KeyCapture::Shown => self.argument(|out| {
                out.push(b' ');
                quoted::write(out, key);
            }),
            KeyCapture::Hidden => self.value(),
        }
    }

    /// What is nobody's data.
    pub(super) fn word(&mut self, word: &str) {
        self.argument(|out| {
            out.push(b' ');
            out.extend_from_slice(word.as_bytes());
        });
    }

    /// Whether the rest of the arguments makes no difference.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Says so where not all is shown.
    pub(super) fn finish(self) {
        if self.cut {
            self.out.extend_from_slice(CUT.as_bytes());
        }
    }

    /// Writes an argument and the space before it.
    #[inline]
    fn argument(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.left == 0 || self.cut {
            self.cut = true;
            return;
        }
        self.left -= 1;
        let start = self.out.len();
        write(self.out);
        if self.out.len() > self.end {
            self.out.truncate(start);
            self.cut = true;
        }
    }
}
