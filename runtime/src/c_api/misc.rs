//! What is neither a question about an allocation nor about a type: sites by number, frames, files, readiness.
//!
//! # Safety
//! C programs call these; out pointers are NULL or the caller's, callbacks have the header's signatures.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ops::ControlFlow;

use super::allocators::AllocatorObject;
use crate::allocators::statics;
use crate::avma::Avma;
use crate::index::sites::{self, Key};
use crate::index::{SiteIndex, site};
use crate::init;
use crate::modules::{self, dl, symbols};
use crate::types::Uniqtype;
use crate::unwind::Caller;
use crate::unwind::entry::entry;
use crate::unwind::walk;

/// Whether queries are answered; set once, when the library starts.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)]
pub static __liballocs_is_initialized: core::sync::atomic::AtomicBool =
    core::sync::atomic::AtomicBool::new(false);

/// Says that queries are answered from now on.
pub fn set_initialized() {
    __liballocs_is_initialized.store(true, core::sync::atomic::Ordering::Release);
}

/// 0 if queries are answered. The library makes itself ready, so there is nothing to do.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __liballocs_global_init() -> c_int {
    if init::ready() { 0 } else { -1 }
}

/// The library makes itself ready, so there is nothing to do.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __liballocs_ensure_init() {}

/// The number of an allocation site; 0 for what is none.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __liballocs_allocsite_id(address: Avma) -> u32 {
    let fresh = sites::find(Key::plain(address));
    fresh.or_else(|| sites::find_any(address)).unwrap_or(SiteIndex::UNKNOWN).0
}

/// The allocation site of a number; NULL if there is none.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __liballocs_allocsite_by_id(id: u32) -> *const c_void {
    site(SiteIndex(id)).return_address().pointer()
}

/// Ends a packed sequence, of which the library keeps nothing.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __packed_seq_free(_sequence: *mut c_void) {}

/// What an allocator alone knows of an object: nothing, for the built-in ones.
///
/// # Safety
/// `ty` is NULL or may be written.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_get_specific_by_allocator(
    _obj: Avma,
    _allocator: *const AllocatorObject,
    ty: *mut *mut Uniqtype,
) -> *mut c_void {
    if !ty.is_null() {
        // SAFETY: says the caller.
        unsafe { ty.write(core::ptr::null_mut()) };
    }
    core::ptr::null_mut()
}

type StackCallback = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void) -> c_int;

entry!(__liballocs_walk_stack => walk_stack, "rdx", "rcx");

unsafe extern "C" fn walk_stack(
    callback: Option<StackCallback>,
    argument: *mut c_void,
    return_slot: Avma,
    rbp: Avma,
) -> c_int {
    let Some(callback) = callback else { return 0 };
    let walked = walk::walk(Caller { return_slot, rbp }, |frame| {
        // SAFETY: the callback has this signature, and gets the argument that its owner passed.
        match unsafe { callback(frame.ip.pointer(), frame.sp.pointer(), frame.bp.pointer(), argument) } {
            0 => ControlFlow::Continue(()),
            result => ControlFlow::Break(result),
        }
    });
    walked.unwrap_or(0)
}

entry!(__liballocs_my_metaobj => my_metaobj, "rdi", "rsi");

/// The file that calls, as a handle for `dlsym`.
extern "C" fn my_metaobj(return_slot: Avma, _rbp: Avma) -> *mut c_void {
    // SAFETY: the slot holds the return address of the call that we are in.
    let address = unsafe { return_slot.pointer::<Avma>().read() };
    dl::loaded_at(address).map_or(core::ptr::null_mut(), |file| file.handle)
}

/// `dladdr` that knows `static` functions and variables.
///
/// # Safety
/// Each out pointer is NULL or may be written.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fake_dladdr(
    address: Avma,
    file: *mut *const c_char,
    file_base: *mut *mut c_void,
    symbol: *mut *const c_char,
    symbol_base: *mut *mut c_void,
) -> c_int {
    let Some(module) = modules::at(address) else { return 0 };
    let (name, base) = match statics::static_at(module, address) {
        Some(hit) => (hit.name().map_or(core::ptr::null(), CStr::as_ptr), hit.base()),
        None => symbols::symbol_at(module, address)
            .map_or((core::ptr::null(), Avma::NULL), |symbol| (symbol.c_name(), symbol.base)),
    };
    // SAFETY: says the caller.
    unsafe {
        put(file, module.path().as_ptr());
        put(file_base, module.start.pointer());
        put(symbol, name);
        put(symbol_base, base.pointer());
    }
    1
}

/// # Safety
/// `out` is NULL or may be written.
pub(super) unsafe fn put<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: says the caller.
        unsafe { out.write(value) };
    }
}
