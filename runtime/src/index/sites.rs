//! The site table: every call site that allocated, with what is known of it.
//!
//! A block's mark holds a [`SiteIndex`]. The entry behind it is identified by its [`Key`]: the return address; the site
//! that a `realloc` took the block over from, since a reallocated block keeps its type unless the new site says
//! otherwise; and a type that the program declared for the block. So one return address may have several entries.
//!
//! Entries live for ever, also when the file with their code is unloaded. Finding one from a return address is the hot
//! path of `malloc`: [`recent`] is a table of plain sites that the assembly reads; what is not there goes through
//! [`find_or_insert`], a hash table of lock-free lists.
//!
//! # Safety
//! Segments of entries come zeroed from the private heap and are never freed. All fields are atomics, so shared
//! references to entries are sound whatever other threads do.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::regions::{RECENT_COUNT, TABLES};
use crate::index::shadow::START;
use crate::private_heap;
use core::alloc::Layout;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Index of an entry of the site table: 31 bits, 0 for "unknown site".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct SiteIndex(pub u32);

impl SiteIndex {
    /// Nobody knows who allocated the block: the table was full, or out of memory.
    pub const UNKNOWN: SiteIndex = SiteIndex(0);
}

/// A type that the program declared; the query side knows what it points to.
pub type DeclaredType = *mut c_void;

/// What identifies an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The program counter after the call.
    pub return_address: Avma,
    /// The site of the block that this site reallocated, or [`SiteIndex::UNKNOWN`] for a fresh block.
    pub origin: SiteIndex,
    /// The type set by `alloc_set_type`, or NULL.
    pub declared: DeclaredType,
}

impl Key {
    /// The key of fresh blocks.
    #[must_use]
    pub const fn plain(return_address: Avma) -> Key {
        Key { return_address, origin: SiteIndex::UNKNOWN, declared: core::ptr::null_mut() }
    }

    fn bucket(&self) -> &'static AtomicU32 {
        let mixed = (self.return_address.0 as u64)
            .wrapping_add((self.declared as u64).rotate_left(32))
            .wrapping_add(u64::from(self.origin.0) << 40)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &BUCKETS[(mixed >> (64 - BUCKET_BITS)) as usize]
    }
}

/// The file of the return address was unloaded: new allocations from that address belong to another site.
const RETIRED: u32 = 1;
/// The callee was one of `strdup` and friends, so the block is a string whatever else is known.
const STRING: u32 = 2;

/// What is known of a site.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct SiteEntry {
    return_address: AtomicUsize,
    declared: AtomicPtr<c_void>,
    origin: AtomicU32,
    next_in_bucket: AtomicU32,
    flags: AtomicU32,
    /// For the query side: what else it keeps with an answer in `resolved`. Starts as 0.
    pub resolved_flags: AtomicU32,
    /// For the query side: the type, once it was found. Starts as NULL. Must be final once stored, since blocks keep
    /// their type when the file that the answer came from is unloaded.
    pub resolved: AtomicPtr<c_void>,
    /// For the query side: the site's metadata record, once it was found. Starts as NULL.
    pub record: AtomicPtr<c_void>,
    allocations: AtomicU64,
    bytes: AtomicU64,
}

const _: () = assert!(size_of::<SiteEntry>() == 64);

impl SiteEntry {
    const fn new() -> SiteEntry {
        SiteEntry {
            return_address: AtomicUsize::new(0),
            declared: AtomicPtr::new(core::ptr::null_mut()),
            origin: AtomicU32::new(0),
            next_in_bucket: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            resolved_flags: AtomicU32::new(0),
            resolved: AtomicPtr::new(core::ptr::null_mut()),
            record: AtomicPtr::new(core::ptr::null_mut()),
            allocations: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// The program counter after the call; NULL for the unknown site.
    #[must_use]
    pub fn return_address(&self) -> Avma {
        Avma(self.return_address.load(Ordering::Relaxed))
    }

    /// The site of the block that this one reallocated, or [`SiteIndex::UNKNOWN`].
    #[must_use]
    pub fn origin(&self) -> SiteIndex {
        SiteIndex(self.origin.load(Ordering::Relaxed))
    }

    /// The type that the program declared, or NULL.
    #[must_use]
    pub fn declared(&self) -> DeclaredType {
        self.declared.load(Ordering::Relaxed)
    }

    /// Whether the site called `strdup` or a friend of it.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & STRING != 0
    }

    /// Notes that the site called `strdup` or a friend of it.
    pub fn set_string(&self) {
        self.flags.fetch_or(STRING, Ordering::Relaxed);
    }

    /// Whether the file of the return address was unloaded, so that nothing can be asked about the address any more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & RETIRED != 0
    }

    /// Number of allocations counted, and their bytes.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            allocations: self.allocations.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Counts an allocation.
    pub fn count(&self, size: usize) {
        self.allocations.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size as u64, Ordering::Relaxed);
    }

    /// Takes back a [`SiteEntry::count`].
    pub fn discount(&self, size: usize) {
        self.allocations.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size as u64, Ordering::Relaxed);
    }

    fn key(&self) -> Key {
        Key { return_address: self.return_address(), origin: self.origin(), declared: self.declared() }
    }
}

/// What a census counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Number of allocations.
    pub allocations: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
}

