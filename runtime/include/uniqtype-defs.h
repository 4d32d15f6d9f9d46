/* struct uniqtype: the unique run-time representation of a type.
 *
 * One type is one object in a process, whatever the number of files that define it, so types are equal when their
 * addresses are. A uniqtype is 24 bytes, then an array `related` whose length and meaning depend on its kind:
 *
 *   kind         related[]
 *   VOID         none
 *   ARRAY        [0] the element type
 *   BASE         [0] the type of the same size and the other signedness, or NULL
 *   ENUMERATION  [0] the base type that holds it, then one slot `enumerator` a name
 *   COMPOSITE    one slot `memb` a member, by offset; then one slot `memb_names`
 *   ADDRESS      [0] the type pointed to, [1] what is left after all levels of indirection
 *   SUBPROGRAM   the types returned, then those of the arguments
 *   SUBRANGE     [0] the type that it restricts
 *
 * Nothing here may be written by a program, `cache_word` apart, which the library leaves to its clients. */
#ifndef UNIQTYPE_DEFS_H_
#define UNIQTYPE_DEFS_H_

#include <stddef.h>
#include <stdint.h>
#include "liballocs-optional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which kind of type: the low four bits of the word `un`. ARRAY is recognised by its low bit alone, which no other
 * has. */
enum uniqtype_kind {
	VOID = 0,
	ARRAY = 1,
	BASE = 2,
	ENUMERATION = 4,
	COMPOSITE = 6, /* struct, union, class, stack frame */
	ADDRESS = 8, /* pointer, reference */
	SUBPROGRAM = 10, /* function */
	SUBRANGE = 12
};

struct uniqtype;
struct mcontext;

/* One slot of `related`. */
struct uniqtype_rel_info {
	union {
		/* Another type. */
		struct {
			struct uniqtype *ptr;
		} t;
		/* The value of an enumerator. */
		struct {
			unsigned long val;
		} enumerator;
		/* A member of a composite. */
		struct {
			struct uniqtype *ptr;
			unsigned long off : 56; /* bytes from the start; of a bit-field, those of its storage unit */
			unsigned long is_absolute_address : 1; /* `off` is an address, not an offset */
			unsigned long may_be_invalid : 1; /* a union's member; a variable that may be in a register */
		} memb;
		/* The names of all members (NULL-terminated after the last), each "" where the member is anonymous. */
		struct {
			const char **n;
		} memb_names;
	} un;
};

/* Makes a type whose extent depends on its allocation precise: given the allocation's start and length in bytes, it
 * gives the type with the lengths filled in. The same arguments give the same address. All arguments but `in`,
 * `obj` and `memrange_sz` may be NULL or 0. */
typedef struct uniqtype *make_precise_fn_t(struct uniqtype *in, struct uniqtype *out, unsigned long out_len, void *obj,
	void *memrange_base, unsigned long memrange_sz, void *ip, struct mcontext *ctxt);

struct uniqtype {
	struct {
		unsigned long addr : 47;
		unsigned flag : 1;
		unsigned bits : 16;
	} cache_word; /* the client's */
	unsigned pos_maxoff; /* size in bytes, or UNIQTYPE_POS_MAXOFF_UNBOUNDED */
	union {
		struct {
			unsigned kind : 4;
			unsigned unused_ : 28;
		} info;
		struct {
			unsigned kind : 4;
			unsigned enc : 6; /* DW_ATE_... */
			unsigned one_plus_log_bit_size_delta : 4;
			signed bit_size_delta_delta : 8;
			signed bit_off : 10; /* from the low bit; negative counts from the high end */
		} base;
		struct {
			unsigned kind : 4;
			unsigned is_contiguous : 1;
			unsigned is_log_spaced : 1;
			unsigned nenum : 26;
		} enumeration;
		struct {
			unsigned kind : 4;
			unsigned nmemb : 20;
			unsigned not_simultaneous : 1; /* a union */
		} composite;
		struct {
			unsigned kind : 4;
			unsigned indir_level : 5;
			unsigned genericity : 1;
			unsigned log_min_align : 6;
		} address;
		struct {
			unsigned kind : 4;
			unsigned narg : 10;
			unsigned nret : 10;
			unsigned is_va : 1;
			unsigned cc : 7;
		} subprogram;
		struct {
			unsigned kind : 4;
			unsigned min : 14;
			unsigned max : 14;
		} subrange;
		struct {
			unsigned is_array : 1;
			unsigned nelems : 31; /* or UNIQTYPE_ARRAY_LENGTH_UNBOUNDED */
		} array;
		unsigned as_word;
	} un;
	make_precise_fn_t *make_precise; /* NULL: the type is concrete */
	struct uniqtype_rel_info related[];
};

/* `pos_maxoff` of a type without a bound on its size. */
#define UNIQTYPE_POS_MAXOFF_UNBOUNDED ((unsigned) -1)
/* `nelems` of an array without a bound on its length. */
#define UNIQTYPE_ARRAY_LENGTH_UNBOUNDED ((1u << 31) - 1)

