//! Requests to a malloc that is not the C library's.
//!
//! The shadow needs blocks of two granules on 16-byte boundaries. Other mallocs have smaller size classes, which they use
//! for requests up to 16 bytes; asked for 32 they give that on such a boundary, as the psABI wants. One that gives
//! boundaries of 8 bytes all the same may do so: such blocks stay unknown, and since no block is smaller than two
//! granules, no other block's slots are where `free` clears the mark of one.
//!
//! # Safety
//! The real functions get the program's own arguments, but for a size that may be larger.
#![allow(unsafe_code)]

use super::real::{self, Calloc, Malloc, PosixMemalign, Real, Realloc};
use crate::avma::Avma;
use crate::index::shadow;
use crate::index::sites::{self, recent};
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

const SMALLEST: usize = 2 * shadow::GRANULE;

static NEXT_MALLOC: Real<Malloc> = Real::new(real::first_malloc as *mut c_void);
static NEXT_CALLOC: Real<Calloc> = Real::new(real::first_calloc as *mut c_void);
static NEXT_REALLOC: Real<Realloc> = Real::new(real::first_realloc as *mut c_void);
static NEXT_MEMALIGN: Real<Calloc> = Real::new(real::first_memalign as *mut c_void);
static NEXT_ALIGNED_ALLOC: Real<Calloc> = Real::new(real::first_aligned_alloc as *mut c_void);
static NEXT_POSIX_MEMALIGN: Real<PosixMemalign> = Real::new(real::first_posix_memalign as *mut c_void);

/// Whether a block off a granule was seen.
static IS_OFF_GRANULES: AtomicBool = AtomicBool::new(false);

/// Whether blocks may start where the fast path of `malloc` must not enter them.
pub(super) fn is_off_granules() -> bool {
    IS_OFF_GRANULES.load(Ordering::Relaxed)
}

/// Passes on a fresh block. The first one off a granule ends the fast path: no site is remembered any more.
fn seen(p: *mut c_void) -> *mut c_void {
    let is_off = !Avma::of(p).0.is_multiple_of(shadow::GRANULE);
    if is_off && !IS_OFF_GRANULES.swap(true, Ordering::Relaxed) {
        for index in sites::all() {
            recent::forget(sites::site(index).return_address());
        }
    }
    p
}

/// Puts the functions of this file before those of the next malloc.
pub(super) fn stand_before(
    next_malloc: *mut c_void,
    next_calloc: *mut c_void,
    next_realloc: *mut c_void,
    next_memalign: *mut c_void,
    next_aligned_alloc: *mut c_void,
    next_posix_memalign: *mut c_void,
) {
    NEXT_MALLOC.set(next_malloc);
    NEXT_CALLOC.set(next_calloc);
    NEXT_REALLOC.set(next_realloc);
    NEXT_MEMALIGN.set(next_memalign);
    NEXT_ALIGNED_ALLOC.set(next_aligned_alloc);
    NEXT_POSIX_MEMALIGN.set(next_posix_memalign);
    real::MALLOC.set(malloc as *mut c_void);
    real::CALLOC.set(calloc as *mut c_void);
    real::REALLOC.set(realloc as *mut c_void);
    real::MEMALIGN.set(memalign as *mut c_void);
    real::ALIGNED_ALLOC.set(aligned_alloc as *mut c_void);
    real::POSIX_MEMALIGN.set(posix_memalign as *mut c_void);
}

unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: the caller's promises are handed on; more is asked for than it uses.
    seen(unsafe { NEXT_MALLOC.get()(size.max(SMALLEST)) })
}

unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let is_small = count.checked_mul(size).is_some_and(|total| total < SMALLEST);
    let (count, size) = if is_small { (1, SMALLEST) } else { (count, size) };
    // SAFETY: as above.
    seen(unsafe { NEXT_CALLOC.get()(count, size) })
}

unsafe extern "C" fn realloc(p: *mut c_void, size: usize) -> *mut c_void {
    // Size 0 may mean to free, so it is handed on, and the index does not take what comes back.
    let size = if size == 0 && !p.is_null() { 0 } else { size.max(SMALLEST) };
    // SAFETY: as above.
    seen(unsafe { NEXT_REALLOC.get()(p, size) })
}

unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { NEXT_MEMALIGN.get()(align, size.max(SMALLEST)) }
}

unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above. A size that is a multiple of the alignment, as C11 wanted, stays one.
    unsafe { NEXT_ALIGNED_ALLOC.get()(align, size.max(SMALLEST.next_multiple_of(align.max(1)))) }
}

unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    // SAFETY: as above.
    unsafe { NEXT_POSIX_MEMALIGN.get()(out, align, size.max(SMALLEST)) }
}
