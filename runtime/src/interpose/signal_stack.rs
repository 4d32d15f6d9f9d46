//! `sigaltstack`: any thread may ask about the stack that another one named for its signal handlers.
//!
//! # Safety
//! The real function gets the program's own arguments.
#![allow(unsafe_code)]

use crate::hooks;
use crate::interpose::lazy::Lazy;
use core::ffi::{c_int, c_void};

/// `sigaltstack(new, old)`.
///
/// # Safety
/// That of the C library's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaltstack(new: *const c_void, old: *mut c_void) -> c_int {
    type Sigaltstack = unsafe extern "C" fn(*const c_void, *mut c_void) -> c_int;
    static REAL: Lazy = Lazy::new(c"sigaltstack");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<Sigaltstack>() }) else { return -1 };
    // SAFETY: the program's arguments.
    let result = unsafe { real(new, old) };
    if result == 0
        && !new.is_null()
        && let Some(hooks) = hooks::get()
    {
        (hooks.signal_stack_changed)();
    }
    result
}
