//! Rules found before, by program counter.
//!
//! A direct-mapped table of two words an entry: the packed rule, and the key mixed with it. Writers race without
//! harm: an entry of which the words stem from two writers does not match any key but by a chance of one in 2^64.

use core::sync::atomic::{AtomicU64, Ordering};

use super::rule::Rule;
use crate::avma::Avma;
use crate::modules;

const ENTRIES: usize = 1024;

struct Entry {
    mixed: AtomicU64,
    rule: AtomicU64,
}

static CACHE: [Entry; ENTRIES] =
    [const { Entry { mixed: AtomicU64::new(0), rule: AtomicU64::new(0) } }; ENTRIES];

/// The rule for a program counter, found by `find` unless it is remembered. `key` identifies the counter and how it is
/// to be looked up.
pub fn get(key: Key, find: impl FnOnce() -> Rule) -> Rule {
    let entry = &CACHE[key.slot()];
    let rule = entry.rule.load(Ordering::Relaxed);
    if rule != 0 && entry.mixed.load(Ordering::Relaxed) == key.mixed(rule) {
        return Rule::unpack(rule);
    }
    let found = find();
    let rule = found.pack();
    entry.rule.store(rule, Ordering::Relaxed);
    entry.mixed.store(key.mixed(rule), Ordering::Relaxed);
    found
}

/// A program counter in the present set of loaded files.
#[derive(Clone, Copy, Debug)]
pub struct Key(u64);

impl Key {
    /// The key of a program counter.
    #[must_use]
    pub fn of(pc: Avma) -> Key {
        Key(pc.0 as u64 ^ modules::generation() << 47)
    }

    fn slot(self) -> usize {
        (self.0 ^ self.0 >> 10) as usize % ENTRIES
    }

    fn mixed(self, rule: u64) -> u64 {
        self.0 ^ rule.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
