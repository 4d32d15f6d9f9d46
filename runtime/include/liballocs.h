/* Ask any address of the running program which allocator, type, base, size and allocation site it has.
 *
 * Build with allocscc and run under liballocs_preload.so (LD_PRELOAD, or `allocs run PROGRAM`). The same binary runs
 * without the library: every query then answers NULL or 0, at the price of a test and a branch.
 *
 * These rules hold for each function of these headers; its comment says what else there is to know.
 *
 * Arguments: `obj` is any address at all: interior, one past the end, wild, NULL. It is not dereferenced. A type, an
 * allocator or an error that is passed in is NULL or one that the library gave out. Out pointers may be NULL. `buf`
 * has `len` bytes; what does not fit is cut off, and a NUL ends it. `cb` is called in the thread that called, is
 * passed `arg`, may query, allocate and free, and must return.
 * Ownership: what is returned belongs to the library. Types and their names, allocators and errors stay until the
 * process ends, also when the file that they came from is unloaded. Nothing is to be freed, and nothing but a type's
 * `cache_word` written.
 * Errors: what is not known, or cannot be done for want of memory, is NULL or 0. `errno` is left alone.
 * Cost: a query of a heap block or a static takes 6 to 30 ns, of a variable on the stack 10 ns more for each frame
 * that lies between. Of other memory the kernel is asked, which takes a microsecond, on Linux before 6.11 some dozens
 * or hundreds. The first question about a type or a file takes longer. Without the library it is a test and a branch.
 * Threads and signals: any thread may call, and a signal handler may, too. Nothing is taken from the program's heap,
 * and no lock of ours or of malloc's. An answer is true for the moment: nobody waits for a thread that frees the
 * block. */
#ifndef LIBALLOCS_H_
#define LIBALLOCS_H_

#include <assert.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "uniqtype.h"
#include "allocmeta.h"
#include "pageindex.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each query also has a name that begins with __liballocs_. */
#define LIBALLOCS_QUERY_(result, name, parameters, arguments, absent) \
	LIBALLOCS_OPTIONAL_(result, name, parameters, arguments, absent) \
	LIBALLOCS_OPTIONAL_(result, __liballocs_##name, parameters, arguments, absent)

/* The number of an allocation site. */
typedef unsigned allocsite_id_t;

/* The allocator of the innermost allocation that holds `obj`; its `name` says which. NULL for unmapped memory. Two
 * are the same if their addresses are. */
LIBALLOCS_QUERY_(struct allocator *, alloc_get_allocator, (void *obj_), (obj_), ((struct allocator *) LIBALLOCS_NULL_))

/* The type of the innermost allocation that holds `obj` (alloc_get_type is declared in allocmeta.h). A heap block of
 * one object or more has the type "array without a bound". NULL where nothing says the type: the file of the
 * allocation's code has no metadata, or its source does not tell. */
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_alloc_get_type, (void *obj_), (obj_), ((struct uniqtype *) LIBALLOCS_NULL_))

/* The type of the allocation that holds `obj`, with array lengths filled in from its size. The same length gives the
 * same type; a length that is met for the first time makes one, which stays. */
LIBALLOCS_QUERY_(struct uniqtype *, alloc_get_precise_type, (void *obj_), (obj_), ((struct uniqtype *) LIBALLOCS_NULL_))

/* The start of the innermost allocation that holds `obj`. */
LIBALLOCS_QUERY_(void *, alloc_get_base, (void *obj_), (obj_), LIBALLOCS_NULL_)

/* The size of the innermost allocation that holds `obj`: of a heap block the bytes that the program asked for. */
LIBALLOCS_QUERY_(unsigned long, alloc_get_size, (void *obj_), (obj_), 0)

/* The allocation site of the heap block that holds `obj`: the address after the call that allocated it; where that is
 * in a function that allocates for its caller, the one after the call of that function. NULL for what is no heap
 * block. */
LIBALLOCS_QUERY_(const void *, alloc_get_site, (void *obj_), (obj_), LIBALLOCS_NULL_)

