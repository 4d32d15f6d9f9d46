/* Allocators, and the tree that their allocations form.
 *
 * Every allocation is made by an allocator and lies inside an allocation of another: a mapping holds a loaded file,
 * which holds segments, which hold sections, which hold symbols; a mapping or the break area holds malloc's blocks.
 * For each function the rules at the top of liballocs.h hold. */
#ifndef ALLOCMETA_H_
#define ALLOCMETA_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <dlfcn.h>
#include "allocmeta-defs.h"
#include "uniqtype-defs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a query has no answer: the address of a static object. NULL is success. */
struct liballocs_err {
	const char *message;
};
typedef struct liballocs_err *liballocs_err_t;

struct big_allocation;

/* A place in the tree: an allocation, or a subobject of a typed one. */
struct alloc_tree_pos {
	void *base;
	uintptr_t bigalloc_or_uniqtype; /* a struct big_allocation *, or a struct uniqtype * with bit 0 set */
};

/* How a place hangs in the tree: its parent, and which child of it this is, from 1. */
struct alloc_tree_link {
	struct alloc_tree_pos container;
	unsigned containee_coord;
};

/* Told of each allocation of a walk, or subobject of a typed one, at `obj`: its type `t` and allocation site, each
 * NULL where not known; `b` if it is a big allocation, as files, their parts and mappings are; where it hangs in the
 * tree, `link`, which is valid during the call. -1 skips what is below it; any other non-zero value ends the walk,
 * which returns it. */
typedef int walk_alloc_cb_t(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site,
	struct alloc_tree_link *link, void *arg);

/* An allocator. What it cannot do is NULL. */
struct allocator {
	const char *name;
	unsigned min_alignment;
	bool is_cacheable;
	/* The queries, for an address that this allocator manages. */
	struct uniqtype *(*get_type)(void *obj);
	void *(*get_base)(void *obj);
	unsigned long (*get_size)(void *obj);
	const char *(*get_name)(void *obj, char *buf, size_t len);
	const void *(*get_site)(void *obj);
	liballocs_err_t (*get_info)(void *obj, struct big_allocation *hint, struct uniqtype **type, void **base,
		unsigned long *size, const void **site);
	/* What only this allocator knows of the object, and its type. */
	void *(*get_specific)(void *obj, struct uniqtype **type);
	struct big_allocation *(*ensure_big)(void *obj, size_t size);
	void *slots_a[5]; /* reserved: dladdr, get_lifetime, get_discipl, can_issue, raw_metadata */
	liballocs_err_t (*set_type)(struct big_allocation *b, void *obj, struct uniqtype *type);
	liballocs_err_t (*set_site)(struct big_allocation *b, void *obj, struct uniqtype *type);
	int (*walk_allocations)(struct alloc_tree_pos *pos, walk_alloc_cb_t *cb, void *arg, void *begin, void *end);
	void *slots_b[7]; /* reserved: the base allocator's interface */
};

/* The built-in allocators. Without the library their address is NULL. */
#define LIBALLOCS_ALLOCATORS_(x) \
	x(__mmap_allocator) \
	x(__brk_allocator) \
	x(__static_file_allocator) \
	x(__static_segment_allocator) \
	x(__static_section_allocator) \
	x(__static_symbol_allocator) \
	x(__stack_allocator) \
	x(__stackframe_allocator) \
	x(__auxv_allocator) \
	x(__alloca_allocator) \
	x(__default_lib_malloc_allocator) \
	x(__global_malloc_allocator) \
	x(__ld_so_malloc_allocator) \
	x(__generic_small_allocator) \
	x(__packed_seq_allocator)

