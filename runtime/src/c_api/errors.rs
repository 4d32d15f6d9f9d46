//! Errors, as addresses of objects that never change.
//!
//! # Safety
//! The messages are NUL-terminated literals.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

use crate::query::Reason;

/// `struct liballocs_err`.
#[derive(Debug)]
#[repr(C)]
pub struct Error {
    message: *const c_char,
}

// SAFETY: the message is a literal.
unsafe impl Sync for Error {}

impl Error {
    const fn new(message: &'static CStr) -> Error {
        Error { message: message.as_ptr() }
    }
}

/// `liballocs_err_t`: NULL is success.
pub type ErrorPtr = *const Error;

/// No error.
pub const SUCCESS: ErrorPtr = core::ptr::null();

/// The error object of a reason.
#[must_use]
pub fn error(reason: Reason) -> ErrorPtr {
    static UNKNOWN_STORAGE: Error = Error::new(c"unrecognised storage");
    static UNINDEXED_HEAP: Error = Error::new(c"unindexed heap");
    static UNKNOWN_SITE: Error = Error::new(c"unrecognised alloc site");
    static UNINDEXED_ALLOCA: Error = Error::new(c"unindexed alloca");
    static UNKNOWN_STATIC: Error = Error::new(c"unrecognised static object");
    static LOST_WALK: Error = Error::new(c"stack walk step failure");
    static UNKNOWN_FRAME: Error = Error::new(c"no stack frame metadata");
    match reason {
        Reason::UnknownStorage => &UNKNOWN_STORAGE,
        Reason::UnindexedHeap => &UNINDEXED_HEAP,
        Reason::UnknownSite => &UNKNOWN_SITE,
        Reason::UnindexedAlloca => &UNINDEXED_ALLOCA,
        Reason::UnknownStatic => &UNKNOWN_STATIC,
        Reason::LostWalk => &LOST_WALK,
        Reason::UnknownFrame => &UNKNOWN_FRAME,
    }
}

/// The error of an operation that the allocator does not have.
#[must_use]
pub fn unsupported() -> ErrorPtr {
    static UNSUPPORTED: Error = Error::new(c"not a heap allocation");
    &UNSUPPORTED
}

/// What an error says.
///
/// # Safety
/// `error` is NULL or was given by a query.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_errstring(error: ErrorPtr) -> *const c_char {
    // SAFETY: says the caller.
    unsafe { error.as_ref() }.map_or(c"success".as_ptr(), |error| error.message)
}
