// A declared pool: what its functions give are allocations of their own, with the type and site of their calls, inside the block that
// the pool divides.
//@ build-env: LIBALLOCS_SUBALLOC_FNS=pool_alloc(pZ)p pool_calloc(pzZ)p pool_realloc(pPZ)p
//@ build-env: LIBALLOCS_SUBFREE_FNS=pool_free(pP)->pool_alloc
//@ cflags: -O2
//@ modes: library clang O0 O1 O3 Os strip -O2,-no-pie -fcf-protection -O2,-fno-omit-frame-pointer valgrind plain
//@ stdout: point: generic small, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: interior: generic small, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: many: generic small, __ARR0_thing, 240 of 240, base 1, site 1
//@ stdout: odd size: generic small, __ARR0_signed_char$8, 3 of 3, base 1, site 1
//@ stdout: by a wrapper: generic small, __ARR0_thing, 24 of 24, base 1, site 1
//@ stdout: grown: generic small, __ARR0_thing, 480 of 480, base 1, site 1
//@ stdout: the one it was made of: generic malloc, none
//@ stdout: freed: generic malloc, none
//@ stdout: the block's end: generic malloc, none
//@ stdout: the block's size: 1
//@ stdout: neighbours still there: 1
//@ stdout: made again: generic small, __ARR0_thing, 24 of 24, base 1, site 1
//@ stdout: a plain block: generic malloc, __ARR0_point
//@ stdout: big: generic small, __ARR0_point, 1600000 of 1600000, base 1, site 1
//@ stdout: too much: 1
//@ stdout: the pool is gone: 1
//@ plain-stdout: without the library
#include "pools.h"

int main(void)
{
	if (!alloc_get_allocator(malloc(1))) return puts("without the library"), 0;
	struct pool *pool = pool_new(1 << 14);
	struct point *p = pool_alloc(pool, sizeof (struct point));
	show("point", p, p, sizeof *p);
	show("interior", &p->y, p, sizeof *p);
	struct thing *many = pool_calloc(pool, 10, sizeof (struct thing));
	show("many", many, many, 10 * sizeof *many);
	char *odd = pool_alloc(pool, 3);
	show("odd size", odd + 2, odd, 3);
	struct thing *one = make(pool, sizeof *one);
	show("by a wrapper", one, one, sizeof *one);
	struct thing *grown = pool_realloc(pool, many, 20 * sizeof *many);
	show("grown", &grown[19].next, grown, 20 * sizeof *grown);
	where("the one it was made of", many);
	pool_free(pool, one);
	where("freed", one);
	where("the block's end", pool->memory + pool->size - 1);
	printf("the block's size: %d\n", alloc_get_size(one) == pool->size);
	printf("neighbours still there: %d\n", alloc_get_base(odd) == odd && alloc_get_base(grown) == grown);
	struct thing *again = make(pool, sizeof *again);
	show("made again", again, again, sizeof *again);
	struct point *plain = malloc(sizeof *plain);
	where("a plain block", plain);
	free(plain);
	struct pool *large = pool_new(4 << 20);
	for (int i = 0; i < 100; i++) pool_alloc(large, 8);
	struct point *big = pool_alloc(large, 100000 * sizeof *big);
	show("big", big + 99999, big, 100000 * sizeof *big);
	printf("too much: %d\n", pool_alloc(pool, 1 << 20) == NULL);
	void *inside = p;
	pool_delete(pool);
	struct allocator *now = alloc_get_allocator(inside);
	printf("the pool is gone: %d\n", !now || strcmp(now->name, "generic small") != 0);
	return 0;
}
