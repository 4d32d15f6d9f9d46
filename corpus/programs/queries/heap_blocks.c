//@ modes: library strip O0 O2 clang
//@ stdout: base, interior and last byte: generic malloc 36 __ARR0_point
//@ stdout: precise: __ARR3_point of 36 bytes, the same twice
//@ stdout: C: struct point[] and struct point[3]
//@ stdout: the site lies in main
//@ stdout: one past the end is not in the block
//@ stdout: a freed block is gone
//@ stdout: an empty block: generic malloc 0
//@ stdout: a char buffer: generic malloc 10 __ARR0_signed_char$8
//@ stdout: get_info agrees
//@ stdout: realloc: __ARR0_point 1200
/* What is known of a heap block from any of its bytes. */
#include <allocs.h>

struct point {
	int x, y;
	float z;
};

static int is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

int main(void)
{
	struct point *p = malloc(3 * sizeof (struct point));
	char *bytes = (char *) p;
	int ok = 1;
	for (unsigned i = 0; i < 36; ++i) {
		void *q = bytes + i;
		ok &= is(alloc_get_allocator(q)->name, "generic malloc") && alloc_get_base(q) == p
			&& alloc_get_size(q) == 36 && is(UNIQTYPE_NAME(alloc_get_type(q)), "__ARR0_point")
			&& !alloc_get_name(q, (char[8]) { 0 }, 8);
	}
	if (ok) puts("base, interior and last byte: generic malloc 36 __ARR0_point");
	struct uniqtype *precise = alloc_get_precise_type(&p[1].z);
	printf("precise: %s of %u bytes, %s\n", UNIQTYPE_NAME(precise), precise->pos_maxoff,
		precise == alloc_get_precise_type(p)
				&& precise == alloc_get_type(p)->make_precise(alloc_get_type(p), NULL, 0, p, p, 36, NULL, NULL)
			? "the same twice"
			: "another each time");
	char open[64], closed[64];
	uniqtype_to_c(alloc_get_type(p), open, sizeof open);
	int len = uniqtype_to_c(precise, closed, sizeof closed);
	ok = len == (int) strlen(closed) && uniqtype_to_c(precise, NULL, 0) == len;
	if (ok) printf("C: %s and %s\n", open, closed);
	char name[64] = "";
	if (is(alloc_get_name((void *) alloc_get_site(p), name, sizeof name), "main")) puts("the site lies in main");
	if (alloc_get_base(bytes + 36) != p && !alloc_get_type(bytes + 36)) puts("one past the end is not in the block");
	char *volatile stale = bytes;
	free(p);
	if (alloc_get_allocator(stale) != &__default_lib_malloc_allocator && !alloc_get_type(stale))
		puts("a freed block is gone");
	void *empty = malloc(0);
	printf("an empty block: %s %lu\n", alloc_get_allocator(empty)->name, alloc_get_size(empty));
	free(empty);
	char *text = malloc(10 * sizeof (char));
	printf("a char buffer: %s %lu %s\n", alloc_get_allocator(text)->name, alloc_get_size(text + 9),
		UNIQTYPE_NAME(alloc_get_type(text)));
	struct uniqtype *type;
	void *base;
	unsigned long size;
	const void *site;
	liballocs_err_t err = alloc_get_info(text + 3, NULL, &type, &base, &size, &site);
	struct allocator *a;
	const void *start;
	unsigned long size2;
	struct uniqtype *type2;
	const void *site2;
	struct liballocs_err *err2 = __liballocs_get_alloc_info(text + 5, &a, &start, &size2, &type2, &site2);
	if (!err && !err2 && type == alloc_get_type(text) && type2 == type && base == text && start == text && size == 10
		&& size2 == 10 && site == alloc_get_site(text) && site2 == site && a == &__default_lib_malloc_allocator
		&& !alloc_get_info(text, NULL, NULL, NULL, NULL, NULL))
		puts("get_info agrees");
	free(text);
	p = malloc(sizeof (struct point));
	p = realloc(p, 1200);
	printf("realloc: %s %lu\n", UNIQTYPE_NAME(alloc_get_type(&p[50])), alloc_get_size(&p[50]));
	free(p);
	return 0;
}
