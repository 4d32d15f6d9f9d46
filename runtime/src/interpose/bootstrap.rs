//! A little memory for allocations that cannot wait for the real malloc.
//!
//! Finding the real malloc means walking over the loaded files. A program may have a `dl_iterate_phdr` of its own, and that
//! may allocate; so may the resolver of an indirect function. What is handed out meanwhile comes from here; `free` and `realloc` know it again by its address. It is not a heap block: the index does
//! not have it.
//!
//! # Safety
//! A piece of the area is handed out once, because `NEXT` only grows.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::shadow::{self, Size};
use crate::index::{LARGE, regions};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

const AREA_SIZE: usize = 16 * 1024;
const ALIGN: usize = 16;

#[repr(C, align(64))]
struct Area(UnsafeCell<[u8; AREA_SIZE]>);

// SAFETY: the bytes are never accessed through the area itself, only through pieces handed out.
unsafe impl Sync for Area {}

static AREA: Area = Area(UnsafeCell::new([0; AREA_SIZE]));
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Zeroed memory on a 16-byte boundary, or NULL when the area is used up.
pub fn alloc(size: usize) -> *mut c_void {
    // Two granules at least, so that no other block's mark lies where the size of this one does.
    let needed = size.max(2 * shadow::GRANULE).checked_next_multiple_of(ALIGN);
    let Some(needed) = needed.filter(|&needed| needed <= AREA_SIZE) else { return core::ptr::null_mut() };
    let start = NEXT.fetch_add(needed, Ordering::Relaxed);
    if start > AREA_SIZE - needed {
        return core::ptr::null_mut();
    }
    let piece = Avma(Avma::of(AREA.0.get()).0 + start);
    // A big size without a mark sends `free` of this piece to its cold path, which asks `owns`. A region without a
    // shadow does so too.
    if let Some(region) = regions::find_or_create(piece) {
        shadow::set_size(region, piece, Size::of(LARGE));
    }
    piece.pointer()
}

/// Whether `p` came from here.
#[must_use]
pub fn owns(p: Avma) -> bool {
    p.is_in(Avma::of(AREA.0.get()), AREA_SIZE)
}

/// How many bytes lie behind `p`, which came from here, up to the end of the area. All of them can be read.
#[must_use]
pub fn readable_behind(p: Avma) -> usize {
    AREA_SIZE - (p.0 - Avma::of(AREA.0.get()).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_known_again_and_the_end_is_null() {
        let first = Avma::of(alloc(1));
        let second = Avma::of(alloc(100));
        assert!(owns(first) && owns(second) && !owns(Avma(first.0 - 1)));
        assert_eq!((first.0 % 16, second.0 - first.0), (0, 32));
        assert!(alloc(AREA_SIZE + 1).is_null());
        assert!(alloc(usize::MAX).is_null());
        while !alloc(1000).is_null() {}
        assert!(alloc(1000).is_null());
    }
}
