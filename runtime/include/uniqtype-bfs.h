/* Breadth-first walk over the objects that typed pointers reach. */
#ifndef UNIQTYPE_BFS_H_
#define UNIQTYPE_BFS_H_

#include "uniqtype-defs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Given a pointer value and the type that its slot says, decides what is walked: it may replace both. NULL in `*obj`
 * or `*type` ends this path. */
typedef void follow_ptr_fn(void **obj, struct uniqtype **type, void *arg);
/* Called once for each object, when all its pointers have been seen. */
typedef void on_blacken_fn(void *obj, struct uniqtype *type, void *arg);

/* Follows a typed pointer as it stands, and a pointer to `void` to the start of the allocation that it points into,
 * with the precise type of that allocation, if that is known: `*obj` and `*type` are then replaced. `arg` is ignored. */
LIBALLOCS_OPTIONAL_VOID_(__uniqtype_default_follow_ptr, (void **obj_, struct uniqtype **type_, void *arg_), (obj_, type_, arg_))

/* Walks from `obj`, whose type is `type`. Nodes are addresses: each comes once, with the type by which it was first
 * reached. `follow` gets `follow_arg`, `blacken` gets `blacken_arg`; either may be NULL. Without `follow` pointers
 * are followed as they stand. Of memory in no allocation that is known, nothing is read. The walk ends early where
 * the kernel has no more memory; its own is not from the program's heap, and is given back at the end, so that both
 * must return. Cost: a query an object, and linear in the pointers. The memory that is walked must stay there
 * meanwhile. Otherwise the rules at the top of liballocs.h hold. */
LIBALLOCS_OPTIONAL_VOID_(__uniqtype_walk_bfs_from_object,
	(void *obj_, struct uniqtype *type_, follow_ptr_fn *follow_, void *follow_arg_, on_blacken_fn *blacken_, void *blacken_arg_),
	(obj_, type_, follow_, follow_arg_, blacken_, blacken_arg_))

#ifdef __cplusplus
}
#endif
#endif
