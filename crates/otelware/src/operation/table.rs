//! A bounded, append-only map for the hot path.

use std::sync::OnceLock;

/// A map that only grows, up to a fixed number of entries, and is read without a lock.
///
/// Entries stay where they are for the life of the table, so that a look-up hands out plain
/// references. Memory is taken bucket by bucket. A full bucket refuses further entries: callers
/// then do without the cache, so that no input can make the table grow beyond
/// `BUCKETS × WAYS` entries or a look-up take more than `WAYS` steps.
pub struct Table<K, V, const BUCKETS: usize = 64, const WAYS: usize = 32> {
    buckets: [OnceLock<Bucket<K, V, WAYS>>; BUCKETS],
}

type Bucket<K, V, const WAYS: usize> = Box<[OnceLock<(K, V)>; WAYS]>;

impl<K, V, const BUCKETS: usize, const WAYS: usize> Table<K, V, BUCKETS, WAYS> {
    /// An empty table.
    pub const fn new() -> Self {
        Self {
            buckets: [const { OnceLock::new() }; BUCKETS],
        }
    }

    /// The value under the key that `is_key` recognises; `make` supplies key and value where
    /// there is none yet. `None` where there is none and no room for it either.
    ///
    /// `hash` must be the same for equal keys.
    #[inline]
    pub fn get_or_insert_with(
        &self,
        hash: u64,
        is_key: impl Fn(&K) -> bool,
        make: impl FnOnce() -> (K, V),
    ) -> Option<&V> {
        self.get_or_try_insert_with(hash, is_key, || Some(make()))
    }

    /// As [`get_or_insert_with`](Self::get_or_insert_with), where `make` may have nothing to
    /// supply.
    #[inline]
    pub fn get_or_try_insert_with(
        &self,
        hash: u64,
        is_key: impl Fn(&K) -> bool,
        make: impl FnOnce() -> Option<(K, V)>,
    ) -> Option<&V> {
        // Multiplicative hashes are good in their upper bits.
        let bucket = self.buckets.get((hash >> 32) as usize % BUCKETS)?;
        let ways = bucket.get_or_init(|| Box::new([const { OnceLock::new() }; WAYS]));
        let mut make = Some(make);
        let mut made = None;
        for way in ways.iter() {
            let (key, value) = match way.get() {
                Some(entry) => entry,
                None => {
                    let entry = match made.take() {
                        Some(entry) => entry,
                        None => make.take()?()?,
                    };
                    // Another thread may fill the way meanwhile, perhaps with this key.
                    made = way.set(entry).err();
                    way.get()?
                }
            };
            if is_key(key) {
                return Some(value);
            }
        }
        None
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.buckets
            .iter()
            .filter_map(OnceLock::get)
            .flat_map(|ways| ways.iter())
            .filter(|way| way.get().is_some())
            .count()
    }
}

impl<K, V, const BUCKETS: usize, const WAYS: usize> Default for Table<K, V, BUCKETS, WAYS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V, const BUCKETS: usize, const WAYS: usize> std::fmt::Debug for Table<K, V, BUCKETS, WAYS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("capacity", &(BUCKETS * WAYS))
            .finish_non_exhaustive()
    }
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a number into a hash whose upper bits are good.
#[inline]
pub(super) fn hash_number(number: u64) -> u64 {
    let mixed = (number ^ (number >> 29)).wrapping_mul(MULTIPLIER);
    (mixed ^ (mixed >> 32)).wrapping_mul(MULTIPLIER)
}

/// A hash over bytes for the tables of this crate. It is fast and not keyed: the tables stay
/// bounded under chosen keys.
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*chunk)).wrapping_mul(MULTIPLIER);
    }
    let mut last = [0; 8];
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    hash_number(hash.rotate_left(5) ^ u64::from_le_bytes(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(table: &Table<u64, String>, key: u64) -> Option<&String> {
        table.get_or_insert_with(
            hash_number(key),
            |found| *found == key,
            || (key, format!("value {key}")),
        )
    }

    #[test]
    fn finds_what_was_inserted_and_keeps_its_place() {
        let table = Table::new();
        let first = lookup(&table, 7).map(std::ptr::from_ref);
        for key in 0..500 {
            assert_eq!(lookup(&table, key), Some(&format!("value {key}")));
        }
        assert_eq!(lookup(&table, 7).map(std::ptr::from_ref), first);
        assert_eq!(table.len(), 500);
    }

    #[test]
    fn a_hundred_thousand_keys_do_not_grow_it_beyond_its_bound() {
        let table = Table::new();
        let refused = (0..100_000)
            .filter(|key| lookup(&table, *key).is_none())
            .count();
        assert_eq!(table.len(), 64 * 32);
        assert_eq!(refused, 100_000 - 64 * 32);
        assert_eq!(lookup(&table, 0).map(String::as_str), Some("value 0"));
    }

    #[test]
    fn concurrent_inserts_agree_on_one_entry() {
        let table: Table<u64, usize> = Table::new();
        let table = &table;
        let mut found = vec![];
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_usize)
                .map(|thread| {
                    scope.spawn(move || {
                        (0..200_u64)
                            .map(|key| {
                                table
                                    .get_or_insert_with(
                                        hash_number(key),
                                        |k| *k == key,
                                        || (key, thread),
                                    )
                                    .copied()
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            for thread in threads {
                found.push(thread.join().unwrap_or_default());
            }
        });
        assert_eq!(table.len(), 200);
        assert!(found.iter().flatten().all(Option::is_some));
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn hashes_of_like_strings_spread_over_the_buckets() {
        let buckets: std::collections::HashSet<u64> = (0..64)
            .map(|n| (hash_bytes(format!("/users/{n}").as_bytes()) >> 32) % 64)
            .collect();
        assert!(buckets.len() > 32, "{} buckets used", buckets.len());
    }
}
