//! `dlclose`: blocks keep their type when the file whose code allocated them is unloaded. `dlsym`: types have symbols.
//!
//! # Safety
//! The real functions get the program's own arguments.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::hooks::{self, TYPE_SYMBOL_PREFIX};
use crate::index::sites;
use crate::interpose::lazy::Lazy;
use crate::sys::lookup;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

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

/// `dlsym(handle, name)`, which finds the type that `__uniqtype__…` names. All else is the real one's, and it is jumped to: it
/// looks at its return address to see which file asks.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn dlsym() {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "mov rdx, [rsp]",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "call {answer}",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "test rdx, rdx",
        "jz 2f",
        "jmp rdx",
        "2:",
        "ret",
        ".cfi_endproc",
        answer = sym answer,
    )
}

type Dlsym = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;

/// What `dlsym` does.
#[repr(C)]
struct Answer {
    /// It returns this,
    result: *mut c_void,
    /// unless there is a function to go on to.
    real: Option<Dlsym>,
}

unsafe extern "C" fn answer(handle: *mut c_void, name: *const c_char, caller: Avma) -> Answer {
    // SAFETY: the program's arguments.
    let result = unsafe { type_of_symbol(handle, name, caller) };
    if result.is_null() {
        return Answer { result, real: real_dlsym() };
    }
    forget_error();
    Answer { result, real: None }
}

/// The real function. It is found without a call of `dl_iterate_phdr`: a program that has its own may call `dlsym` there.
fn real_dlsym() -> Option<Dlsym> {
    static REAL: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
    let mut real = REAL.load(Ordering::Relaxed);
    if real.is_null() {
        real = lookup::next_at_start(c"dlsym");
        REAL.store(real, Ordering::Relaxed);
    }
    // SAFETY: NULL, which is `None`, or the C library's function.
    unsafe { core::mem::transmute::<*mut c_void, Option<Dlsym>>(real) }
}

/// # Safety
/// The arguments are those of `dlsym`, and the address behind the call of it.
unsafe fn type_of_symbol(handle: *mut c_void, name: *const c_char, caller: Avma) -> *mut c_void {
    if name.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: says the caller.
    let name = unsafe { CStr::from_ptr(name) };
    match hooks::get() {
        // SAFETY: says the caller.
        Some(hooks) if name.to_bytes().starts_with(TYPE_SYMBOL_PREFIX) => unsafe {
            (hooks.type_of_symbol)(handle, name, caller).cast()
        },
        _ => core::ptr::null_mut(),
    }
}

/// As the real `dlsym` does where it finds something: `dlerror` has nothing to say of what failed before.
fn forget_error() {
    type Dlerror = unsafe extern "C" fn() -> *const c_char;
    static REAL: Lazy = Lazy::new(c"dlerror");
    // SAFETY: the type is that of the C library's function.
    if let Some(real) = unsafe { REAL.get::<Dlerror>() } {
        // SAFETY: what it returned before is good up to the next call of one of its family, which is the program's `dlsym`.
        unsafe { real() };
    }
}
