//! The functions of the C library that we call, and what each may do.
//!
//! Only functions that never allocate from the program's heap on the paths that we use belong here, with the one
//! exception that says so. `memcpy`, `memset`, `memcmp` and `strlen` are called by compiled code and need no listing.
//!
//! # Safety
//! The declarations follow glibc's headers.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_int, c_void};

/// `RTLD_DEFAULT`: the global scope, in load order.
pub const RTLD_DEFAULT: *mut c_void = core::ptr::null_mut();
/// `RTLD_NEXT`: the global scope behind the calling file.
pub const RTLD_NEXT: *mut c_void = usize::MAX as *mut c_void;

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
    /// Finds a symbol. Takes the dynamic linker's lock and, in a glibc before 2.34, may call `calloc` once a thread: only
    /// called while starting up, where the interposed functions serve such a call from the bootstrap area.
    pub fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    /// Sets a signal's handler. Async-signal-safe.
    pub fn sigaction(signal: c_int, new: *const SigAction, old: *mut SigAction) -> c_int;
    /// The environment. It changes under `setenv`, so it is read once, before other threads exist.
    pub static environ: *const *const c_char;
}
