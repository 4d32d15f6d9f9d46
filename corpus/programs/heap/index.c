// Every address of a block leads to it, and no other: blocks of all sizes, in any order, moved, grown and freed.
// (The limit leaves room for the shadows of all regions that its heap can meet: a quarter of the address space.)
//@ cflags: -O1 -fno-builtin -Wno-use-after-free
//@ modes: library ulimit=1200000 -no-pie
//@ stdout: 0 wrong answers about live blocks
//@ stdout: 0 wrong answers about freed ones
//@ stdout: 0 wrong answers past the end
//@ stdout: a block of size 0: generic malloc, size 0, base right: 1
#define _GNU_SOURCE
#include <allocs.h>
#include <malloc.h>

enum { BLOCKS = 2000, ROUNDS = 30000 };

static struct { char *base; size_t size; } block[BLOCKS];
static int wrong, wrong_freed, wrong_past;

static unsigned next_random(void)
{
	static unsigned state = 1;
	state = state * 1103515245 + 12345;
	return state >> 8;
}

static size_t some_size(void)
{
	unsigned r = next_random();
	return r % 100 == 0 ? 60000 + r % 10000 : r % 400 == 1 ? r % 3000000 : r % 5 == 0 ? r % 9000 : r % 200;
}

static void check_at(char *base, size_t size, size_t offset)
{
	struct allocator *a = alloc_get_allocator(base + offset);
	if (!a || strcmp(a->name, "generic malloc") != 0 || alloc_get_base(base + offset) != base ||
	    alloc_get_size(base + offset) != size || !alloc_get_site(base + offset)) wrong++;
}

static void check(char *base, size_t size)
{
	check_at(base, size, 0);
	if (size == 0) return;
	check_at(base, size, size - 1);
	check_at(base, size, size / 2);
	check_at(base, size, next_random() % size);
	wrong_past += alloc_get_base(base + size) == base;
	wrong_past += alloc_get_base(base - 1) == base;
}

int main(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned i = next_random() % BLOCKS;
		size_t size = some_size();
		void *p;
		switch (next_random() % 6) {
		case 0: p = realloc(block[i].base, size + 1); size++; break;
		case 1: free(block[i].base); p = calloc(1, size); break;
		case 2: free(block[i].base); if (posix_memalign(&p, 1024, size)) return 1; break;
		case 3:
			free(block[i].base);
			if (block[i].base) wrong_freed += alloc_get_base(block[i].base) == block[i].base;
			if (block[i].base) wrong_freed += alloc_get_type(block[i].base) != NULL;
			p = NULL; size = 0;
			break;
		default: free(block[i].base); p = malloc(size);
		}
		block[i].base = p;
		block[i].size = size;
		if (p) check(p, size);
		i = next_random() % BLOCKS;
		if (block[i].base) check(block[i].base, block[i].size);
	}
	for (int i = 0; i < BLOCKS; i++) if (block[i].base) check(block[i].base, block[i].size);
	printf("%d wrong answers about live blocks\n%d wrong answers about freed ones\n%d wrong answers past the end\n",
	       wrong, wrong_freed, wrong_past);
	void *zero = malloc(0);
	printf("a block of size 0: %s, size %lu, base right: %d\n", alloc_get_allocator(zero)->name, alloc_get_size(zero),
	       alloc_get_base(zero) == zero);
	return 0;
}
