//! What was made of the texts of recent statements.

use otelware::operation::hash_bytes;
use std::sync::{PoisonError, RwLock, TryLockError};

/// How many parts the cache has. A text has its place in one of them.
const PARTS: usize = 64;

/// How many entries a generation of a part holds.
const ENTRIES: usize = 8;

/// No longer text is kept, in bytes.
const LONGEST: usize = 10 * 1_024;

/// A cache by the text of a statement, which never holds more than 1,024 entries.
///
/// Each of its 64 parts has two generations. New entries go into the young one; when that is full
/// it becomes the old one, and what was old is forgotten. An old entry that is asked for becomes
/// young again, so that what is used stays, however many other texts pass by.
///
/// Nobody waits: readers do not exclude each other, and where another thread is just changing the
/// same part, the value is made anew. Texts above 10 KiB are never kept.
///
/// What is stored should cost little to clone, such as an [`Arc`](std::sync::Arc).
pub struct Cache<V> {
    parts: Box<[RwLock<Part<V>>]>,
}

#[derive(Clone)]
struct Entry<V> {
    hash: u64,
    text: Box<str>,
    value: V,
}

struct Part<V> {
    young: Vec<Entry<V>>,
    old: Vec<Entry<V>>,
}

impl<V> Part<V> {
    const fn new() -> Self {
        Self {
            young: Vec::new(),
            old: Vec::new(),
        }
    }

    fn insert(&mut self, entry: Entry<V>) {
        if self.young.len() >= ENTRIES {
            // The memory of the oldest serves the youngest.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.push(entry);
    }

    /// Makes an old entry young again.
    fn renew(&mut self, hash: u64, text: &str) {
        if let Some(at) = self.old.iter().position(|entry| entry.is(hash, text)) {
            let entry = self.old.swap_remove(at);
            self.insert(entry);
        }
    }
}

impl<V> Entry<V> {
    fn is(&self, hash: u64, text: &str) -> bool {
        self.hash == hash && *self.text == *text
    }
}

fn find<'a, V>(entries: &'a [Entry<V>], hash: u64, text: &str) -> Option<&'a V> {
    let entry = entries.iter().find(|entry| entry.is(hash, text))?;
    Some(&entry.value)
}

impl<V: Clone> Cache<V> {
    /// An empty cache.
    pub fn new() -> Self {
        Self {
            parts: (0..PARTS).map(|_| RwLock::new(Part::new())).collect(),
        }
    }

    /// What is kept under this text, or what `make` makes of it. Two threads may both make it.
    #[inline]
    pub fn get_or_insert_with(&self, text: &str, make: impl FnOnce(&str) -> V) -> V {
        if text.len() > LONGEST {
            return make(text);
        }
        let hash = hash_bytes(text.as_bytes());
        // Multiplicative hashes are good in their upper bits.
        let Some(part) = self.parts.get((hash >> 32) as usize % PARTS) else {
            return make(text);
        };
        let old = match part.try_read() {
            Ok(part) => {
                if let Some(value) = find(&part.young, hash, text) {
                    return value.clone();
                }
                find(&part.old, hash, text).cloned()
            }
            Err(TryLockError::WouldBlock) => return make(text),
            Err(TryLockError::Poisoned(_)) => {
                // Nothing but a value that panicked when it was cloned or dropped can have come
                // between, which leaves the entries as they should be.
                part.clear_poison();
                None
            }
        };
        Self::keep(part, hash, text, old, make)
    }

