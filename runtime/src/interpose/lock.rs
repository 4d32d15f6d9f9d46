//! `mlockall`: a program that locks all its memory must not lock ours, of which far more is reserved than used.
//!
//! # Safety
//! The real function gets the program's own flags and one more.
#![allow(unsafe_code)]

use crate::interpose::lazy::Lazy;
use core::ffi::c_int;

/// `mlockall(flags)`: pages are locked when they are first touched, not all at once.
#[unsafe(no_mangle)]
pub extern "C" fn mlockall(flags: c_int) -> c_int {
    type Mlockall = unsafe extern "C" fn(c_int) -> c_int;
    const MCL_ONFAULT: c_int = 4;
    static REAL: Lazy = Lazy::new(c"mlockall");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<Mlockall>() }) else { return -1 };
    // SAFETY: any flags may be asked for.
    unsafe { real(flags | MCL_ONFAULT) }
}
