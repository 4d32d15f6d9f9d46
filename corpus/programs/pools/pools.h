/* A pool of ours, and what the programs here say of its objects. */
#include <allocs.h>

struct point { double x, y; };
struct thing { long a, b; struct thing *next; };

/* A chunk of memory from malloc, which is given out from its start. What is freed is given out again for the same size. */
struct pool {
	char *memory;
	size_t used, size;
	struct freed { struct freed *next; size_t size; } *freed;
};

#define NOINLINE __attribute__((noinline))

NOINLINE static struct pool *pool_new(size_t size)
{
	struct pool *pool = calloc(1, sizeof *pool);
	pool->memory = malloc(size);
	pool->size = size;
	return pool;
}

NOINLINE static void pool_delete(struct pool *pool)
{
	free(pool->memory);
	free(pool);
}

NOINLINE static void *pool_alloc(struct pool *pool, size_t size)
{
	for (struct freed **f = &pool->freed; *f; f = &(*f)->next) {
		if ((*f)->size == size) {
			void *found = *f;
			*f = (*f)->next;
			return found;
		}
	}
	size_t whole = (size + 15) & ~(size_t) 7;
	if (whole > pool->size - pool->used) return NULL;
	size_t *header = (size_t *) (pool->memory + pool->used);
	pool->used += whole;
	*header = size;
	return header + 1;
}

NOINLINE static void pool_free(struct pool *pool, void *p)
{
	if (!p) return;
	size_t size = ((size_t *) p)[-1];
	if (size < sizeof (struct freed)) return;
	struct freed *f = p;
	f->size = size;
	f->next = pool->freed;
	pool->freed = f;
}

NOINLINE static void *pool_calloc(struct pool *pool, size_t n, size_t size)
{
	void *p = pool_alloc(pool, n * size);
	return p ? memset(p, 0, n * size) : NULL;
}

NOINLINE static void *pool_realloc(struct pool *pool, void *old, size_t size)
{
	void *p = pool_alloc(pool, size);
	if (!p || !old) return p;
	size_t old_size = ((size_t *) old)[-1];
	memcpy(p, old, old_size < size ? old_size : size);
	pool_free(pool, old);
	return p;
}

/* A wrapper of it. */
NOINLINE static void *make(struct pool *pool, size_t size)
{
	void *p = pool_alloc(pool, size);
	if (!p) abort();
	return p;
}

static int is_in_main(const void *site);

static const char *type_name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

NOINLINE static void show(const char *what, void *p, void *base, size_t size)
{
	struct allocator *a = alloc_get_allocator(p);
	printf("%s: %s, %s, %lu of %lu, base %d, site %d\n", what, a ? a->name : "none", type_name(p), alloc_get_size(p),
		(unsigned long) size, alloc_get_base(p) == base, is_in_main(alloc_get_site(p)));
}

NOINLINE static void where(const char *what, void *p)
{
	struct allocator *a = alloc_get_allocator(p);
	printf("%s: %s, %s\n", what, a ? a->name : "none", type_name(p));
}

int main();
static int is_in_main(const void *site)
{
	unsigned long size = alloc_get_size((void *) main);
	return (uintptr_t) site - (uintptr_t) main < size;
}
