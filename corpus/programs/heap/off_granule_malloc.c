/* A malloc that gives boundaries of 8 bytes only, and packs blocks without headers. It never reuses memory. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint64_t space[1 << 21], *next = space;

void *malloc(size_t size)
{
	size_t words = (size + 7) / 8 + !size;
	if (words > (size_t)(space + (1 << 21) - next)) return NULL;
	next += words;
	return next - words;
}

void free(void *p) { (void) p; }

void *calloc(size_t count, size_t size)
{
	void *p = malloc(count * size);
	return p ? memset(p, 0, count * size) : NULL;
}

void *realloc(void *p, size_t size)
{
	void *new = malloc(size);
	if (p && new) memmove(new, p, size);
	return new;
}
