/* A library of files.c with a wrapper that it calls itself. */
#include <stdlib.h>
#include "files.h"

struct item { long a; };

__attribute__((noinline)) void *lib_wrapper(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

void *lib_make(void)
{
	struct item *p = lib_wrapper(4 * sizeof *p);
	p->a = 1;
	return p;
}
