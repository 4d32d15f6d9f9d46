//! For each function of the headers an object that points to it, `__liballocs_pointer_to_` and its name.
//!
//! What is linked with `-lallocs` gets small functions of the same names from `liballocs.a`. They cannot ask the dynamic
//! linker for the library's functions, since they have taken the names; so they look for these objects.
//!
//! # Safety
//! The objects hold addresses of functions, constant for ever.
#![allow(unsafe_code)]

use super::{errors, misc, queries, refs, tree, uniqtypes};

/// The address of a function, whatever its signature.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
struct Pointer(*const ());

// SAFETY: a constant address.
unsafe impl Sync for Pointer {}

macro_rules! pointers {
    ($($module:ident::$function:ident),+ $(,)?) => {
        $(
            const _: () = {
                #[cfg_attr(not(test), unsafe(export_name = concat!("__liballocs_pointer_to_", stringify!($function))))]
                #[used]
                static POINTER: Pointer = Pointer($module::$function as *const ());
            };
        )+
    };
}

pointers!(
    errors::__liballocs_errstring,
    misc::__liballocs_allocsite_by_id,
    misc::__liballocs_allocsite_id,
    misc::__liballocs_ensure_init,
    misc::__liballocs_get_specific_by_allocator,
    misc::__liballocs_global_init,
    misc::__liballocs_my_metaobj,
    misc::__liballocs_walk_stack,
    misc::__packed_seq_free,
    misc::fake_dladdr,
    queries::__liballocs_alloc_get_allocator,
    queries::__liballocs_alloc_get_base,
    queries::__liballocs_alloc_get_info,
    queries::__liballocs_alloc_get_inner_type,
    queries::__liballocs_alloc_get_name,
    queries::__liballocs_alloc_get_precise_type,
    queries::__liballocs_alloc_get_site,
    queries::__liballocs_alloc_get_site_name,
    queries::__liballocs_alloc_get_size,
    queries::__liballocs_alloc_get_type,
    queries::__liballocs_alloc_set_type,
    queries::__liballocs_get_alloc_base,
    queries::__liballocs_get_alloc_info,
    queries::__liballocs_get_alloc_site,
    queries::__liballocs_get_alloc_size,
    queries::__liballocs_get_alloc_type,
    queries::__liballocs_get_inner_type,
    queries::__liballocs_get_outermost_type,
    queries::alloc_get_allocator,
    queries::alloc_get_base,
    queries::alloc_get_info,
    queries::alloc_get_inner_type,
    queries::alloc_get_name,
    queries::alloc_get_precise_type,
    queries::alloc_get_site,
    queries::alloc_get_site_name,
    queries::alloc_get_size,
    queries::alloc_get_type,
    queries::alloc_set_type,
    refs::__liballocs_alloc_walk_refs,
    refs::__uniqtype_default_follow_ptr,
    refs::__uniqtype_walk_bfs_from_object,
    refs::alloc_walk_refs,
    tree::__liballocs_alloc_walk_allocations,
    tree::__liballocs_leaf_allocator_for,
    tree::__liballocs_walk_allocations_df,
    tree::__lookup_bigalloc_from_root,
    tree::alloc_walk_allocations,
    uniqtypes::__liballocs_add_type_to_block,
    uniqtypes::__liballocs_get_or_create_address_type,
    uniqtypes::__liballocs_get_or_create_array_type,
    uniqtypes::__liballocs_get_or_create_flexible_array_type,
    uniqtypes::__liballocs_make_subprogram_type,
    uniqtypes::__liballocs_make_union_type,
    uniqtypes::__liballocs_typestr_to_uniqtype,
    uniqtypes::__liballocs_uniqtype_name,
    uniqtypes::uniqtype_to_c,
);