/* The name of the type `u`; NULL for NULL. Names of different types may be the same; `__ARR4_T` is an array of 4,
 * `__ARR0_T` one without a bound, `__PTR_T` a pointer. The rules at the top of liballocs.h hold. */
LIBALLOCS_OPTIONAL_(const char *, __liballocs_uniqtype_name, (const struct uniqtype *u_), (u_), ((const char *) LIBALLOCS_NULL_))
#define UNIQTYPE_NAME(u) __liballocs_uniqtype_name(u)
#define NAME_FOR_UNIQTYPE(u) UNIQTYPE_NAME(u)

/* Spells the type `u` as C does (`struct point *[4]`) into at most `len` bytes of `buf`, NUL included; returns the
 * length of the whole spelling, as snprintf does. NULL is spelled as nothing. Without the library `buf` stays as it
 * was and the length is 0. */
LIBALLOCS_OPTIONAL_(int, uniqtype_to_c, (struct uniqtype *u_, char *buf_, size_t len_), (u_, buf_, len_), 0)

/* Of any type. */
#define UNIQTYPE_KIND(u) (UNIQTYPE_IS_ARRAY_TYPE(u) ? ARRAY : (enum uniqtype_kind) (u)->un.info.kind)
#define UNIQTYPE_SIZE_IN_BYTES(u) ((u)->pos_maxoff)
#define UNIQTYPE_HAS_UNBOUNDED_SIZE(u) ((u)->pos_maxoff == UNIQTYPE_POS_MAXOFF_UNBOUNDED)
#define UNIQTYPE_IS_CONCRETE(u) (!(u)->make_precise)
#define UNIQTYPE_HAS_SUBOBJECTS(u) \
	((UNIQTYPE_IS_ARRAY_TYPE(u) && UNIQTYPE_ARRAY_LENGTH(u) > 0) \
		|| (UNIQTYPE_IS_COMPOSITE_TYPE(u) && UNIQTYPE_COMPOSITE_MEMBER_COUNT(u) > 0))

/* VOID. */
#define UNIQTYPE_IS_VOID_TYPE(u) (!UNIQTYPE_IS_ARRAY_TYPE(u) && (u)->un.info.kind == VOID)

/* ARRAY. */
#define UNIQTYPE_IS_ARRAY_TYPE(u) ((u)->un.array.is_array)
#define UNIQTYPE_ARRAY_LENGTH(u) (UNIQTYPE_IS_ARRAY_TYPE(u) ? (u)->un.array.nelems : 0u)
#define UNIQTYPE_ARRAY_HAS_KNOWN_LENGTH(u) \
	(UNIQTYPE_IS_ARRAY_TYPE(u) && (u)->un.array.nelems != UNIQTYPE_ARRAY_LENGTH_UNBOUNDED)
