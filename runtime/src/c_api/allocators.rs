//! The allocators, as objects with a table of functions (`struct allocator`).
//!
//! # Safety
//! The objects hold addresses of literals and functions, constant for ever.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_void};

use super::{queries, tree};
use crate::index::big;
use crate::query::{Allocator, malloc_in_use};

/// A function of C, whatever its signature: each entry's is that of the header.
type Function = unsafe extern "C" fn();

/// A function with whatever signature, as an entry of the table.
const fn entry(function: *const ()) -> Option<Function> {
    // SAFETY: a function's address; C calls it with the signature that the header gives the entry.
    Some(unsafe { core::mem::transmute::<*const (), Function>(function) })
}

/// `struct allocator`. What an allocator cannot do is `None`.
#[derive(Debug)]
#[repr(C)]
pub struct AllocatorObject {
    name: *const c_char,
    min_alignment: u32,
    is_cacheable: bool,
    get_type: Option<Function>,
    get_base: Option<Function>,
    get_size: Option<Function>,
    get_name: Option<Function>,
    get_site: Option<Function>,
    get_info: Option<Function>,
    get_specific: Option<Function>,
    ensure_big: Option<Function>,
    slots_a: [usize; 5],
    set_type: Option<Function>,
    set_site: Option<Function>,
    walk_allocations: Option<Function>,
    slots_b: [usize; 7],
}

const _: () = assert!(size_of::<AllocatorObject>() == 16 + 8 * (8 + 5 + 3 + 7));

// SAFETY: literals and functions.
unsafe impl Sync for AllocatorObject {}

impl AllocatorObject {
    const fn new(name: &'static CStr, min_alignment: u32) -> AllocatorObject {
        AllocatorObject {
            name: name.as_ptr(),
            min_alignment,
            is_cacheable: false,
            get_type: Some(queries::alloc_get_type as Function),
            get_base: Some(queries::alloc_get_base as Function),
            get_size: Some(queries::alloc_get_size as Function),
            get_name: Some(queries::alloc_get_name as Function),
            get_site: Some(queries::alloc_get_site as Function),
            get_info: Some(queries::alloc_get_info as Function),
            get_specific: None,
            ensure_big: None,
            slots_a: [0; 5],
            set_type: entry(queries::alloc_set_type as *const ()),
            set_site: None,
            walk_allocations: entry(tree::alloc_walk_allocations as *const ()),
            slots_b: [0; 7],
        }
    }
}

macro_rules! objects {
    ($($object:ident: $name:literal, $alignment:literal;)+) => {
        $(
            /// The allocator of this name.
            #[cfg_attr(not(test), unsafe(no_mangle))]
            #[allow(non_upper_case_globals)]
            pub static $object: AllocatorObject = AllocatorObject::new($name, $alignment);
        )+
    };
}

objects! {
    __mmap_allocator: c"mmap", 4096;
    __brk_allocator: c"brk", 4096;
    __static_file_allocator: c"static file", 1;
    __static_segment_allocator: c"static segment", 1;
    __static_section_allocator: c"static section", 1;
    __static_symbol_allocator: c"static", 1;
    __stack_allocator: c"stack", 8;
    __stackframe_allocator: c"stackframe", 8;
    __auxv_allocator: c"auxv", 8;
    __alloca_allocator: c"alloca", 1;
    __default_lib_malloc_allocator: c"generic malloc", 16;
    __global_malloc_allocator: c"generic malloc", 16;
    __ld_so_malloc_allocator: c"ld.so malloc", 1;
    __generic_small_allocator: c"generic small", 1;
    __packed_seq_allocator: c"packed sequence", 1;
}

/// The object of an allocator.
#[must_use]
pub fn object(allocator: Allocator) -> &'static AllocatorObject {
    match allocator {
        Allocator::Mmap => &__mmap_allocator,
        Allocator::Brk => &__brk_allocator,
        Allocator::StaticFile => &__static_file_allocator,
        Allocator::StaticSection => &__static_section_allocator,
        Allocator::StaticSegment => &__static_segment_allocator,
        Allocator::StaticSymbol => &__static_symbol_allocator,
        Allocator::Stack => &__stack_allocator,
        Allocator::StackFrame => &__stackframe_allocator,
        Allocator::Alloca => &__alloca_allocator,
        Allocator::Auxv => &__auxv_allocator,
        Allocator::Malloc => &__default_lib_malloc_allocator,
        Allocator::OwnMalloc => &__global_malloc_allocator,
        Allocator::Small => &__generic_small_allocator,
    }
}

/// Tells the heap index which allocators its blocks are of.
pub fn init() {
    let pointer = |allocator| core::ptr::from_ref(object(allocator)).cast_mut().cast::<c_void>();
    big::set_malloc_allocator(pointer(malloc_in_use()));
    big::set_pool_allocator(pointer(Allocator::Small));
}
