//! Whether the process has threads.
//!
//! # Safety
//! The pointer is NULL or the address of glibc's `__libc_single_threaded`, a byte that stays.
#![allow(unsafe_code)]

use core::ffi::c_char;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::lookup;

static SINGLE_THREADED: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());

/// Looks up what this glibc (2.32 and later) has. Called once, at start.
pub fn init() {
    let found = lookup::in_use(c"__libc_single_threaded");
    SINGLE_THREADED.store(found.cast(), Ordering::Relaxed);
}

/// Whether the calling thread is known to be the only one.
#[must_use]
#[inline]
pub fn only_one() -> bool {
    let flag = SINGLE_THREADED.load(Ordering::Relaxed);
    // SAFETY: glibc writes the byte only while another thread is about to be made or has ended.
    !flag.is_null() && unsafe { flag.read_volatile() } != 0
}
