//! The rest of the malloc family: `reallocarray`, and the functions with an alignment.
//!
//! Each entry adds the caller's registers to the arguments. The size of a block is what the program asked for, also where
//! the real function rounds it up.
//!
//! # Safety
//! The real functions get the program's own arguments.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::caller::Caller;
use crate::interpose::malloc::move_block;
use crate::interpose::{entry, note, real};
use core::ffi::{c_int, c_void};

entry! {
    /// `reallocarray(p, count, size)`.
    reallocarray => reallocarray_from, "rcx", "r8"
}
entry! {
    /// `memalign(align, size)`.
    memalign => memalign_from, "rdx", "rcx"
}
entry! {
    /// `aligned_alloc(align, size)`.
    aligned_alloc => aligned_alloc_from, "rdx", "rcx"
}
entry! {
    /// `posix_memalign(out, align, size)`.
    posix_memalign => posix_memalign_from, "rcx", "r8"
}
entry! {
    /// `valloc(size)`.
    valloc => valloc_from, "rsi", "rdx"
}
entry! {
    /// `pvalloc(size)`.
    pvalloc => pvalloc_from, "rsi", "rdx"
}

extern "C" fn reallocarray_from(p: *mut c_void, count: usize, size: usize, caller: Caller) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) if p.is_null() => fresh_array(total, caller),
        Some(total) => move_block(p, total, caller),
        // SAFETY: it cannot succeed, and sets errno as reallocarray has to.
        None => unsafe { real::CALLOC.get()(count, size) },
    }
}

fn fresh_array(size: usize, caller: Caller) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let p = unsafe { real::REALLOC.get()(core::ptr::null_mut(), size) };
    note::fresh(Avma::of(p), size, caller);
    p
}

extern "C" fn memalign_from(align: usize, size: usize, caller: Caller) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::MEMALIGN.get()(align, size) };
    note::fresh(Avma::of(p), size, caller);
    p
}

extern "C" fn aligned_alloc_from(align: usize, size: usize, caller: Caller) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::ALIGNED_ALLOC.get()(align, size) };
    note::fresh(Avma::of(p), size, caller);
    p
}

extern "C" fn posix_memalign_from(out: *mut *mut c_void, align: usize, size: usize, caller: Caller) -> c_int {
    // SAFETY: the program's arguments.
    let error = unsafe { real::POSIX_MEMALIGN.get()(out, align, size) };
    if error == 0 {
        // SAFETY: the real function has just stored a pointer there.
        note::fresh(Avma::of(unsafe { *out }), size, caller);
    }
    error
}

extern "C" fn valloc_from(size: usize, caller: Caller) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::VALLOC.get()(size) };
    note::fresh(Avma::of(p), size, caller);
    p
}

extern "C" fn pvalloc_from(size: usize, caller: Caller) -> *mut c_void {
    // SAFETY: the program's arguments.
    let p = unsafe { real::PVALLOC.get()(size) };
    note::fresh(Avma::of(p), size, caller);
    p
}
