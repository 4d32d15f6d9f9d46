# liballocs.a: the functions of the headers for what is linked with -lallocs, because it declares them itself. The types that
# the headers declare are in uniqtypes.s.
#
# Each jumps to the function of the same name in the run-time library, and answers as the headers do where that is not
# loaded. So a program needs no shared library of ours at start, and links as well where none is installed.
#
# Having the name, it cannot ask the dynamic linker for it; the library has an object for each that points to it. The
# load through the global offset table survives in code that is not position-independent (see liballocs-optional.h).
# All are weak: a program that has a function of such a name for itself keeps it.

	.macro forward name, absent=nothing
	.section .text.\name, "ax", @progbits
	.weak \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
	endbr64
	.weak __liballocs_pointer_to_\name
	movq __liballocs_pointer_to_\name@GOTPCREL(%rip), %rax
	testq %rax, %rax
	jz .Labsent_\absent
	jmp *(%rax)
	.cfi_endproc
	.size \name, . - \name
	.endm

	.text
.Labsent_nothing:
	xorl %eax, %eax
	ret

.Labsent_minus_one:
	movl $-1, %eax
	ret

# Out parameters are set to nothing: the third to the sixth, and of the older function the second, too.
.Labsent_alloc_info:
	testq %rsi, %rsi
	jz .Labsent_info
	movq $0, (%rsi)
.Labsent_info:
	.irp pointer, rdx, rcx, r8, r9
	testq %\pointer, %\pointer
	jz 1f
	movq $0, (%\pointer)
1:
	.endr
	xorl %eax, %eax
	ret

	forward __liballocs_add_type_to_block, minus_one
	forward __liballocs_alloc_get_allocator
	forward __liballocs_alloc_get_base
	forward __liballocs_alloc_get_info, info
	forward __liballocs_alloc_get_inner_type
	forward __liballocs_alloc_get_name
	forward __liballocs_alloc_get_precise_type
	forward __liballocs_alloc_get_site
	forward __liballocs_alloc_get_site_name
	forward __liballocs_alloc_get_size
	forward __liballocs_alloc_get_type
	forward __liballocs_alloc_set_type
	forward __liballocs_alloc_walk_allocations
	forward __liballocs_alloc_walk_refs
	forward __liballocs_allocsite_by_id
	forward __liballocs_allocsite_id
	forward __liballocs_ensure_init
	forward __liballocs_errstring
	forward __liballocs_get_alloc_base
	forward __liballocs_get_alloc_info, alloc_info
	forward __liballocs_get_alloc_site
	forward __liballocs_get_alloc_size
	forward __liballocs_get_alloc_type
	forward __liballocs_get_inner_type
	forward __liballocs_get_or_create_address_type
	forward __liballocs_get_or_create_array_type
	forward __liballocs_get_or_create_flexible_array_type
	forward __liballocs_get_outermost_type
	forward __liballocs_get_specific_by_allocator
	forward __liballocs_global_init
	forward __liballocs_leaf_allocator_for
	forward __liballocs_make_subprogram_type
	forward __liballocs_make_union_type
	forward __liballocs_my_metaobj
	forward __liballocs_typestr_to_uniqtype
	forward __liballocs_uniqtype_name
	forward __liballocs_walk_allocations_df
	forward __liballocs_walk_stack
	forward __lookup_bigalloc_from_root
	forward __packed_seq_free
	forward __uniqtype_default_follow_ptr
	forward __uniqtype_walk_bfs_from_object
	forward alloc_get_allocator
	forward alloc_get_base
	forward alloc_get_info, info
	forward alloc_get_inner_type
	forward alloc_get_name
	forward alloc_get_precise_type
	forward alloc_get_site
	forward alloc_get_site_name
	forward alloc_get_size
	forward alloc_get_type
	forward alloc_set_type
	forward alloc_walk_allocations
	forward alloc_walk_refs
	forward fake_dladdr
	forward uniqtype_to_c

	.section .note.GNU-stack, "", @progbits
