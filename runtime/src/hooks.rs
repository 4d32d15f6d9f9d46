//! What the heap side asks of the query side, which is built on it.
//!
//! # Safety
//! The pointer is NULL or that of a `'static` table.
#![allow(unsafe_code)]

use allocs_metadata::Reason;

use crate::avma::Avma;
use crate::index::SiteIndex;
use crate::index::sites::calls::Call;
use crate::types::Uniqtype;
use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

/// What a symbol of a type begins with.
pub const TYPE_SYMBOL_PREFIX: &[u8] = allocs_metadata::link_time::SYMBOL_PREFIX.as_bytes();

/// The query side's answers. All of them may be called from any thread and from signal handlers.
#[derive(Debug)]
pub struct Hooks {
    /// Find the types of all sites now: files are about to be unloaded.
    pub before_unload: fn(),
    /// Files were unloaded: find the types of sites that only their destructors came by. What is known of addresses in
    /// them is out of date.
    pub after_unload: fn(),
    /// Whether the address lies in a loaded file.
    pub is_loaded: fn(Avma) -> bool,
    /// What the metadata says of a return address that is on the stack.
    pub look_up_call: fn(Avma) -> Call,
    /// The type that a symbol with [`TYPE_SYMBOL_PREFIX`] names, as `dlsym` is asked for it: with its handle, and the address behind the call of it; or NULL.
    /// The handle must be one that `dlsym` takes.
    pub type_of_symbol: unsafe fn(*mut c_void, &CStr, Avma) -> *mut Uniqtype,
    /// Whether the first address lies on the stack that the second one, below it, lies on: that of the calling thread.
    pub is_on_stack: fn(Avma, Avma) -> bool,
    /// The calling thread has named a stack for its signal handlers, or has none any more.
    pub signal_stack_changed: fn(),
    /// Whether a site that reallocates gives the type of its blocks, rather than its origin.
    pub decides: fn(SiteIndex) -> bool,
    /// What a census prints about a site.
    pub describe_site: fn(SiteIndex) -> SiteDescription,
}

/// What a census prints about a site. Texts are UTF-8 or at least bytes that C printed; empty is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteDescription {
    /// Name of the allocator.
    pub allocator: &'static [u8],
    /// Name of the type; empty if it has none.
    pub type_name: &'static [u8],
    /// The type as C spells it.
    pub c_type: &'static [u8],
    /// Source file, basename.
    pub file: &'static [u8],
    /// Source line.
    pub line: u32,
    /// Function that holds the call.
    pub function: &'static [u8],
    /// Word for the evidence: `sizeof`, `receiver`, `both`, `declared`, `dwarf`, `set`, `none`.
    pub evidence: &'static [u8],
    /// Whether positive evidence says that the blocks are buffers of bytes or characters.
    pub is_buffer: bool,
    /// Why nothing is known, if the evidence is none.
    pub reason: Reason,
    /// What more there is to say of that.
    pub reason_detail: &'static [u8],
}

impl SiteDescription {
    /// Of a site of which nothing was noted.
    pub const UNKNOWN: SiteDescription = SiteDescription {
        allocator: b"generic malloc",
        type_name: b"",
        c_type: b"",
        file: b"",
        line: 0,
        function: b"",
        evidence: b"none",
        is_buffer: false,
        reason: Reason::NoSite,
        reason_detail: b"",
    };
}

static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(core::ptr::null_mut());

/// Makes the query side known. Called once, by it, when it starts.
pub fn register(hooks: &'static Hooks) {
    HOOKS.store(core::ptr::from_ref(hooks).cast_mut(), Ordering::Release);
}

/// The query side, if it has started.
#[must_use]
pub fn get() -> Option<&'static Hooks> {
    // SAFETY: NULL, or a table that lives for ever.
    unsafe { HOOKS.load(Ordering::Acquire).as_ref() }
}
