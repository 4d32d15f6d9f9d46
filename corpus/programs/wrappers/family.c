// Whichever function of the family a wrapper calls, the block is that of the wrapper's caller: big blocks, aligned ones,
// those that are reallocated, strings; also through function pointers and recursion, as long as it is not too deep.
//@ cflags: -g
//@ modes: library O2 O3 clang -O2,-no-pie valgrind
//@ stdout: calloc: __ARR0_one, big: __ARR0_two, reallocarray: __ARR0_three
//@ stdout: memalign: __ARR0_one, aligned_alloc: __ARR0_two, posix_memalign: __ARR0_three, valloc: __ARR0_one
//@ stdout: string: 1, asprintf: 1, getline: 1
//@ stdout: grown without a type: __ARR0_one, site of the caller: 1
//@ stdout: pointer in a field: __ARR0_two, in a variable: __ARR0_three
//@ stdout: 8 deep: __ARR0_one, 9 deep: unknown
#define _GNU_SOURCE
#include "wrappers.h"
#include <malloc.h>

WRAPPER void *x_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (!p) abort();
	return p;
}

WRAPPER void *x_malloc(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *x_realloc(void *old, size_t n)
{
	void *p = realloc(old, n);
	if (!p) abort();
	return p;
}

WRAPPER void *x_reallocarray(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);
	if (!p) abort();
	return p;
}

WRAPPER void *x_memalign(size_t n)
{
	void *p = memalign(64, n);
	if (!p) abort();
	return p;
}

WRAPPER void *x_aligned_alloc(size_t n)
{
	void *p = aligned_alloc(64, n);
	if (!p) abort();
	return p;
}

WRAPPER void *x_posix_memalign(size_t n)
{
	void *p;
	if (posix_memalign(&p, 64, n)) abort();
	return p;
}

WRAPPER void *x_valloc(size_t n)
{
	void *p = valloc(n);
	if (!p) abort();
	return p;
}

WRAPPER char *x_strdup(const char *s)
{
	char *p = strdup(s);
	if (!p) abort();
	return p;
}

struct pool { void *data; void *(*get)(struct pool *, size_t); };

WRAPPER void *pool_get(struct pool *pool, size_t n)
{
	void *p = malloc(n);
	if (pool->data) abort();
	return p;
}

WRAPPER void *from_pool(struct pool *pool, size_t n)
{
	void *p = pool->get(pool, n);
	if (!p) abort();
	return p;
}

static void *(*get)(size_t) = x_malloc;

WRAPPER void *deep(int depth, size_t n)
{
	void *p = depth > 1 ? deep(depth - 1, n) : malloc(n);
	if (!p) abort();
	return p;
}

static struct pool pool = { NULL, pool_get };

static int is_near(const void *site, const void *function)
{
	return (const char *) site > (const char *) function && (const char *) site < (const char *) function + 2000;
}

WRAPPER void *grow(void *p, size_t n)
{
	p = x_realloc(p, n);
	touch(p);
	return p;
}

int main(void)
{
	struct one *one = x_calloc(3, sizeof *one);
	struct two *two = x_malloc(100000 * sizeof *two);
	struct three *three = x_reallocarray(NULL, 5, sizeof *three);
	printf("calloc: %s, big: %s, reallocarray: %s\n", name(one), name(two), name(three));
	struct one *aligned = x_memalign(4 * sizeof *aligned);
	struct two *aligned_two = x_aligned_alloc(64 * sizeof *aligned_two);
	struct three *aligned_three = x_posix_memalign(6 * sizeof *aligned_three);
	struct one *page = x_valloc(7 * sizeof *page);
	printf("memalign: %s, aligned_alloc: %s, posix_memalign: %s, valloc: %s\n", name(aligned), name(aligned_two),
	       name(aligned_three), name(page));

	char *text = x_strdup("text"), *printed = NULL, *line = NULL;
	size_t size = 0;
	FILE *file = fmemopen("a line\n", 7, "r");
	if (asprintf(&printed, "%s", text) != 4 || getline(&line, &size, file) != 7) return 1;
	printf("string: %d, asprintf: %d, getline: %d\n", !strcmp(name(text), "__ARR0_signed_char$8"),
	       is_near(alloc_get_site(printed), main), is_near(alloc_get_site(line), main));

	void *grown = grow(one, 100);
	printf("grown without a type: %s, site of the caller: %d\n", name(grown), is_near(alloc_get_site(grown), main));

	struct two *pooled = from_pool(&pool, 3 * sizeof *pooled);
	struct three *pointed = get(3 * sizeof *pointed);
	printf("pointer in a field: %s, in a variable: %s\n", name(pooled), name(pointed));

	struct one *eight = deep(8, 2 * sizeof *eight), *nine = deep(9, 2 * sizeof *nine);
	printf("8 deep: %s, 9 deep: %s\n", name(eight), is_near(alloc_get_site(nine), deep) ? "unknown" : name(nine));
	return 0;
}