#define UNIQTYPE_HAS_KNOWN_LENGTH(u) UNIQTYPE_ARRAY_HAS_KNOWN_LENGTH(u)
#define UNIQTYPE_ARRAY_ELEMENT_TYPE(u) \
	(UNIQTYPE_IS_ARRAY_TYPE(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)

/* BASE. */
#define UNIQTYPE_IS_BASE_TYPE(u) ((u)->un.info.kind == BASE)
#define UNIQTYPE_BASE_TYPE_ENCODING(u) (UNIQTYPE_IS_BASE_TYPE(u) ? (u)->un.base.enc : 0u)
#define UNIQTYPE_BASE_TYPE_SIGNEDNESS_COMPLEMENT(u) \
	(UNIQTYPE_IS_BASE_TYPE(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)
#define UNIQTYPE_BASE_TYPE_BIT_SIZE(u) \
	(UNIQTYPE_IS_BASE_TYPE(u) ? 8 * (u)->pos_maxoff \
				- (((u)->un.base.one_plus_log_bit_size_delta \
						   ? 1ul << ((u)->un.base.one_plus_log_bit_size_delta - 1) \
						   : 0) \
					+ (u)->un.base.bit_size_delta_delta) \
				  : 0)
#define UNIQTYPE_BASE_TYPE_BIT_OFFSET(u) \
	(!UNIQTYPE_IS_BASE_TYPE(u) ? 0 \
		: (u)->un.base.bit_off < 0 ? (int) (8 * (u)->pos_maxoff) + (u)->un.base.bit_off \
					   : (u)->un.base.bit_off)
/* DW_ATE_signed and DW_ATE_unsigned, whole bytes. */
#define UNIQTYPE_IS_2S_COMPL_INTEGER_TYPE(u) \
	(UNIQTYPE_IS_BASE_TYPE(u) && ((u)->un.base.enc == 5 || (u)->un.base.enc == 7))

/* ENUMERATION. */
#define UNIQTYPE_IS_ENUM_TYPE(u) ((u)->un.info.kind == ENUMERATION)
#define UNIQTYPE_ENUM_BASE_TYPE(u) \
	(UNIQTYPE_IS_ENUM_TYPE(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)
#define UNIQTYPE_ENUM_COUNT(u) (UNIQTYPE_IS_ENUM_TYPE(u) ? (u)->un.enumeration.nenum : 0u)
#define UNIQTYPE_ENUM_VALUE(u, i) ((u)->related[1 + (i)].un.enumerator.val)

/* COMPOSITE. */
#define UNIQTYPE_IS_COMPOSITE_TYPE(u) ((u)->un.info.kind == COMPOSITE)
#define UNIQTYPE_COMPOSITE_MEMBER_COUNT(u) (UNIQTYPE_IS_COMPOSITE_TYPE(u) ? (u)->un.composite.nmemb : 0u)
#define UNIQTYPE_COMPOSITE_IS_UNION(u) (UNIQTYPE_IS_COMPOSITE_TYPE(u) && (u)->un.composite.not_simultaneous)
#define UNIQTYPE_HAS_DATA_MEMBERS(u) (UNIQTYPE_COMPOSITE_MEMBER_COUNT(u) > 0)
#define UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(u) \
	(UNIQTYPE_IS_COMPOSITE_TYPE(u) ? (u)->related[(u)->un.composite.nmemb].un.memb_names.n \
				       : (const char **) LIBALLOCS_NULL_)

/* ADDRESS. */
#define UNIQTYPE_IS_POINTER_TYPE(u) ((u)->un.info.kind == ADDRESS)
#define UNIQTYPE_POINTEE_TYPE(u) \
	(UNIQTYPE_IS_POINTER_TYPE(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)
#define UNIQTYPE_ULTIMATE_POINTEE_TYPE(u) \
	(UNIQTYPE_IS_POINTER_TYPE(u) ? (u)->related[1].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)
#define UNIQTYPE_INDIRECTION_LEVEL(u) (UNIQTYPE_IS_POINTER_TYPE(u) ? (u)->un.address.indir_level : 0u)

/* SUBPROGRAM. */
#define UNIQTYPE_IS_SUBPROGRAM_TYPE(u) ((u)->un.info.kind == SUBPROGRAM)
#define UNIQTYPE_SUBPROGRAM_ARG_COUNT(u) (UNIQTYPE_IS_SUBPROGRAM_TYPE(u) ? (u)->un.subprogram.narg : 0u)
#define UNIQTYPE_SUBPROGRAM_RET_COUNT(u) (UNIQTYPE_IS_SUBPROGRAM_TYPE(u) ? (u)->un.subprogram.nret : 0u)
#define UNIQTYPE_SUBPROGRAM_IS_VARIADIC(u) (UNIQTYPE_IS_SUBPROGRAM_TYPE(u) && (u)->un.subprogram.is_va)
#define UNIQTYPE_SUBPROGRAM_RETURN_TYPE(u) \
	(UNIQTYPE_SUBPROGRAM_RET_COUNT(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)
#define UNIQTYPE_SUBPROGRAM_ARG_TYPE(u, i) ((u)->related[(u)->un.subprogram.nret + (i)].un.t.ptr)

/* SUBRANGE. */
#define UNIQTYPE_IS_SUBRANGE_TYPE(u) (!UNIQTYPE_IS_ARRAY_TYPE(u) && (u)->un.info.kind == SUBRANGE)
#define UNIQTYPE_SUBRANGE_HOST_TYPE(u) \
	(UNIQTYPE_IS_SUBRANGE_TYPE(u) ? (u)->related[0].un.t.ptr : (struct uniqtype *) LIBALLOCS_NULL_)

/* The common types, for use by name. allocscc puts the object of any type into the file that names it (`extern struct
 * uniqtype __uniqtype__point;` is `struct point`; see __liballocs_my_metaobj for the names); of the types below -lallocs
 * has the objects too. With the library, the objects of the files that are there from the start are the types that
 * queries give, before any constructor runs; a shared library that is opened later is led to them if it is
 * compiled with -fPIC and exports their symbols, as it does by default. Without it, base types are as they should be,
 * and any other type reads as void. */
#if __SIZEOF_INT__ != 4 || __SIZEOF_LONG__ != 8
#error "x86-64 with 64-bit long only"
#endif
extern struct uniqtype __uniqtype__void;
extern struct uniqtype __uniqtype__int __asm__("__uniqtype__int$$32");
extern struct uniqtype __uniqtype__unsigned_int __asm__("__uniqtype__uint$$32");
extern struct uniqtype __uniqtype__signed_char __asm__("__uniqtype__signed_char$$8");
extern struct uniqtype __uniqtype__unsigned_char __asm__("__uniqtype__unsigned_char$$8");
extern struct uniqtype __uniqtype__short_int __asm__("__uniqtype__int$$16");
extern struct uniqtype __uniqtype__short_unsigned_int __asm__("__uniqtype__uint$$16");
extern struct uniqtype __uniqtype__long_int __asm__("__uniqtype__int$$64");
extern struct uniqtype __uniqtype__long_unsigned_int __asm__("__uniqtype__uint$$64");
extern struct uniqtype __uniqtype__float __asm__("__uniqtype__float$$32");
extern struct uniqtype __uniqtype__double __asm__("__uniqtype__float$$64");

#ifdef __cplusplus
}
#endif
#endif
