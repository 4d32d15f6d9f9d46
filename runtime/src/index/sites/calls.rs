//! What the loaded files say of return addresses, for as long as they are loaded.
//!
//! The query side is asked once for each address; the answers are kept in a hash table of lock-free lists.
//!
//! # Safety
//! An entry is never freed, so a list can be followed at any time.
#![allow(unsafe_code)]

use super::hop::Hop;
use super::recent;
use crate::avma::Avma;
use crate::private_heap;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What a return address is that of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// A call in a wrapper.
    InWrapper(Hop),
    /// Another call, of which the metadata knows that it allocates.
    Listed,
    /// Nothing is known of the call.
    Unlisted,
}

#[derive(Debug)]
struct Entry {
    return_address: Avma,
    call: Call,
    is_retired: AtomicBool,
    next: AtomicPtr<Entry>,
}

const BUCKETS: usize = 1 << 12;
static TABLE: [AtomicPtr<Entry>; BUCKETS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; BUCKETS];

/// What is known of a return address.
#[must_use]
pub fn find(return_address: Avma) -> Option<Call> {
    entries(bucket_of(return_address))
        .find(|entry| entry.return_address == return_address && !entry.is_retired.load(Ordering::Relaxed))
        .map(|entry| entry.call)
}

/// Remembers what is known of a return address. Without memory it will have to be asked again.
pub fn remember(return_address: Avma, call: Call) {
    let bucket = bucket_of(return_address);
    // A file that is opened again and again lies in the same place mostly.
    let is_same = |entry: &&Entry| entry.return_address == return_address && entry.call == call;
    if let Some(again) = entries(bucket).find(is_same) {
        again.is_retired.store(false, Ordering::Relaxed);
        return;
    }
    let next = AtomicPtr::new(core::ptr::null_mut());
    let entry = Entry { return_address, call, is_retired: AtomicBool::new(false), next };
    let Some(entry) = private_heap::alloc_value(entry) else { return };
    let new = core::ptr::from_ref(entry).cast_mut();
    let mut head = bucket.load(Ordering::Acquire);
    // Of threads that come here at once each adds an entry; the last is found, and all are retired.
    loop {
        entry.next.store(head, Ordering::Relaxed);
        match bucket.compare_exchange(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(other) => head = other,
        }
    }
}

/// Forgets every return address that `is_loaded` denies.
pub(super) fn retire_unloaded(is_loaded: impl Fn(Avma) -> bool) {
    for entry in TABLE.iter().flat_map(entries) {
        if !entry.is_retired.load(Ordering::Relaxed) && !is_loaded(entry.return_address) {
            entry.is_retired.store(true, Ordering::Relaxed);
            recent::forget(entry.return_address);
        }
    }
}

fn entries(bucket: &AtomicPtr<Entry>) -> impl Iterator<Item = &'static Entry> {
    // SAFETY: NULL or an entry that stays for ever.
    let at = |link: &AtomicPtr<Entry>| unsafe { link.load(Ordering::Acquire).as_ref() };
    core::iter::successors(at(bucket), move |entry| at(&entry.next))
}

/// Calls that are near to each other share pages of the table.
fn bucket_of(return_address: Avma) -> &'static AtomicPtr<Entry> {
    &TABLE[(return_address.0 >> 4) % BUCKETS]
}
