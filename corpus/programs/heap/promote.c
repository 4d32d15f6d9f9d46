// A heap block of any size can be made big for a client, and ends as such when it is freed or moved.
//@ cflags: -O1 -fno-builtin -Wno-use-after-free
//@ modes: library ulimit
//@ stdout: a block of 100 bytes: begin right: 1, end right: 1, by generic malloc: 1
//@ stdout: the same again: 1, from an interior pointer: 1
//@ stdout: freed: nothing there: 1
//@ stdout: moved: nothing there: 1
//@ stdout: 200000 times: 0 failed
//@ stdout: a client's cleanup ran 1 time
#include <allocs.h>

static int cleanups;

static void clean_up(void *argument) { cleanups += *(int *) argument; }

static struct big_allocation *look_up(void *p)
{
	void *base = NULL;
	struct big_allocation *big = __lookup_bigalloc_from_root(p, &__default_lib_malloc_allocator, &base);
	return big && base == big->begin ? big : NULL;
}

int main(void)
{
	char *p = malloc(100);
	struct big_allocation *big = look_up(p + 50);
	printf("a block of 100 bytes: begin right: %d, end right: %d, by generic malloc: %d\n", big && big->begin == p,
	       big && big->end == p + 100, big && big->allocated_by == &__default_lib_malloc_allocator);
	printf("the same again: %d, from an interior pointer: %d\n", look_up(p) == big, look_up(p + 99) == big);
	free(p);
	printf("freed: nothing there: %d\n", look_up(p) == NULL);
	p = malloc(100);
	char *barrier = malloc(100);
	big = look_up(p);
	char *moved = realloc(p, 10000);
	printf("moved: nothing there: %d\n", moved != p && (look_up(p) == NULL || look_up(p) != look_up(moved)));
	free(barrier);
	free(moved);

	int failed = 0;
	for (int i = 0; i < 200000; i++) {
		p = malloc(i % 9000);
		big = look_up(p);
		failed += !big || big->begin != p;
		free(p);
	}
	printf("200000 times: %d failed\n", failed);

	static int one = 1;
	p = malloc(50);
	big = look_up(p);
	if (!big) return 1;
	big->suballocator_private = &one;
	big->suballocator_private_free = clean_up;
	free(p);
	printf("a client's cleanup ran %d time\n", cleanups);
	return 0;
}
