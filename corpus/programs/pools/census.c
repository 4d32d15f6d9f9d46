// A census counts the objects of a pool.
//@ build-env: LIBALLOCS_SUBALLOC_FNS=pool_alloc(pZ)p pool_calloc(pzZ)p pool_realloc(pPZ)p
//@ build-env: LIBALLOCS_SUBFREE_FNS=pool_free(pP)->pool_alloc
//@ cflags: -g
//@ modes: library clang
//@ stdout: {"allocator":"generic small","type":"__ARR0_point","c_type":"struct point[]","site":"census.c:16 allocate","evidence":"both","live":7,"live_bytes":112,"total":10,"total_bytes":160}
#include "../census_of_child.h"
#include "pools.h"

struct point *points[10];

__attribute__((noinline)) static void allocate(void)
{
	struct pool *pool = pool_new(4096);
	for (int i = 0; i < 10; i++) {
		points[i] = pool_alloc(pool, sizeof (struct point));
		if (i < 3) pool_free(pool, points[i]), points[i] = NULL;
	}
}

int main(int argc, char **argv)
{
	return census_of_child(argc, argv, allocate, "generic small", print_line);
}
