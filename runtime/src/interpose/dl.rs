//! `dlclose`: blocks keep their type when the file whose code allocated them is unloaded.
//!
//! # Safety
//! The real function gets the program's own argument.
#![allow(unsafe_code)]

use crate::hooks;
use crate::index::sites;
use crate::interpose::lazy::Lazy;
use core::ffi::{c_int, c_void};

/// `dlclose(handle)`.
///
/// # Safety
/// That of the C library's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlclose(handle: *mut c_void) -> c_int {
    type Dlclose = unsafe extern "C" fn(*mut c_void) -> c_int;
    static REAL: Lazy = Lazy::new(c"dlclose");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<Dlclose>() }) else { return -1 };
    let hooks = hooks::get();
    if let Some(hooks) = hooks {
        (hooks.before_unload)();
    }
    // SAFETY: the program's argument.
    let result = unsafe { real(handle) };
    if let Some(hooks) = hooks {
        (hooks.after_unload)();
        sites::retire_unloaded(hooks.is_loaded);
    }
    result
}
