/* A library of files.c without metadata. */
#include <stdlib.h>
#include "files.h"

void *foreign_call(void *(*function)(void))
{
	void *p = function();
	if (!p) abort();
	return p;
}

void *foreign_make(void *(*wrapper)(size_t))
{
	char *p = wrapper(100);
	*p = 1;
	return p;
}

void *foreign_wrapper(size_t n)
{
	char *p = malloc(n);
	*p = 1;
	return p;
}
