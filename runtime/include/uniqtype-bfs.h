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

/* Follows a typed pointer as it stands, and a pointer to `void` to the start of the allocation that it points into, with the
 * type of that allocation. */
LIBALLOCS_OPTIONAL_VOID_(__uniqtype_default_follow_ptr, (void **obj_, struct uniqtype **type_, void *arg_), (obj_, type_, arg_))

/* Walks from `obj`, whose type is `type`. Nodes are addresses: each comes once, with the type by which it was first
 * reached. */
LIBALLOCS_OPTIONAL_VOID_(__uniqtype_walk_bfs_from_object,
	(void *obj_, struct uniqtype *type_, follow_ptr_fn *follow_, void *follow_arg_, on_blacken_fn *blacken_, void *blacken_arg_),
	(obj_, type_, follow_, follow_arg_, blacken_, blacken_arg_))

#ifdef __cplusplus
}
#endif
#endif