const SEGMENT_BITS: u32 = 12;
const SEGMENT_LEN: usize = 1 << SEGMENT_BITS;
const SEGMENT_COUNT: usize = 256;
const CAPACITY: u32 = (SEGMENT_LEN * SEGMENT_COUNT) as u32;
const BUCKET_BITS: u32 = 12;

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

/// Every index that an entry was made for; some may hold nothing.
pub fn all() -> impl Iterator<Item = SiteIndex> {
    (0..TAKEN.load(Ordering::Acquire).min(CAPACITY)).map(SiteIndex)
}

/// The site of `key`, entered if it is new. [`SiteIndex::UNKNOWN`] when the table is full.
pub fn find_or_insert(key: Key) -> SiteIndex {
    let bucket = key.bucket();
    let mut head = bucket.load(Ordering::Acquire);
    if let Some(found) = find_in_list(head, 0, &key) {
        return found;
    }
    let Some((index, entry)) = take_entry() else { return SiteIndex::UNKNOWN };
    entry.return_address.store(key.return_address.0, Ordering::Relaxed);
    entry.declared.store(key.declared, Ordering::Relaxed);
    entry.origin.store(key.origin.0, Ordering::Relaxed);
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

/// The site that a block of site `old` has when the call before `return_address` reallocated it.
///
/// The chain of origins holds each reallocating site once, the latest first, so a loop of reallocations ends at a fixed
/// set of entries.
pub fn reallocated(old: SiteIndex, return_address: Avma) -> SiteIndex {
    let entry = site(old);
    if entry.return_address() == return_address && entry.declared().is_null() && !entry.is_retired() {
        return old;
    }
    find_or_insert(Key {
        return_address,
        origin: without(old, return_address, 0),
        declared: core::ptr::null_mut(),
    })
}

/// Longest chain of origins. Behind it only the site of the first allocation counts.
const LONGEST_CHAIN: usize = 8;

/// The chain of `from` without the reallocations by `return_address`.
fn without(from: SiteIndex, return_address: Avma, depth: usize) -> SiteIndex {
    let entry = site(from);
    if entry.origin() == SiteIndex::UNKNOWN || !entry.declared().is_null() {
        return from;
    }
    if depth == LONGEST_CHAIN {
        return first(from);
    }
    if entry.return_address() == return_address {
        return entry.origin();
    }
    let rest = without(entry.origin(), return_address, depth + 1);
    if rest == entry.origin() { from } else { find_or_insert(Key { origin: rest, ..entry.key() }) }
}

fn first(mut index: SiteIndex) -> SiteIndex {
    while site(index).origin() != SiteIndex::UNKNOWN {
        index = site(index).origin();
    }
    index
}

/// The site that a block of site `old` has when the program declares its type; NULL takes declarations back.
pub fn declared(old: SiteIndex, ty: DeclaredType) -> SiteIndex {
    if ty.is_null() {
        return undeclared(old);
    }
    find_or_insert(Key { declared: ty, ..site(old).key() })
}

fn undeclared(index: SiteIndex) -> SiteIndex {
    if index == SiteIndex::UNKNOWN {
        return index;
    }
    let key = site(index).key();
    let origin = undeclared(key.origin);
    if key.declared.is_null() && origin == key.origin {
        return index;
    }
    find_or_insert(Key { declared: core::ptr::null_mut(), origin, ..key })
}

/// Makes sure that a new file at the addresses of an unloaded one gets sites of its own: retires every site whose return
/// address `is_loaded` denies.
pub fn retire_unloaded(is_loaded: impl Fn(Avma) -> bool) {
    for index in all() {
        let entry = site(index);
        let return_address = entry.return_address();
        if !return_address.is_null() && !entry.is_retired() && !is_loaded(return_address) {
            entry.flags.fetch_or(RETIRED, Ordering::Relaxed);
            recent::forget(return_address);
        }
    }
}

/// The table of recent plain sites, direct-mapped by the low 16 bits of the return address.
///
/// An entry holds bits 16 to 47 of the return address below, and above the mark of blocks of that site: all bits of a
/// user-space address take part, so a hit is exact. 0 is empty.
pub mod recent {
    use super::{Avma, Ordering, RECENT_COUNT, START, SiteIndex, TABLES};

    /// The site last remembered for the slot of `return_address`, if it is that address's.
    #[must_use]
    pub fn find(return_address: Avma) -> Option<SiteIndex> {
        let entry = TABLES.recent[slot(return_address)].load(Ordering::Relaxed);
        if entry != 0 && entry as u32 == tag(return_address) {
            Some(SiteIndex((entry >> 32) as u32 & !START))
        } else {
            None
        }
    }

    /// Remembers a site.
    pub fn remember(return_address: Avma, site: SiteIndex) {
        let entry = u64::from(START | site.0) << 32 | u64::from(tag(return_address));
        TABLES.recent[slot(return_address)].store(entry, Ordering::Release);
    }

    /// Forgets the site of an address.
    pub fn forget(return_address: Avma) {
        if find(return_address).is_some() {
            TABLES.recent[slot(return_address)].store(0, Ordering::Relaxed);
        }
    }

    fn slot(return_address: Avma) -> usize {
        return_address.0 % RECENT_COUNT
    }

    fn tag(return_address: Avma) -> u32 {
        (return_address.0 >> 16) as u32
    }
}
