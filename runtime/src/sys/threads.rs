//! Whether the process has threads.
//!
//! # Safety
//! The pointer is NULL or the address of glibc's `__libc_single_threaded`, a byte that stays.
#![allow(unsafe_code)]

use core::ffi::c_char;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::libc::{RTLD_DEFAULT, dlsym};

static SINGLE_THREADED: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());

/// Looks up what this glibc (2.32 and later) has. Called once, at start.
pub fn init() {
    // SAFETY: a look-up of a NUL-terminated name, at start.
    let found = unsafe { dlsym(RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
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
