/* A library that files.c opens and closes, in turns with files_third.c. */
#include <stdlib.h>

struct other { long a; };

__attribute__((noinline)) static void *get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

void *make(void)
{
	struct other *p = get(3 * sizeof *p);
	p->a = 1;
	return p;
}
