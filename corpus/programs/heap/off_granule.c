// Blocks of a malloc that gives boundaries of 8 bytes are either right or unknown, whatever is freed beside them.
//@ cflags: -O1 -fno-builtin
//@ cc-so: off_granule_malloc.c
//@ ldflags: -L{dir} -loff_granule_malloc -Wl,-rpath,$ORIGIN
//@ modes: library
//@ stdout: wrong 0, some known: 1, some unknown: 1
#include <allocs.h>

enum { BLOCKS = 4000 };

int main(void)
{
	static char *block[BLOCKS];
	static size_t size[BLOCKS];
	int wrong = 0, known = 0, unknown = 0;
	unsigned random = 1;
	for (int i = 0; i < BLOCKS; i++) {
		random = random * 1103515245 + 12345;
		size[i] = (random >> 16) % 90;
		block[i] = malloc(size[i]);
	}
	for (int i = 0; i < BLOCKS; i += 3) free(block[i]);
	for (int i = 0; i < BLOCKS; i++) {
		if (i % 3 == 0) continue;
		struct allocator *a = alloc_get_allocator(block[i]);
		int is_known = a && !strcmp(a->name, "generic malloc");
		if (!is_known) unknown++;
		else if (alloc_get_base(block[i]) == block[i] && alloc_get_size(block[i]) == size[i]) known++;
		else wrong++;
	}
	printf("wrong %d, some known: %d, some unknown: %d\n", wrong, known > 0, unknown > 0);
	return 0;
}
