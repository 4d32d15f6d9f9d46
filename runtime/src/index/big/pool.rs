//! Which records are free: a lock-free list, and those that were never used.
//!
//! # Safety
//! Records are a static array of atomics. A record is filled before the page index leads to it; a reader that comes upon
//! one that is given back meanwhile sees mixed values, as a look-up into a block being freed may.
#![allow(unsafe_code)]

use super::record::{BigId, COUNT, KINDS, Kind, RECORDS};
use crate::avma::Avma;
use crate::sys::memory;
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU64, AtomicUsize, Ordering};

/// The record behind each one that is free or ending.
pub(super) static NEXT_FREE: [AtomicU16; COUNT] = [const { AtomicU16::new(0) }; COUNT];
/// The first free record below; above, a count of changes, so that a stale head is noticed.
static FREE: AtomicU64 = AtomicU64::new(0);
/// Records never used yet start here.
static FRESH: AtomicUsize = AtomicUsize::new(1);

/// Asks the kernel for small pages behind the records, of which a program uses few.
pub fn keep_pages_small() {
    memory::keep_pages_small(NonNull::from(&RECORDS).cast(), size_of_val(&RECORDS));
}

/// Every record that was ever used.
pub(super) fn ids() -> impl Iterator<Item = BigId> {
    (1..FRESH.load(Ordering::Relaxed).min(COUNT)).filter_map(|number| BigId::from_bits(number as u16))
}

/// Takes a record for [`begin`, `end`), or `None` when all are in use.
pub(super) fn take(
    kind: Kind,
    begin: Avma,
    end: Avma,
    parent: Option<BigId>,
    allocated_by: *mut c_void,
) -> Option<BigId> {
    let id = take_free().or_else(take_fresh)?;
    let record = id.record();
    record.set_range(begin, end);
    record.parent.store(BigId::to_bits(parent), Ordering::Relaxed);
    record.allocated_by.store(allocated_by, Ordering::Relaxed);
    KINDS[usize::from(id.bits())].store(kind as u8, Ordering::Release);
    Some(id)
}

/// Gives a record of that kind back, once: of two callers one finds it free already.
pub(super) fn give_back(id: BigId, kind: Kind) {
    let slot = &KINDS[usize::from(id.bits())];
    if slot.compare_exchange(kind as u8, Kind::Free as u8, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return;
    }
    let record = id.record();
    run_destructor(&record.allocator_private_free, &record.allocator_private);
    run_destructor(&record.suballocator_private_free, &record.suballocator_private);
    record.clear();
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        NEXT_FREE[usize::from(id.bits())].store(head as u16, Ordering::Relaxed);
        let new_head = next_change(head) | u64::from(id.bits());
        match FREE.compare_exchange_weak(head, new_head, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

fn run_destructor(function: &AtomicPtr<c_void>, argument: &AtomicPtr<c_void>) {
    let function = function.load(Ordering::Acquire);
    if !function.is_null() {
        // SAFETY: whoever stored it in the record promised a function of this signature, to be called at the end.
        let function = unsafe { core::mem::transmute::<*mut c_void, extern "C" fn(*mut c_void)>(function) };
        function(argument.load(Ordering::Acquire));
    }
}

fn take_free() -> Option<BigId> {
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        let id = BigId::from_bits(head as u16)?;
        let next = NEXT_FREE[usize::from(id.bits())].load(Ordering::Relaxed);
        let new_head = next_change(head) | u64::from(next);
        match FREE.compare_exchange_weak(head, new_head, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(id),
            Err(now) => head = now,
        }
    }
}

fn take_fresh() -> Option<BigId> {
    if FRESH.load(Ordering::Relaxed) >= COUNT {
        return None;
    }
    let number = FRESH.fetch_add(1, Ordering::Relaxed);
    BigId::from_bits(u16::try_from(number).ok()?)
}

/// The count of changes behind that of `head`, with no record.
fn next_change(head: u64) -> u64 {
    ((head >> 16).wrapping_add(1)) << 16
}
