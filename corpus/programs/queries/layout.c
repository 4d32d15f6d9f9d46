//@ modes: plain library -std=c99 -std=gnu2x -no-pie,-fno-pie clang
//@ stdout: the layout is the one that clients were compiled for
/* Clients are compiled against these offsets; and every name of the headers can be used in one file. */
#include "uniqtype.h"
#include "uniqtype-defs.h"
#include "allocmeta.h"
#include "allocmeta-defs.h"
#include "pageindex.h"
#include "liballocs.h"
#include "allocs.h"
#include "uniqtype-bfs.h"
#include "relf.h"

#define IS_AT(type, field, offset) ok &= offsetof(type, field) == (offset)
#define HAS_SIZE(type, size) ok &= sizeof (type) == (size)

int main(void)
{
	int ok = 1;
	HAS_SIZE(struct uniqtype, 24);
	HAS_SIZE(struct uniqtype_rel_info, 16);
	IS_AT(struct uniqtype, cache_word, 0);
	IS_AT(struct uniqtype, pos_maxoff, 8);
	IS_AT(struct uniqtype, un, 12);
	IS_AT(struct uniqtype, make_precise, 16);
	IS_AT(struct uniqtype, related, 24);
	HAS_SIZE(struct allocator, 200);
	IS_AT(struct allocator, name, 0);
	IS_AT(struct allocator, min_alignment, 8);
	IS_AT(struct allocator, is_cacheable, 12);
	IS_AT(struct allocator, get_type, 16);
	IS_AT(struct allocator, get_base, 24);
	IS_AT(struct allocator, get_size, 32);
	IS_AT(struct allocator, get_name, 40);
	IS_AT(struct allocator, get_site, 48);
	IS_AT(struct allocator, get_info, 56);
	IS_AT(struct allocator, get_specific, 64);
	IS_AT(struct allocator, ensure_big, 72);
	IS_AT(struct allocator, set_type, 120);
	IS_AT(struct allocator, set_site, 128);
	IS_AT(struct allocator, walk_allocations, 136);
	HAS_SIZE(struct big_allocation, 72);
	IS_AT(struct big_allocation, first_child, 16);
	IS_AT(struct big_allocation, allocated_by, 24);
	IS_AT(struct big_allocation, suballocator, 32);
	IS_AT(struct big_allocation, allocator_private, 40);
	HAS_SIZE(struct alloc_tree_pos, 16);
	HAS_SIZE(struct alloc_tree_link, 24);
	HAS_SIZE(struct packed_sequence, 56);
	struct uniqtype t = { .pos_maxoff = 4 };
	t.un.as_word = 0;
	t.un.array.is_array = 1;
	t.un.array.nelems = 4;
	ok &= t.un.as_word == 9;
	t.un.as_word = 0;
	t.un.composite.kind = COMPOSITE;
	t.un.composite.not_simultaneous = 1;
	ok &= t.un.as_word == (6 | 1 << 24);
	t.un.as_word = 0;
	t.un.base.kind = BASE;
	t.un.base.bit_off = -1;
	ok &= t.un.as_word == (2 | 0xffc00000);
	t.un.as_word = 0;
	t.un.subprogram.kind = SUBPROGRAM;
	t.un.subprogram.nret = 1;
	ok &= t.un.as_word == (10 | 1 << 14);
	puts(ok ? "the layout is the one that clients were compiled for" : "the layout differs");
	return 0;
}