#ifdef LIBALLOCS_OBJECTS_ARE_MACROS_
#define LIBALLOCS_ALLOCATOR_(name) LIBALLOCS_OBJECT_(struct allocator, name)
#else
#define LIBALLOCS_ALLOCATOR_(name) extern struct allocator name __attribute__((__weak__));
#endif
LIBALLOCS_ALLOCATORS_(LIBALLOCS_ALLOCATOR_)
#ifdef LIBALLOCS_OBJECTS_ARE_MACROS_
#define __mmap_allocator (*liballocs_object___mmap_allocator())
#define __brk_allocator (*liballocs_object___brk_allocator())
#define __static_file_allocator (*liballocs_object___static_file_allocator())
#define __static_segment_allocator (*liballocs_object___static_segment_allocator())
#define __static_section_allocator (*liballocs_object___static_section_allocator())
#define __static_symbol_allocator (*liballocs_object___static_symbol_allocator())
#define __stack_allocator (*liballocs_object___stack_allocator())
#define __stackframe_allocator (*liballocs_object___stackframe_allocator())
#define __auxv_allocator (*liballocs_object___auxv_allocator())
#define __alloca_allocator (*liballocs_object___alloca_allocator())
#define __default_lib_malloc_allocator (*liballocs_object___default_lib_malloc_allocator())
#define __global_malloc_allocator (*liballocs_object___global_malloc_allocator())
#define __ld_so_malloc_allocator (*liballocs_object___ld_so_malloc_allocator())
#define __generic_small_allocator (*liballocs_object___generic_small_allocator())
#define __packed_seq_allocator (*liballocs_object___packed_seq_allocator())
#endif

/* The type of the innermost allocation that holds `obj`; see liballocs.h. */
LIBALLOCS_OPTIONAL_(struct uniqtype *, alloc_get_type, (void *obj_), (obj_), ((struct uniqtype *) LIBALLOCS_NULL_))

/* Calls `cb` with `arg` for the children of `pos` that meet [`begin`, `end`), in address order. `pos` is NULL for the
 * whole process, or made of an allocation's start and its record, or of an address and a type with bit 0 set, as the
 * callback's `link` has them; `end` may be NULL for the end of `pos`. Returns the value that ended the walk, or 0. Of
 * the statics of a file only those come that its metadata knows; of stacks, those of all threads and their signal
 * handlers that do not lie in a heap block or a static. Blocks that other threads allocate or free meanwhile
 * may come or not. Cost: linear in the children and, of a heap, in its size. A walk of the whole process first takes
 * the dynamic linker's lock of its list of files: not for a signal handler that may interrupt dlopen. No lock is held
 * while `cb` runs. */
LIBALLOCS_OPTIONAL_(int, alloc_walk_allocations,
	(struct alloc_tree_pos *pos_, walk_alloc_cb_t *cb_, void *arg_, void *begin_, void *end_),
	(pos_, cb_, arg_, begin_, end_), 0)
LIBALLOCS_OPTIONAL_(int, __liballocs_alloc_walk_allocations,
	(struct alloc_tree_pos *pos_, walk_alloc_cb_t *cb_, void *arg_, void *begin_, void *end_),
	(pos_, cb_, arg_, begin_, end_), 0)

/* Calls `cb` with `arg` for all that is below `pos`, depth first, the subobjects of typed items too, `pos` itself
 * not. NULL is the whole process. Whoever looks for allocations alone returns -1 for each of them, which saves most
 * of the time. Otherwise as alloc_walk_allocations. */
LIBALLOCS_OPTIONAL_(int, __liballocs_walk_allocations_df,
	(struct alloc_tree_pos *pos_, walk_alloc_cb_t *cb_, void *arg_), (pos_, cb_, arg_), 0)

/* A loaded file: the handle whose symbols are its types. */
struct allocs_file_metadata {
	void *meta_obj_handle;
};

/* A sequence of items of varying length in one block: what a client attaches to the block. */
struct packed_sequence_family;
struct packed_sequence {
	struct packed_sequence_family *fam;
	void *enumerate_fn_arg, *name_fn_arg;
	union {
		void *metavector_any;
	} un;
	unsigned metavector_nused, metavector_size;
	unsigned long *starts_bitmap;
	unsigned starts_bitmap_nwords, offset_cached_up_to;
};
#ifdef LIBALLOCS_OBJECTS_ARE_MACROS_
LIBALLOCS_OBJECT_(struct packed_sequence_family, __string8_nulterm_packed_sequence)
#define __string8_nulterm_packed_sequence (*liballocs_object___string8_nulterm_packed_sequence())
#else
extern struct packed_sequence_family __string8_nulterm_packed_sequence __attribute__((__weak__));
#endif

/* For clients that were written to call it for a `sequence`: the library keeps nothing for one, and so there is
 * nothing to do. */
LIBALLOCS_OPTIONAL_VOID_(__packed_seq_free, (void *sequence_), (sequence_))

#ifdef __cplusplus
}
#endif
#endif
