//! Where the entries of the site table are, and how one is found by its key: a hash table of lock-free lists.
//!
//! # Safety
//! Segments of entries come zeroed from the private heap and are never freed. All fields are atomics, so shared
//! references to entries are sound whatever other threads do.
#![allow(unsafe_code)]

use super::{Key, SiteEntry, SiteIndex, calls, recent};
use crate::avma::Avma;
use crate::private_heap;
use core::alloc::Layout;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

const SEGMENT_BITS: u32 = 12;
const SEGMENT_LEN: usize = 1 << SEGMENT_BITS;
const SEGMENT_COUNT: usize = 256;
const CAPACITY: u32 = (SEGMENT_LEN * SEGMENT_COUNT) as u32;
const BUCKET_BITS: u32 = 16;

static SEGMENTS: [AtomicPtr<SiteEntry>; SEGMENT_COUNT] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; SEGMENT_COUNT];
/// Number of entries ever taken, the unknown one included.
static TAKEN: AtomicU32 = AtomicU32::new(1);
/// Heads of the lists of entries of one hash; 0 ends a list.
static BUCKETS: [AtomicU32; 1 << BUCKET_BITS] = [const { AtomicU32::new(0) }; 1 << BUCKET_BITS];
static UNKNOWN_ENTRY: SiteEntry = SiteEntry::new();

/// The entry of a site. Any index gives an entry: that of the unknown site if there is none.
#[must_use]
pub fn site(index: SiteIndex) -> &'static SiteEntry {
    if index == SiteIndex::UNKNOWN {
        return &UNKNOWN_ENTRY;
    }
    let Some(segment) = SEGMENTS.get(index.0 as usize >> SEGMENT_BITS) else { return &UNKNOWN_ENTRY };
    let segment = segment.load(Ordering::Acquire);
    if segment.is_null() {
        return &UNKNOWN_ENTRY;
    }
    // SAFETY: a segment has SEGMENT_LEN entries, never freed; zero is a valid entry.
    unsafe { &*segment.add(index.0 as usize % SEGMENT_LEN) }
}

/// Every index that an entry was made for, and that of the unknown site.
pub fn all() -> impl Iterator<Item = SiteIndex> {
    let taken = (0..TAKEN.load(Ordering::Acquire).min(CAPACITY)).map(SiteIndex);
    taken.filter(|&index| index == SiteIndex::UNKNOWN || site(index).has_key())
}

/// The site of `key`, if it was entered.
#[must_use]
pub fn find(key: Key) -> Option<SiteIndex> {
    find_in_list(bucket_of(&key).load(Ordering::Acquire), 0, &key)
}

/// The first site entered with that return address. Looks at every entry.
#[must_use]
pub fn find_any(return_address: Avma) -> Option<SiteIndex> {
    let is_it = |entry: &SiteEntry| entry.return_address() == return_address && !entry.is_retired();
    if return_address.is_null() { None } else { all().find(|&index| is_it(site(index))) }
}

/// The site of `key`, entered if it is new. [`SiteIndex::UNKNOWN`] when the table is full.
pub fn find_or_insert(key: Key) -> SiteIndex {
    let bucket = bucket_of(&key);
    let mut head = bucket.load(Ordering::Acquire);
    if let Some(found) = find_in_list(head, 0, &key) {
        return found;
    }
    let Some((index, entry)) = take_entry() else { return SiteIndex::UNKNOWN };
    entry.set_key(&key);
    loop {
        entry.next_in_bucket.store(head, Ordering::Relaxed);
        match bucket.compare_exchange(head, index.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return index,
            Err(new_head) => {
                // Another thread put entries in front. If ours is among them, the one just taken stays unused.
                if let Some(found) = find_in_list(new_head, head, &key) {
                    return found;
                }
                head = new_head;
            }
        }
    }
}

/// Looks through the list from `from` up to, not including, `to`.
fn find_in_list(from: u32, to: u32, key: &Key) -> Option<SiteIndex> {
    let mut index = from;
    while index != to && index != 0 {
        let entry = site(SiteIndex(index));
        if entry.key() == *key && !entry.is_retired() {
            return Some(SiteIndex(index));
        }
        index = entry.next_in_bucket.load(Ordering::Acquire);
    }
    None
}

fn take_entry() -> Option<(SiteIndex, &'static SiteEntry)> {
    if TAKEN.load(Ordering::Relaxed) >= CAPACITY {
        return None;
    }
    let index = TAKEN.fetch_add(1, Ordering::AcqRel);
    let segment = SEGMENTS.get(index as usize >> SEGMENT_BITS)?;
    if segment.load(Ordering::Acquire).is_null() {
        let entries = private_heap::alloc(Layout::new::<[SiteEntry; SEGMENT_LEN]>())?;
        // Of two threads that come here at once, one wastes a segment of untouched pages.
        let _ = segment.compare_exchange(
            core::ptr::null_mut(),
            entries.as_ptr().cast::<SiteEntry>(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }
    Some((SiteIndex(index), site(SiteIndex(index))))
}

/// Fresh blocks of calls that are near to each other share pages of the table.
fn bucket_of(key: &Key) -> &'static AtomicU32 {
    let rest = (key.declared as u64).rotate_left(32)
        ^ u64::from(key.origin.0) << 20
        ^ u64::from(key.is_string) << 63;
    let mixed = rest.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS);
    &BUCKETS[(key.return_address.0 >> 1 ^ mixed as usize) % BUCKETS.len()]
}

/// Makes sure that a new file at the addresses of an unloaded one gets sites of its own: retires every site whose return
/// address `is_loaded` denies.
pub fn retire_unloaded(is_loaded: impl Fn(Avma) -> bool) {
    for index in all() {
        let entry = site(index);
        let return_address = entry.return_address();
        if !return_address.is_null() && !entry.is_retired() && !is_loaded(return_address) {
            entry.retire();
            recent::forget(return_address);
        }
    }
    calls::retire_unloaded(is_loaded);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_a_key_is_not_listed() {
        let (index, entry) = take_entry().unwrap();
        let is_listed = || all().any(|listed| listed == index);
        assert!(!is_listed());
        entry.set_key(&Key::plain(Avma(0x1234)));
        assert!(is_listed() && all().next() == Some(SiteIndex::UNKNOWN));
    }
}