    /// Keeps what is not among the young for some time more.
    #[cold]
    fn keep(
        part: &RwLock<Part<V>>,
        hash: u64,
        text: &str,
        old: Option<V>,
        make: impl FnOnce(&str) -> V,
    ) -> V {
        let is_old = old.is_some();
        let value = old.unwrap_or_else(|| make(text));
        if let Ok(mut part) = part.try_write() {
            if is_old {
                part.renew(hash, text);
            } else if find(&part.young, hash, text).is_none() {
                part.insert(Entry {
                    hash,
                    text: text.into(),
                    value: value.clone(),
                });
            }
        }
        value
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.parts
            .iter()
            .map(|part| {
                let part = part.read().unwrap_or_else(PoisonError::into_inner);
                part.young.len() + part.old.len()
            })
            .sum()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<V: Clone> Default for Cache<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> std::fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("capacity", &(PARTS * ENTRIES * 2))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const CAPACITY: usize = PARTS * ENTRIES * 2;

    /// Counts how often a value is made.
    struct Counted {
        cache: Cache<Arc<str>>,
        made: Cell<usize>,
    }

    impl Counted {
        fn new() -> Self {
            Self {
                cache: Cache::new(),
                made: Cell::new(0),
            }
        }

        /// Asks for a text, and tells whether its value had to be made.
        fn ask(&self, text: &str) -> bool {
            let before = self.made.get();
            let value = self.cache.get_or_insert_with(text, |text| {
                self.made.set(before + 1);
                text.to_uppercase().into()
            });
            assert_eq!(*value, *text.to_uppercase());
            self.made.get() > before
        }
    }

    #[test]
    fn a_value_is_made_once() {
        let cache = Counted::new();
        assert!(cache.cache.is_empty());
        for text in ["", "select 1", "select 2"] {
            assert!(cache.ask(text));
            assert!(!cache.ask(text));
        }
        assert_eq!(cache.cache.len(), 3);
    }

    #[test]
    fn long_texts_are_not_kept() {
        let cache = Counted::new();
        let longest = "x".repeat(LONGEST);
        assert!(cache.ask(&longest));
        assert!(!cache.ask(&longest));
        let longer = "x".repeat(LONGEST + 1);
        assert!(cache.ask(&longer));
        assert!(cache.ask(&longer));
        assert_eq!(cache.cache.len(), 1);
    }

    #[test]
    fn a_hundred_thousand_texts_do_not_grow_it_beyond_its_bound() {
        let cache = Counted::new();
        for n in 0..100_000 {
            assert!(cache.ask(&format!("select {n}")));
            assert!(cache.cache.len() <= CAPACITY);
        }
        assert!(cache.cache.len() > CAPACITY / 2);
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let cache = Counted::new();
        cache.ask("used");
        cache.ask("unused");
        for n in 0..100_000 {
            cache.ask(&format!("select {n}"));
            assert!(!cache.ask("used"), "forgotten after {n}");
        }
        assert!(cache.ask("unused"));
    }

    #[test]
    fn what_is_asked_for_now_and_then_stays() {
        let cache = Counted::new();
        cache.ask("used");
        // One generation of a part holds 8 entries: no more than that many others come between,
        // wherever they have their places.
        for n in 0..10_000 {
            cache.ask(&format!("select {n}"));
            if n % ENTRIES == 0 {
                assert!(!cache.ask("used"), "forgotten after {n}");
            }
        }
    }

    #[test]
    fn equal_hashes_do_not_make_equal_texts() {
        let mut part = Part::new();
        for text in ["a", "b"] {
            part.insert(Entry {
                hash: 1,
                text: text.into(),
                value: text,
            });
        }
        assert_eq!(find(&part.young, 1, "b"), Some(&"b"));
        assert_eq!(find(&part.young, 1, "c"), None);
        assert_eq!(find(&part.young, 2, "a"), None);
    }

    #[test]
    fn a_part_that_is_being_changed_makes_nobody_wait() {
        let cache: Cache<Arc<str>> = Cache::new();
        let guards: Vec<_> = cache.parts.iter().map(|part| part.write()).collect();
        assert_eq!(*cache.get_or_insert_with("a", |_| "made".into()), *"made");
        assert_eq!(*cache.get_or_insert_with("a", |_| "again".into()), *"again");
        drop(guards);
        let guards: Vec<_> = cache.parts.iter().map(|part| part.read()).collect();
        assert_eq!(
            *cache.get_or_insert_with("a", |_| "not kept".into()),
            *"not kept"
        );
        drop(guards);
        assert!(cache.is_empty());
    }

    #[test]
    fn a_panic_while_a_value_is_made_leaves_the_cache_as_it_was() {
        let cache: Cache<Arc<str>> = Cache::new();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cache.get_or_insert_with("a", |_| panic!("on purpose"));
        }));
        assert!(panicked.is_err());
        assert_eq!(*cache.get_or_insert_with("a", |_| "made".into()), *"made");
        assert_eq!(*cache.get_or_insert_with("a", |_| "again".into()), *"made");
    }

    #[test]
    fn a_panic_while_a_value_is_dropped_does_not_stop_it() {
        #[derive(Clone)]
        struct Bomb(Arc<AtomicUsize>);
        impl Drop for Bomb {
            fn drop(&mut self) {
                if Arc::strong_count(&self.0) == 1 && self.0.swap(0, Ordering::Relaxed) == 1 {
                    panic!("on purpose");
                }
            }
        }
        let cache = Cache::new();
        for round in 0..20_000 {
            let bomb = usize::from(round == 0);
            let text = format!("select {round}");
            let ask = || {
                cache.get_or_insert_with(&text, |_| Bomb(Arc::new(AtomicUsize::new(bomb))));
            };
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(ask));
        }
        assert!(cache.len() > CAPACITY / 2);
        let made = AtomicUsize::new(0);
        for _ in 0..2 {
            cache.get_or_insert_with("last", |_| {
                made.fetch_add(1, Ordering::Relaxed);
                Bomb(Arc::new(AtomicUsize::new(0)))
            });
        }
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn threads_share_it() {
        let cache: Cache<Arc<str>> = Cache::new();
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (cache, made) = (&cache, &made);
                scope.spawn(move || {
                    for n in 0..20_000 {
                        // A few texts that all threads share, many that none does.
                        let text = if n % 4 == 0 {
                            format!("select {thread} {n}")
                        } else {
                            format!("select {}", n % 16)
                        };
                        let value = cache.get_or_insert_with(&text, |text| {
                            made.fetch_add(1, Ordering::Relaxed);
                            text.into()
                        });
                        assert_eq!(*value, *text);
                    }
                });
            }
        });
        assert!(cache.len() <= CAPACITY);
        // The distinct ones have all been made. How many of the shared ones were found depends on
        // who met whom.
        let made = made.into_inner();
        assert!((8 * 5_000..8 * 20_000).contains(&made), "{made}");
    }
}
