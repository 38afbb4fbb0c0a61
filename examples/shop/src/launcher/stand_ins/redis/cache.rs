//! What is stored, and for how long.

use std::collections::HashMap;
use std::time::Instant;

/// The most that keys and values take together.
const MAXIMUM_BYTES: usize = 16 * 1024 * 1024;

/// What an entry takes besides its key and its value, roughly.
const BYTES_PER_ENTRY: usize = 128;

#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Vec<u8>, Entry>,
    bytes: usize,
}

struct Entry {
    value: Vec<u8>,
    /// `None` for ever.
    expires: Option<Instant>,
}

impl Entry {
    fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Cache {
    pub(super) fn get(&mut self, key: &[u8], now: Instant) -> Option<&[u8]> {
        if self.entries.get(key)?.has_expired(now) {
            self.remove(key);
            return None;
        }
        self.entries.get(key).map(|entry| entry.value.as_slice())
    }

    pub(super) fn set(
        &mut self,
        key: Vec<u8>,
        value: Vec<u8>,
        expires: Option<Instant>,
        now: Instant,
    ) {
        self.remove(&key);
        self.bytes += size(&key, &value);
        self.entries.insert(key, Entry { value, expires });
        if self.bytes > MAXIMUM_BYTES {
            self.make_room(now);
        }
    }

    /// Whether the key was there.
    pub(super) fn delete(&mut self, key: &[u8], now: Instant) -> bool {
        self.get(key, now).is_some() && self.remove(key)
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        let Some((key, entry)) = self.entries.remove_entry(key) else {
            return false;
        };
        self.bytes -= size(&key, &entry.value);
        true
    }

    /// What has expired goes first, and then anything: it is a cache.
    fn make_room(&mut self, now: Instant) {
        self.entries.retain(|_, entry| !entry.has_expired(now));
        self.bytes = self
            .entries
            .iter()
            .map(|(key, entry)| size(key, &entry.value))
            .sum();
        while self.bytes > MAXIMUM_BYTES / 2 {
            let Some(key) = self.entries.keys().next().cloned() else {
                return;
            };
            self.remove(&key);
        }
    }
}

fn size(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + BYTES_PER_ENTRY
}