/* Writes where in the source `site`, an address that alloc_get_site gave, is (`file.c:12 function`) into `buf` and
 * returns `buf`. NULL, with `buf` as it was, where no metadata says so or `len` is 0. */
LIBALLOCS_QUERY_(const char *, alloc_get_site_name, (const void *site_, char *buf_, size_t len_), (site_, buf_, len_),
	((const char *) LIBALLOCS_NULL_))

/* Writes the name (symbol, variable, file, mapping) of the allocation that holds `obj` into `buf` and returns `buf`.
 * NULL, with `buf` as it was, where it has none, as a heap block, or `len` is 0. */
LIBALLOCS_QUERY_(const char *, alloc_get_name, (void *obj_, char *buf_, size_t len_), (obj_, buf_, len_), ((const char *) LIBALLOCS_NULL_))

/* The answer of the two functions below where the library is not there: nothing. */
static __inline__ liballocs_err_t liballocs_nothing_known_(struct allocator **allocator_, struct uniqtype **type_, void **base_,
	unsigned long *size_, const void **site_)
{
	if (allocator_) *allocator_ = (struct allocator *) LIBALLOCS_NULL_;
	if (type_) *type_ = (struct uniqtype *) LIBALLOCS_NULL_;
	if (base_) *base_ = LIBALLOCS_NULL_;
	if (size_) *size_ = 0;
	if (site_) *site_ = LIBALLOCS_NULL_;
	return (liballocs_err_t) LIBALLOCS_NULL_;
}

/* All in one look-up: writes `type`, `base`, `size` and `site` of the allocation that holds `obj`. `hint` is ignored
 * and may be NULL, and so may any out pointer. What is known is written even when an error is returned; the rest
 * becomes NULL or 0. The error says why the type is missing. */
LIBALLOCS_QUERY_(liballocs_err_t, alloc_get_info,
	(void *obj_, struct big_allocation *hint_, struct uniqtype **type_, void **base_, unsigned long *size_, const void **site_),
	(obj_, hint_, type_, base_, size_, site_),
	liballocs_nothing_known_((struct allocator **) LIBALLOCS_NULL_, type_, base_, size_, site_))

/* The type of the innermost subobject that spans the byte at `obj`; of padding, that of its struct. It does not look
 * into unions. `skip_at_bottom` steps that many subobjects outwards again; NULL beyond the outermost. */
LIBALLOCS_QUERY_(struct uniqtype *, alloc_get_inner_type, (void *obj_, unsigned skip_at_bottom_), (obj_, skip_at_bottom_),
	((struct uniqtype *) LIBALLOCS_NULL_))

/* Declares `type` for the heap block that holds `obj`, so that queries give it from then on; NULL takes it back. `b`
 * is ignored and may be NULL. It stays when the block is reallocated, and goes when it is freed. The result is NULL,
 * or the error "not a heap allocation". */
LIBALLOCS_QUERY_(liballocs_err_t, alloc_set_type, (struct big_allocation *b_, void *obj_, struct uniqtype *type_),
	(b_, obj_, type_), ((liballocs_err_t) LIBALLOCS_NULL_))

/* Calls `cb` with `arg` for each typed pointer in the allocation that holds `obj`: the slot, and the type that the
 * pointer's declaration says it points to, `void` too. The slot may hold anything, NULL too, and may not be aligned.
 * Members of unions are left out, and so is all of an allocation without a type. A non-zero result ends the walk and
 * is returned, else 0. The memory must stay there meanwhile. Cost: linear in the pointers. */
typedef int liballocs_ref_cb_t(void **slot, struct uniqtype *pointee, void *arg);
LIBALLOCS_QUERY_(int, alloc_walk_refs, (void *obj_, liballocs_ref_cb_t *cb_, void *arg_), (obj_, cb_, arg_), 0)

