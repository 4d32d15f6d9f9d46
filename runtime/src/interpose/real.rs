//! The next definition, in load order, of each function that we take the place of.
//!
//! Each pointer starts as a bootstrap function that finds them all and goes on to the right one; so a call needs no test
//! whether we are started. The program may call `malloc` before our constructor runs.
//!
//! # Safety
//! A pointer holds either a bootstrap function or what the look-up gave for that name, whose signature C fixes.
#![allow(unsafe_code)]

use crate::interpose::{bootstrap, padded};
use crate::sys::lookup;
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};

/// `malloc`, `valloc`, `pvalloc`.
pub type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
/// `free`.
pub type Free = unsafe extern "C" fn(*mut c_void);
/// `calloc`, `memalign`, `aligned_alloc`.
pub type Calloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;
/// `realloc`.
pub type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `posix_memalign`.
pub type PosixMemalign = unsafe extern "C" fn(*mut *mut c_void, usize, usize) -> c_int;

/// A pointer to a real function of type `F`.
#[derive(Debug)]
#[repr(transparent)]
pub struct Real<F>(AtomicPtr<c_void>, PhantomData<F>);

impl<F: Copy> Real<F> {
    pub(super) const fn new(bootstrap: *mut c_void) -> Real<F> {
        Real(AtomicPtr::new(bootstrap), PhantomData)
    }

    /// The function.
    pub fn get(&self) -> F {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let function = self.0.load(Ordering::Relaxed);
        // SAFETY: F is a pointer to functions, and the stored one is never NULL and has that signature.
        unsafe { core::mem::transmute_copy::<*mut c_void, F>(&function) }
    }

    pub(super) fn set(&self, function: *mut c_void) {
        if !function.is_null() {
            self.0.store(function, Ordering::Relaxed);
        }
    }
}

macro_rules! reals {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $bootstrap:ident;)*) => {
        $($(#[$doc])* pub static $name: Real<$type> = Real::new($bootstrap as *mut c_void);)*
    };
}

reals! {
    /// The real `malloc`.
    MALLOC: Malloc = first_malloc;
    /// The real `free`.
    FREE: Free = first_free;
    /// The real `calloc`.
    CALLOC: Calloc = first_calloc;
    /// The real `realloc`.
    REALLOC: Realloc = first_realloc;
    /// The real `memalign`.
    MEMALIGN: Calloc = first_memalign;
    /// The real `aligned_alloc`.
    ALIGNED_ALLOC: Calloc = first_aligned_alloc;
    /// The real `posix_memalign`.
    POSIX_MEMALIGN: PosixMemalign = first_posix_memalign;
    /// The real `valloc`.
    VALLOC: Malloc = first_valloc;
    /// The real `pvalloc`.
    PVALLOC: Malloc = first_pvalloc;
}

static STATE: AtomicU8 = AtomicU8::new(UNRESOLVED);
const UNRESOLVED: u8 = 0;
const RESOLVING: u8 = 1;
const RESOLVED: u8 = 2;

/// Whether the next malloc is not the C library's.
static FOREIGN: AtomicBool = AtomicBool::new(false);

/// Whether the next malloc is not the C library's.
#[must_use]
pub fn is_foreign() -> bool {
    FOREIGN.load(Ordering::Relaxed)
}

/// Finds the real functions. `false` for a call that comes from the finding itself; then the bootstrap area must serve.
pub fn resolve() -> bool {
    match STATE.compare_exchange(UNRESOLVED, RESOLVING, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {}
        Err(state) => return state == RESOLVED,
    }
    let [
        malloc,
        libc_malloc,
        calloc,
        realloc,
        memalign,
        aligned_alloc,
        posix_memalign,
        valloc,
        pvalloc,
        free,
    ] = lookup::next([
        c"malloc",
        c"__libc_malloc",
        c"calloc",
        c"realloc",
        c"memalign",
        c"aligned_alloc",
        c"posix_memalign",
        c"valloc",
        c"pvalloc",
        c"free",
    ]);
    FOREIGN.store(malloc != libc_malloc, Ordering::Relaxed);
    if is_foreign() {
        padded::stand_before(malloc, calloc, realloc, memalign, aligned_alloc, posix_memalign);
    } else {
        MALLOC.set(malloc);
        CALLOC.set(calloc);
        REALLOC.set(realloc);
        MEMALIGN.set(memalign);
        ALIGNED_ALLOC.set(aligned_alloc);
        POSIX_MEMALIGN.set(posix_memalign);
    }
    // These two round up to whole pages themselves.
    VALLOC.set(valloc);
    PVALLOC.set(pvalloc);
    FREE.set(free);
    STATE.store(RESOLVED, Ordering::Release);
    true
}

pub(super) unsafe extern "C" fn first_malloc(size: usize) -> *mut c_void {
    // SAFETY: the caller's promises are handed on.
    if resolve() { unsafe { MALLOC.get()(size) } } else { bootstrap::alloc(size) }
}

unsafe extern "C" fn first_free(p: *mut c_void) {
    if resolve() {
        // SAFETY: as above.
        unsafe { FREE.get()(p) }
    }
}

pub(super) unsafe extern "C" fn first_calloc(count: usize, size: usize) -> *mut c_void {
    if resolve() {
        // SAFETY: as above.
        return unsafe { CALLOC.get()(count, size) };
    }
    count.checked_mul(size).map_or(core::ptr::null_mut(), bootstrap::alloc)
}

pub(super) unsafe extern "C" fn first_realloc(p: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as above. While the finding runs there is nothing to reallocate but pieces of the bootstrap area, which
    // our realloc does not hand on.
    if resolve() { unsafe { REALLOC.get()(p, size) } } else { bootstrap::alloc(size) }
}

pub(super) unsafe extern "C" fn first_memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    if resolve() { unsafe { MEMALIGN.get()(align, size) } } else { core::ptr::null_mut() }
}

pub(super) unsafe extern "C" fn first_aligned_alloc(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    if resolve() { unsafe { ALIGNED_ALLOC.get()(align, size) } } else { core::ptr::null_mut() }
}

pub(super) unsafe extern "C" fn first_posix_memalign(
    out: *mut *mut c_void,
    align: usize,
    size: usize,
) -> c_int {
    const ENOMEM: c_int = 12;
    // SAFETY: as above.
    if resolve() { unsafe { POSIX_MEMALIGN.get()(out, align, size) } } else { ENOMEM }
}

unsafe extern "C" fn first_valloc(size: usize) -> *mut c_void {
    // SAFETY: as above.
    if resolve() { unsafe { VALLOC.get()(size) } } else { core::ptr::null_mut() }
}

unsafe extern "C" fn first_pvalloc(size: usize) -> *mut c_void {
    // SAFETY: as above.
    if resolve() { unsafe { PVALLOC.get()(size) } } else { core::ptr::null_mut() }
}
