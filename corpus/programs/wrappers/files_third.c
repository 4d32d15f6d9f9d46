/* A library that files.c opens and closes, in turns with files_other.c: about the same, with another frame. */
#include <stdlib.h>

struct third { int a; };

__attribute__((noinline)) static void *get(size_t n)
{
	volatile char space[200];
	space[n % 200] = 1;
	void *p = malloc(n);
	if (!p || space[n % 200] != 1) abort();
	return p;
}

void *make(void)
{
	struct third *p = get(3 * sizeof *p);
	p->a = 1;
	return p;
}
