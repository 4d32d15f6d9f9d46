//! The rest of the malloc family: `realloc`, and the functions with an alignment.
//!
//! Each entry adds the return address to the arguments. The size of a block is what the program asked for, also where the
//! real function rounds it up.
//!
//! # Safety
//! The real functions get the program's own arguments.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::census;
use crate::index::{self, Block, sites};
use crate::interpose::{bootstrap, entry, note, real};
use core::ffi::{c_int, c_void};

entry! {
    /// `realloc(p, size)`.
    realloc => realloc_from, "rdx"
}
entry! {
    /// `reallocarray(p, count, size)`.
    reallocarray => reallocarray_from, "rcx"
}
entry! {
    /// `memalign(align, size)`.
    memalign => memalign_from, "rdx"
}
entry! {
    /// `aligned_alloc(align, size)`.
    aligned_alloc => aligned_alloc_from, "rdx"
}
entry! {
    /// `posix_memalign(out, align, size)`.
    posix_memalign => posix_memalign_from, "rcx"
}
entry! {
    /// `valloc(size)`.
    valloc => valloc_from, "rsi"
}
entry! {
    /// `pvalloc(size)`.
    pvalloc => pvalloc_from, "rsi"
}

extern "C" fn realloc_from(p: *mut c_void, size: usize, return_address: usize) -> *mut c_void {
    let (old, return_address) = (Avma::of(p), Avma(return_address));
    if bootstrap::owns(old) {
        return leave_bootstrap(p, size, return_address);
    }
    // Out of the index before the real call: once that gives the memory back, another thread may get it.
    let suspended = if old.is_null() { None } else { index::suspend(old) };
    // SAFETY: the program's arguments.
    let new = unsafe { real::REALLOC.get()(p, size) };
    let Some(suspended) = suspended else {
        note::fresh(Avma::of(new), size, return_address);
        return new;
    };
    let freed = size == 0 && (new.is_null() || real::is_foreign());
    if new.is_null() && !freed {
        index::resume(suspended, Some(suspended.block));
    } else if freed {
        index::resume(suspended, None);
    } else {
        let site = sites::reallocated(suspended.block.site, return_address);
        index::resume(suspended, Some(Block { base: Avma::of(new), size, site }));
        if census::is_on() {
            index::site(site).count(size);
        }
    }
    new
}

extern "C" fn reallocarray_from(
    p: *mut c_void,
    count: usize,
    size: usize,
    return_address: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) => realloc_from(p, total, return_address),
        // SAFETY: it cannot succeed, and sets errno as reallocarray has to.
        None => unsafe { real::CALLOC.get()(count, size) },
    }
}

extern "C" fn memalign_from(align: usize, size: usize, return_address: usize) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::MEMALIGN.get()(align, size) };
    note::fresh(Avma::of(p), size, Avma(return_address));
    p
}

extern "C" fn aligned_alloc_from(align: usize, size: usize, return_address: usize) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::ALIGNED_ALLOC.get()(align, size) };
    note::fresh(Avma::of(p), size, Avma(return_address));
    p
}

extern "C" fn posix_memalign_from(
    out: *mut *mut c_void,
    align: usize,
    size: usize,
    return_address: usize,
) -> c_int {
    // SAFETY: the program's arguments.
    let error = unsafe { real::POSIX_MEMALIGN.get()(out, align, size) };
    if error == 0 {
        // SAFETY: the real function has just stored a pointer there.
        note::fresh(Avma::of(unsafe { *out }), size, Avma(return_address));
    }
    error
}

extern "C" fn valloc_from(size: usize, return_address: usize) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::VALLOC.get()(size) };
    note::fresh(Avma::of(p), size, Avma(return_address));
    p
}

extern "C" fn pvalloc_from(size: usize, return_address: usize) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::PVALLOC.get()(size) };
    note::fresh(Avma::of(p), size, Avma(return_address));
    p
}

/// Moves a piece of the bootstrap area to the heap.
fn leave_bootstrap(p: *mut c_void, size: usize, return_address: Avma) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let new = unsafe { real::MALLOC.get()(size) };
    if !new.is_null() {
        let len = size.min(bootstrap::readable_behind(Avma::of(p)));
        // SAFETY: the new block has `size` bytes, the area at least `len` behind `p`, and they are apart unless the new
        // block is in the area too, where pieces do not overlap but what is read behind `p` may: hence `copy`.
        unsafe { core::ptr::copy(p.cast::<u8>(), new.cast::<u8>(), len) };
        note::fresh(Avma::of(new), size, return_address);
    }
    new
}
