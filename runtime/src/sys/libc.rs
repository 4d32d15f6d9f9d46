//! The functions of the C library that we call, and what each may do.
//!
//! Only functions that never allocate from the program's heap belong here. `memcpy`, `memset`, `memcmp` and `strlen` are called by compiled code and need no listing.
//!
//! # Safety
//! The declarations follow glibc's headers.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_int};

/// `struct sigaction` of glibc on x86-64.
#[derive(Debug)]
#[repr(C)]
pub struct SigAction {
    /// `sa_handler` or `sa_sigaction`.
    pub handler: usize,
    /// `sa_mask`.
    pub mask: [u64; 16],
    /// `sa_flags`.
    pub flags: c_int,
    /// `sa_restorer`, which glibc sets itself.
    pub restorer: usize,
}

const _: () = assert!(size_of::<SigAction>() == 152);

#[link(name = "c")]
unsafe extern "C" {
    /// Sets a signal's handler. Async-signal-safe.
    pub fn sigaction(signal: c_int, new: *const SigAction, old: *mut SigAction) -> c_int;
    /// The environment. It changes under `setenv`, so it is read once, before other threads exist.
    pub static environ: *const *const c_char;
}
