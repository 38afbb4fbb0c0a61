//! Strings that are seen again and again.

use super::table::{Table, hash_bytes};
use opentelemetry::StringValue;
use std::cell::RefCell;
use std::sync::Arc;

/// The longest string that is interned, in bytes.
const LONGEST: usize = 256;

/// At most 4,096 strings of at most 256 bytes live in a pool: one mebibyte in the worst case.
type Pool = Table<&'static str, Interned, 64, 64>;

/// What the program's own code names: routes, span names, error types.
static NAMES: Pool = Table::new();

/// What others choose, such as the hosts of requests: they must not take the places of names.
static FOREIGN: Pool = Table::new();

/// A string out of a bounded, process-wide pool: it costs nothing to clone, compare and hash.
///
/// For names that recur for as long as the process runs: routes, span names, error types.
#[derive(Clone, Copy, Debug)]
pub struct Interned(&'static str);

impl Interned {
    /// The string's place in the pool, or `None` where it is too long or the pool is full.
    #[inline]
    pub fn new(text: &str) -> Option<Self> {
        Self::in_pool(&NAMES, text)
    }

    fn in_pool(pool: &'static Pool, text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        pool.get_or_insert_with(
            hash_bytes(text.as_bytes()),
            |known| *known == text,
            || {
                // The pool is bounded, so what is leaked is bounded too.
                let leaked: &'static str = Box::leak(text.into());
                (leaked, Self(leaked))
            },
        )
        .copied()
    }

    /// The string.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// A number that stands for the string while the process runs.
    pub fn id(self) -> u64 {
        self.0.as_ptr().addr() as u64
    }
}

impl PartialEq for Interned {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Interned {}

/// A string that many operations share: interned where there is room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// It has a place in the pool.
    Interned(Interned),
    /// It is too long, or the pool is full.
    Owned(StringValue),
}

impl Label {
    /// The label of this text.
    #[inline]
    pub fn new(text: &str) -> Self {
        Interned::new(text).map_or_else(|| Self::Owned(text.to_owned().into()), Self::Interned)
    }

    /// The label of a text that others choose, such as the host of a request.
    pub fn foreign(text: &str) -> Self {
        Interned::in_pool(&FOREIGN, text)
            .map_or_else(|| Self::Owned(text.to_owned().into()), Self::Interned)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Interned(text) => text.as_str(),
            Self::Owned(text) => text.as_str(),
        }
    }

    /// The text as an attribute's value.
    pub fn value(&self) -> StringValue {
        match self {
            Self::Interned(text) => text.as_str().into(),
            Self::Owned(text) => text.clone(),
        }
    }

    /// A number that stands for the text, where it is interned.
    pub fn id(&self) -> Option<u64> {
        match self {
            Self::Interned(text) => Some(text.id()),
            Self::Owned(_) => None,
        }
    }
}

const SLOTS: usize = 32;

type Slot<T> = Option<(Box<[u8]>, T)>;

/// A few recent strings of one thread, each with what was made of it.
///
/// For values that clients send and that mostly repeat (`Host`, `User-Agent`): a repeated one
/// costs a comparison instead of a check, a parse and an allocation. A new string takes the place
/// of an older one, so that no more than 32 are kept, of at most 256 bytes each.
pub struct Recent<T> {
    slots: RefCell<[Slot<T>; SLOTS]>,
}

impl<T: Clone> Recent<T> {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            slots: RefCell::new([const { None }; SLOTS]),
        }
    }

    /// What `make` made of `bytes`, now or before.
    #[inline]
    pub fn get_or_insert_with(&self, bytes: &[u8], make: impl FnOnce(&[u8]) -> T) -> T {
        let slot = (hash_bytes(bytes) >> 32) as usize % SLOTS;
        if bytes.len() <= LONGEST
            && let Ok(mut slots) = self.slots.try_borrow_mut()
            && let Some(slot) = slots.get_mut(slot)
        {
            return match slot {
                Some((known, made)) if **known == *bytes => made.clone(),
                _ => slot.insert((bytes.into(), make(bytes))).1.clone(),
            };
        }
        make(bytes)
    }
}

impl<T: Clone> Default for Recent<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Recent<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

/// No attribute value that clients send is longer, in bytes.
const LONGEST_VALUE: usize = 4_096;

/// The beginning of a text that clients send: at most 4,096 bytes of it.
#[inline]
pub fn bounded(text: &str) -> &str {
    cut(text, LONGEST_VALUE)
}

/// The beginning of a text: at most so many bytes of it.
#[inline]
pub fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

thread_local! {
    static VALUES: Recent<StringValue> = const { Recent::new() };
}

/// An attribute value for what clients send and mostly repeats, cut to 4,096 bytes. What is not
/// UTF-8 in it is replaced.
#[inline]
pub fn recent_value(bytes: impl AsRef<[u8]>) -> StringValue {
    let make = |bytes: &[u8]| {
        let text: Arc<str> = bounded(&String::from_utf8_lossy(bytes)).into();
        text.into()
    };
    VALUES.with(|values| values.get_or_insert_with(bytes.as_ref(), make))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_string_has_one_place() {
        let first = Interned::new("/orders/{id}");
        assert_eq!(first, Interned::new("/orders/{id}"));
        assert_eq!(first.map(Interned::as_str), Some("/orders/{id}"));
        assert_ne!(first, Interned::new("/orders/{order}"));
    }

    #[test]
    fn foreign_strings_take_no_place_of_a_name() {
        let full = (0..20_000)
            .filter(|n| matches!(Label::foreign(&format!("host-{n}")), Label::Owned(_)))
            .count();
        assert!(full >= 20_000 - 4_096, "{full}");
        assert_eq!(FOREIGN.len(), 20_000 - full);
        assert!(Interned::new("a name of its own").is_some());
        assert_eq!(Label::foreign("host-0").as_str(), "host-0");
    }

    #[test]
    fn long_strings_stay_out_of_the_pool() {
        assert_eq!(Interned::new(&"x".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(bounded("short"), "short");
        let text = "ä".repeat(LONGEST_VALUE);
        assert_eq!(bounded(&text), "ä".repeat(LONGEST_VALUE / 2));
        let odd = format!("x{text}");
        assert_eq!(bounded(&odd).len(), LONGEST_VALUE - 1);
    }

    #[test]
    fn a_repeated_value_is_made_once_and_a_new_one_replaces_an_old_one() {
        let recent = Recent::new();
        let made = std::cell::Cell::new(0);
        let look = |text: &str| {
            recent.get_or_insert_with(text.as_bytes(), |bytes| {
                made.set(made.get() + 1);
                String::from_utf8_lossy(bytes).into_owned()
            })
        };
        assert_eq!(
            (look("a"), look("a"), made.get()),
            ("a".into(), "a".into(), 1)
        );
        for n in 0..10_000 {
            let text = format!("host-{n}");
            assert_eq!(look(&text), text);
        }
        assert_eq!(made.get(), 10_001);
        assert_eq!(recent.slots.borrow().iter().flatten().count(), SLOTS);
        let long = "l".repeat(LONGEST + 1);
        assert_eq!((look(&long), made.get()), (long.clone(), 10_002));
        assert_eq!((look(&long), made.get()), (long.clone(), 10_003));
    }
}