/* The older names of alloc_get_type, alloc_get_base, alloc_get_size, alloc_get_site, alloc_get_inner_type,
 * alloc_get_type, and of alloc_get_info with the `allocator` first and `start` for the base; `obj`, `skip_at_bottom`,
 * `size`, `type` and `site` are theirs. */
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_alloc_type, (void *obj_), (obj_), ((struct uniqtype *) LIBALLOCS_NULL_))
LIBALLOCS_OPTIONAL_(void *, __liballocs_get_alloc_base, (void *obj_), (obj_), LIBALLOCS_NULL_)
LIBALLOCS_OPTIONAL_(unsigned long, __liballocs_get_alloc_size, (void *obj_), (obj_), 0)
LIBALLOCS_OPTIONAL_(const void *, __liballocs_get_alloc_site, (void *obj_), (obj_), LIBALLOCS_NULL_)
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_inner_type, (void *obj_, unsigned skip_at_bottom_),
	(obj_, skip_at_bottom_), ((struct uniqtype *) LIBALLOCS_NULL_))
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_outermost_type, (void *obj_), (obj_),
	((struct uniqtype *) LIBALLOCS_NULL_))
LIBALLOCS_OPTIONAL_(struct liballocs_err *, __liballocs_get_alloc_info,
	(const void *obj_, struct allocator **allocator_, const void **start_, unsigned long *size_, struct uniqtype **type_, const void **site_),
	(obj_, allocator_, start_, size_, type_, site_),
	liballocs_nothing_known_(allocator_, type_, (void **) start_, size_, site_))

/* What allocator `a` alone knows of `obj`, and in `*type` the type of that: of the built-in allocators nothing, NULL. */
LIBALLOCS_OPTIONAL_(void *, __liballocs_get_specific_by_allocator, (const void *obj_, struct allocator *a_, struct uniqtype **type_),
	(obj_, a_, type_), LIBALLOCS_NULL_)

/* The number of an allocation site, small and without a type of its own in C, and back. `site` is an address that
 * alloc_get_site gave, `id` any number; 0 and NULL are none. A number means the same site until the process ends. */
LIBALLOCS_OPTIONAL_(allocsite_id_t, __liballocs_allocsite_id, (const void *site_), (site_), 0)
LIBALLOCS_OPTIONAL_(const void *, __liballocs_allocsite_by_id, (allocsite_id_t id_), (id_), LIBALLOCS_NULL_)

/* A handle for dlsym that finds the types of the file that calls. dlsym knows a type as `__uniqtype__` and its name with `$`
 * doubled and any other odd byte as `$` and two hexadecimal digits (`__uniqtype__int$$32`), base types also as C spells
 * them (`__uniqtype__long$20unsigned$20int`, `__uniqtype__unsigned_int`). The handle is the dynamic linker's, valid while
 * the file is loaded. NULL with a glibc before 2.35. */
LIBALLOCS_OPTIONAL_(void *, __liballocs_my_metaobj, (void), (), LIBALLOCS_NULL_)

/* Calls `cb` with `arg` for each frame of the calling thread, the caller's first, until it returns non-zero, which is
 * then returned; 0 at the end of the stack, or where a frame cannot be left. Cost: 10 ns a frame, once the code is
 * known. */
typedef int liballocs_stack_cb_t(void *ip, void *sp, void *bp, void *arg);
LIBALLOCS_OPTIONAL_(int, __liballocs_walk_stack, (liballocs_stack_cb_t *cb_, void *arg_), (cb_, arg_), 0)

/* Makes a type, or finds the one that exists: array of `length` times `element`, array of `element` without a bound,
 * pointer to `pointee`. The same arguments give the same address, in all threads. NULL for NULL. What is made stays. */
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_or_create_array_type, (struct uniqtype *element_, unsigned length_),
	(element_, length_), ((struct uniqtype *) LIBALLOCS_NULL_))
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_or_create_flexible_array_type, (struct uniqtype *element_),
	(element_), ((struct uniqtype *) LIBALLOCS_NULL_))
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_get_or_create_address_type, (const struct uniqtype *pointee_),
	(pointee_), ((struct uniqtype *) LIBALLOCS_NULL_))

/* The same for a union and a function: these take types as further arguments, `n` members of the union, in this
 * order, or the function's `narg` arguments behind its `result`. At most 64; NULL for more, or if one is NULL. */
