/* Big allocations, and the table from page to big allocation. The rules at the top of liballocs.h hold. */
#ifndef LIBALLOCS_PAGEINDEX_H_
#define LIBALLOCS_PAGEINDEX_H_

#include <assert.h>
#include <stdint.h>
#include "allocmeta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number of the page that holds `p`. */
#define PAGENUM(p) (((uintptr_t) (p)) >> 12)

/* An allocation of whole pages, or one that another allocator parcels out. */
struct big_allocation {
	void *begin, *end;
	uint16_t first_child, next_sib, parent, prev_sib;
	struct allocator *allocated_by, *suballocator; /* a client may set `suballocator` */
	void *allocator_private;
	void (*allocator_private_free)(void *);
	void *suballocator_private;
	void (*suballocator_private_free)(void *);
};

/* For each page, the number of the innermost big allocation that covers it; 0 is none. */
#ifdef LIBALLOCS_OBJECTS_ARE_MACROS_
typedef uint16_t *liballocs_pageindex_t_;
LIBALLOCS_OBJECT_(liballocs_pageindex_t_, __liballocs_pageindex)
#define __liballocs_pageindex (*liballocs_object___liballocs_pageindex())
#else
extern uint16_t *__liballocs_pageindex __attribute__((__weak__));
#endif

/* The outermost big allocation by `a` (by any allocator if NULL) that holds `mem`, any address. If there is only a
 * small one it is made big. `*base` gets its start. NULL if there is none, or if all 65535 records are in use. The
 * record is the library's; that of a heap block is given to another when the block is freed. Any other stays for what
 * its allocator has at its start, the end of which it follows as it is asked for; it is empty when nothing is there. */
LIBALLOCS_OPTIONAL_(struct big_allocation *, __lookup_bigalloc_from_root, (const void *mem_, struct allocator *a_, void **base_),
	(mem_, a_, base_), ((struct big_allocation *) LIBALLOCS_NULL_))

/* The allocator of the innermost allocation that holds `obj`; `*big` gets the innermost big one, or NULL. */
LIBALLOCS_OPTIONAL_(struct allocator *, __liballocs_leaf_allocator_for, (const void *obj_, struct big_allocation **big_),
	(obj_, big_), ((struct allocator *) LIBALLOCS_NULL_))

#ifdef __cplusplus
}
#endif
#endif
