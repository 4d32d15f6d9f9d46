// A program with a malloc library of its own keeps it, and its blocks are indexed, however small and close they are.
//@ cflags: -O1 -fno-builtin
//@ cc-so: foreign_malloc.c
//@ ldflags: -L{dir} -lforeign_malloc -Wl,-rpath,$ORIGIN
//@ modes: library ulimit -Xlinker,--hash-style=sysv
//@ stdout: 0 wrong answers, 0 damaged blocks
//@ stdout: realloc to 0 gives a block: 1
//@ stdout: the program's own malloc was used: 1, and is said to be: 1
#include <allocs.h>

extern unsigned long foreign_requests(void);

enum { BLOCKS = 3000 };

int main(void)
{
	static unsigned char *block[BLOCKS];
	static size_t size[BLOCKS];
	int wrong = 0, damaged = 0;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < BLOCKS; i++) {
			free(block[i]);
			size[i] = (i * 7 + round) % 40;
			block[i] = i % 3 == 0 ? calloc(size[i], 1) : i % 3 == 1 ? realloc(NULL, size[i]) : malloc(size[i]);
			memset(block[i], i, size[i]);
		}
		for (int i = 0; i < BLOCKS; i += 2) {
			size[i] += 5;
			block[i] = realloc(block[i], size[i]);
			memset(block[i], i, size[i]);
		}
		for (int i = 0; i < BLOCKS; i++) {
			for (size_t at = 0; at < size[i]; at++) damaged += block[i][at] != (unsigned char) i;
			wrong += alloc_get_base(block[i] + size[i] / 2) != block[i] || alloc_get_size(block[i]) != size[i];
		}
	}
	printf("%d wrong answers, %d damaged blocks\n", wrong, damaged);
	void *p = realloc(malloc(5), 0);
	printf("realloc to 0 gives a block: %d\n", p != NULL);
	free(p);
	printf("the program's own malloc was used: %d", foreign_requests() > 10000);
	printf(", and is said to be: %d\n", alloc_get_allocator(block[1]) == &__global_malloc_allocator);
	return 0;
}
