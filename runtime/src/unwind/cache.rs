//! What was found before, by program counter.
//!
//! A direct-mapped table of two words an entry: the value, and the key mixed with it. Writers race without harm: a value is
//! always one that was stored, and an entry of which the words stem from two writers does not match any key but by a
//! chance of one in 2^64.

use core::num::NonZeroU64;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::avma::Avma;
use crate::modules;

const ENTRIES: usize = 1024;

/// A table.
#[derive(Debug)]
pub struct Cache {
    entries: [Entry; ENTRIES],
}

#[derive(Debug)]
struct Entry {
    mixed: AtomicU64,
    value: AtomicU64,
}

impl Cache {
    /// An empty table, to be a static.
    #[allow(clippy::new_without_default)]
    #[must_use]
    pub const fn new() -> Cache {
        Cache { entries: [const { Entry { mixed: AtomicU64::new(0), value: AtomicU64::new(0) } }; ENTRIES] }
    }

    /// The value for a program counter, from `find` unless it is remembered. What `find` does not find is not remembered.
    #[inline]
    pub fn get(&self, key: Key, find: impl FnOnce() -> Option<NonZeroU64>) -> Option<NonZeroU64> {
        let entry = &self.entries[key.slot()];
        if let Some(value) = NonZeroU64::new(entry.value.load(Ordering::Acquire))
            && entry.mixed.load(Ordering::Relaxed) == key.mixed(value)
        {
            return Some(value);
        }
        let found = find()?;
        entry.value.store(found.get(), Ordering::Release);
        entry.mixed.store(key.mixed(found), Ordering::Relaxed);
        Some(found)
    }
}

/// A program counter in the present set of loaded files.
#[derive(Clone, Copy, Debug)]
pub struct Key(u64);

impl Key {
    /// The key of a program counter.
    #[must_use]
    #[inline]
    pub fn of(pc: Avma) -> Key {
        Key(pc.0 as u64 ^ modules::generation() << 47)
    }

    fn slot(self) -> usize {
        (self.0 ^ self.0 >> 10) as usize % ENTRIES
    }

    fn mixed(self, value: NonZeroU64) -> u64 {
        self.0 ^ value.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_counter_is_remembered() {
        static CACHE: Cache = Cache::new();
        let get = |pc: usize, found: u64| {
            CACHE.get(Key::of(Avma(pc)), || NonZeroU64::new(found)).map_or(0, NonZeroU64::get)
        };
        assert_eq!(get(0x1000, 7), 7);
        assert_eq!(get(0x1000, 8), 7);
        assert_eq!(get(0x2000, 0), 0);
        assert_eq!(get(0x2000, 9), 9);
        // Another one of the same slot takes its place.
        let twin = 0x1000 ^ (1 << 20);
        assert_eq!(get(twin, 10), 10);
        assert_eq!(get(0x1000, 11), 11);
    }
}
