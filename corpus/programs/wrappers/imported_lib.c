/* A library of imported.c: functions that allocate for whoever calls them, in whatever file. */
#include <stdlib.h>
#include "imported.h"

struct header { size_t size; long padding; };

void *get_some(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (!p) abort();
	return p;
}

void *get_zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (!p) abort();
	return p;
}

void *get_more(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p) abort();
	return p;
}

void *get_last(size_t n) { return malloc(n); }

void *get_behind(size_t n)
{
	struct header *p = malloc(sizeof *p + n);
	if (!p) abort();
	p->size = n;
	return p + 1;
}

int get_out(size_t n, void **out)
{
	void *p = malloc(n);
	if (!p) return 1;
	*out = p;
	return 0;
}

static size_t rounded(size_t n) { return (n + 15) & ~(size_t) 15; }

void *get_rounded(size_t n)
{
	char *p = get_some(rounded(n));
	p[0] = 0;
	return p;
}

void *get_other_name(size_t n) __attribute__((alias("get_some")));

void *(*const get_pointer)(size_t) = get_some;

/* No wrapper: it knows what it makes. */
struct point *get_points(int n)
{
	struct point *p = get_some((size_t) n * sizeof *p);
	p->x = n;
	return p;
}

__attribute__((weak)) void *shadowed_get(size_t n)
{
	struct header *p = malloc(sizeof *p + n);
	if (!p) abort();
	p->size = n;
	return p + 1;
}

/* The function that is called is that of the first file that has one of this name. */
void *shadowed_make(void)
{
	struct point *p = shadowed_get(2 * sizeof *p);
	p->x = 1;
	return p;
}
