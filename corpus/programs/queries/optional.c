//@ modes: plain library strip -no-pie,-fno-pie -O2,-flto clang
//@ stdout: a block of 24 bytes: generic malloc
//@ stdout: its type: __ARR0_point
//@ stdout: all at once: 24 bytes, an error: no
//@ plain-stdout: a block of 24 bytes: (no allocator)
//@ plain-stdout: its type: (unknown)
//@ plain-stdout: all at once: 0 bytes, an error: no
/* A program that only queries runs without the library too: every answer is then NULL. */
#include <allocs.h>

struct point {
	int x, y;
};

int main(void)
{
	struct point *p = malloc(3 * sizeof (struct point));
	struct allocator *a = alloc_get_allocator(p);
	printf("a block of %u bytes: %s\n", 24u, a ? a->name : "(no allocator)");
	struct uniqtype *t = alloc_get_type(&p[1].y);
	printf("its type: %s\n", t ? UNIQTYPE_NAME(t) : "(unknown)");
	void *base = p;
	unsigned long size = 99;
	liballocs_err_t error = alloc_get_info(p, NULL, &t, &base, &size, NULL);
	printf("all at once: %lu bytes, an error: %s\n", size, error || (base && base != p) ? "yes" : "no");
	free(p);
	return 0;
}