#define LIBALLOCS_MAX_TYPE_LIST_ 64
static __inline__ __attribute__((__unused__)) struct uniqtype *__liballocs_get_or_create_union_type(unsigned n, ...)
	__asm__("liballocs.optional.__liballocs_get_or_create_union_type");
static __inline__ struct uniqtype *__liballocs_get_or_create_union_type(unsigned n, ...)
{
	struct uniqtype *(*make)(unsigned, struct uniqtype **), *members[LIBALLOCS_MAX_TYPE_LIST_];
	va_list list;
	unsigned i;
	LIBALLOCS_ADDRESS_(make, __liballocs_make_union_type);
	if (!make || n > LIBALLOCS_MAX_TYPE_LIST_) return (struct uniqtype *) LIBALLOCS_NULL_;
	va_start(list, n);
	for (i = 0; i < n; ++i) members[i] = va_arg(list, struct uniqtype *);
	va_end(list);
	return make(n, members);
}
static __inline__ __attribute__((__unused__)) struct uniqtype *__liballocs_get_or_create_subprogram_type(
	struct uniqtype *result, unsigned narg, ...) __asm__("liballocs.optional.__liballocs_get_or_create_subprogram_type");
static __inline__ struct uniqtype *__liballocs_get_or_create_subprogram_type(struct uniqtype *result, unsigned narg, ...)
{
	struct uniqtype *(*make)(struct uniqtype *, unsigned, struct uniqtype **), *args[LIBALLOCS_MAX_TYPE_LIST_];
	va_list list;
	unsigned i;
	LIBALLOCS_ADDRESS_(make, __liballocs_make_subprogram_type);
	if (!make || narg > LIBALLOCS_MAX_TYPE_LIST_) return (struct uniqtype *) LIBALLOCS_NULL_;
	va_start(list, narg);
	for (i = 0; i < narg; ++i) args[i] = va_arg(list, struct uniqtype *);
	va_end(list);
	return make(result, narg, args);
}

/* Declares that the heap block at `block` holds `type` as well as what it holds already: its type becomes the union
 * of its precise type and an array of `type`. 0 on success, -1 if there is no block or no type, or without the
 * library. */
LIBALLOCS_OPTIONAL_(int, __liballocs_add_type_to_block, (void *block_, struct uniqtype *type_), (block_, type_), -1)

/* The type of the `name` that UNIQTYPE_NAME gives it, or as C spells it (`int$32`, `unsigned int`, `__PTR_point`); NULL
 * where there is none. Where several types have that name, it is that of the file that was loaded first. Cost: a look at
 * every loaded file, under the dynamic linker's lock of its list of files: not for a signal handler that may interrupt
 * dlopen. */
LIBALLOCS_OPTIONAL_(struct uniqtype *, __liballocs_typestr_to_uniqtype, (const char *name_), (name_),
	((struct uniqtype *) LIBALLOCS_NULL_))

/* What the error `err` says; "success" for NULL. NULL without the library. */
LIBALLOCS_OPTIONAL_(const char *, __liballocs_errstring, (struct liballocs_err *err_), (err_), ((const char *) LIBALLOCS_NULL_))

/* Whether the library is there and ready. It makes itself ready before the program starts, so that a client never has
 * to. */
#ifdef LIBALLOCS_OBJECTS_ARE_MACROS_
LIBALLOCS_OBJECT_(bool, __liballocs_is_initialized)
#define __liballocs_is_initialized (*liballocs_object___liballocs_is_initialized())
#else
extern bool __liballocs_is_initialized __attribute__((__weak__));
#endif

/* For clients that were written to call them: the library makes itself ready. The first gives 0 if it is, else -1,
 * and 0 without it. */
LIBALLOCS_OPTIONAL_(int, __liballocs_global_init, (void), (), 0)
LIBALLOCS_OPTIONAL_VOID_(__liballocs_ensure_init, (void), ())

#ifdef __cplusplus
}
#endif
#endif
