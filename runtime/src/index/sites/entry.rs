//! An entry of the site table: what is known of a call site.

use super::{DeclaredType, Key, SiteIndex};
use crate::avma::Avma;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The file of the return address was unloaded: new allocations from that address belong to another site.
const RETIRED: u32 = 1;
/// Part of the key: the callee was one of `strdup` and friends.
const STRING: u32 = 2;
/// The query side said whether the site or its origin gives the type.
const ASKED: u32 = 4;
/// It said that the site does.
const DECIDES: u32 = 8;
/// Blocks belong to it because their own site lies behind more wrappers than are looked through.
const TOO_DEEP: u32 = 16;
/// The key is there, all of it.
const HAS_KEY: u32 = 32;
/// Its blocks are objects of a pool.
const SMALL: u32 = 64;

/// What is known of a site.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct SiteEntry {
    return_address: AtomicUsize,
    declared: AtomicPtr<c_void>,
    origin: AtomicU32,
    pub(super) next_in_bucket: AtomicU32,
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
    pub(super) const fn new() -> SiteEntry {
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

    /// The site that gave the type of the block that this one reallocated, or [`SiteIndex::UNKNOWN`].
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

    /// Whether the site itself, not its origin, gives the type of its blocks. `ask` is asked until it knows.
    pub(super) fn decides(&self, ask: impl FnOnce() -> Option<bool>) -> bool {
        if self.flags.load(Ordering::Relaxed) & ASKED == 0 {
            let Some(decides) = ask() else { return false };
            self.note_whether_decides(decides);
        }
        self.flags.load(Ordering::Relaxed) & DECIDES != 0
    }

    /// Keeps the answer for [`SiteEntry::decides`].
    pub(in crate::index) fn note_whether_decides(&self, decides: bool) {
        self.flags.fetch_or(if decides { ASKED | DECIDES } else { ASKED }, Ordering::Relaxed);
    }

    /// Notes that the call is in a wrapper, and that the site of its blocks lies too far away.
    pub fn note_too_deep(&self) {
        self.flags.fetch_or(TOO_DEEP, Ordering::Relaxed);
    }

    /// Whether that was noted.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & TOO_DEEP != 0
    }

    /// Notes that its blocks are objects of a pool.
    pub fn note_small(&self) {
        if !self.is_small() {
            self.flags.fetch_or(SMALL, Ordering::Relaxed);
        }
    }

    /// Whether that was noted.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & SMALL != 0
    }

    /// Whether the file of the return address was unloaded, so that nothing can be asked about the address any more.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & RETIRED != 0
    }

    pub(super) fn retire(&self) {
        self.flags.fetch_or(RETIRED, Ordering::Relaxed);
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

    pub(super) fn key(&self) -> Key {
        Key {
            return_address: self.return_address(),
            origin: self.origin(),
            declared: self.declared(),
            is_string: self.is_string(),
        }
    }

    /// Makes a fresh entry that of `key`.
    pub(super) fn set_key(&self, key: &Key) {
        self.return_address.store(key.return_address.0, Ordering::Relaxed);
        self.declared.store(key.declared, Ordering::Relaxed);
        self.origin.store(key.origin.0, Ordering::Relaxed);
        self.flags.store(if key.is_string { HAS_KEY | STRING } else { HAS_KEY }, Ordering::Release);
    }

    /// Whether the entry has a key. One that another thread has just taken has none yet, and nothing may be concluded of it.
    pub(super) fn has_key(&self) -> bool {
        self.flags.load(Ordering::Acquire) & HAS_KEY != 0
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
