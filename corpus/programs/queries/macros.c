//@ modes: library O0 clang
//@ stdout: struct: composite of 7 members, 40 bytes: colour next low high f both tail
//@ stdout: colour: enumeration of 3, base uint$32, values 0 1 5
//@ stdout: next: pointer, 1 level, to all
//@ stdout: low: 3 bits from bit 0; high: 20 bits from bit 3
//@ stdout: f: pointer to a function of 2 arguments and 1 result, variadic: int$32 float$64 __PTR_void
//@ stdout: both: union of 2 members at 0
//@ stdout: tail: array without a bound of int$16
//@ stdout: signedness: int$32 <-> uint$32
//@ stdout: bounded: array of 3 of signed_char$8
//@ stdout: levels: 3, ultimately signed_char$8
/* Every kind of type, through the macros of the header. */
#include <allocs.h>

struct all {
	enum colour { RED, GREEN, BLUE = 5 } colour;
	struct all *next;
	unsigned low : 3, high : 20;
	int (*f)(double, void *, ...);
	union both { int i; float f; } both;
	short tail[];
};
static struct all all;
static char bounded[3];
static char ***levels;
static int integer;

int main(void)
{
	struct uniqtype *t = alloc_get_type(&all);
	printf("struct: %s of %u members, %u bytes:", UNIQTYPE_KIND(t) == COMPOSITE ? "composite" : "other",
		UNIQTYPE_COMPOSITE_MEMBER_COUNT(t), UNIQTYPE_SIZE_IN_BYTES(t));
	const char **names = UNIQTYPE_COMPOSITE_SUBOBJ_NAMES(t);
	for (; *names; ++names) printf(" %s", *names);
	struct uniqtype *m[7];
	for (unsigned i = 0; i < 7 && i < UNIQTYPE_COMPOSITE_MEMBER_COUNT(t); ++i) m[i] = t->related[i].un.memb.ptr;
	printf("\ncolour: %s of %u, base %s, values %lu %lu %lu\n", UNIQTYPE_IS_ENUM_TYPE(m[0]) ? "enumeration" : "other",
		UNIQTYPE_ENUM_COUNT(m[0]), UNIQTYPE_NAME(UNIQTYPE_ENUM_BASE_TYPE(m[0])), UNIQTYPE_ENUM_VALUE(m[0], 0),
		UNIQTYPE_ENUM_VALUE(m[0], 1), UNIQTYPE_ENUM_VALUE(m[0], 2));
	printf("next: %s, %u level, to %s\n", UNIQTYPE_IS_POINTER_TYPE(m[1]) ? "pointer" : "other",
		UNIQTYPE_INDIRECTION_LEVEL(m[1]), UNIQTYPE_NAME(UNIQTYPE_POINTEE_TYPE(m[1])));
	printf("low: %lu bits from bit %d; high: %lu bits from bit %d\n", (unsigned long) UNIQTYPE_BASE_TYPE_BIT_SIZE(m[2]),
		(int) UNIQTYPE_BASE_TYPE_BIT_OFFSET(m[2]), (unsigned long) UNIQTYPE_BASE_TYPE_BIT_SIZE(m[3]),
		(int) UNIQTYPE_BASE_TYPE_BIT_OFFSET(m[3]));
	struct uniqtype *f = UNIQTYPE_POINTEE_TYPE(m[4]);
	printf("f: pointer to a function of %u arguments and %u result, %s: %s %s %s\n", UNIQTYPE_SUBPROGRAM_ARG_COUNT(f),
		UNIQTYPE_SUBPROGRAM_RET_COUNT(f), UNIQTYPE_SUBPROGRAM_IS_VARIADIC(f) ? "variadic" : "fixed",
		UNIQTYPE_NAME(UNIQTYPE_SUBPROGRAM_RETURN_TYPE(f)), UNIQTYPE_NAME(UNIQTYPE_SUBPROGRAM_ARG_TYPE(f, 0)),
		UNIQTYPE_NAME(UNIQTYPE_SUBPROGRAM_ARG_TYPE(f, 1)));
	printf("both: %s of %u members at %d\n", UNIQTYPE_COMPOSITE_IS_UNION(m[5]) ? "union" : "other",
		UNIQTYPE_COMPOSITE_MEMBER_COUNT(m[5]), (int) (m[5]->related[0].un.memb.off + m[5]->related[1].un.memb.off));
	printf("tail: array %s of %s\n", UNIQTYPE_HAS_KNOWN_LENGTH(m[6]) || !m[6]->make_precise ? "of a length" : "without a bound",
		UNIQTYPE_NAME(UNIQTYPE_ARRAY_ELEMENT_TYPE(m[6])));
	struct uniqtype *i = alloc_get_type(&integer), *u = UNIQTYPE_BASE_TYPE_SIGNEDNESS_COMPLEMENT(i);
	if (UNIQTYPE_BASE_TYPE_SIGNEDNESS_COMPLEMENT(u) == i) printf("signedness: %s <-> %s\n", UNIQTYPE_NAME(i), UNIQTYPE_NAME(u));
	struct uniqtype *b = alloc_get_type(bounded);
	printf("bounded: array of %u of %s\n", UNIQTYPE_ARRAY_LENGTH(b), UNIQTYPE_NAME(UNIQTYPE_ARRAY_ELEMENT_TYPE(b)));
	struct uniqtype *l = alloc_get_type(&levels);
	printf("levels: %u, ultimately %s\n", UNIQTYPE_INDIRECTION_LEVEL(l), UNIQTYPE_NAME(UNIQTYPE_ULTIMATE_POINTEE_TYPE(l)));
	return integer;
}
