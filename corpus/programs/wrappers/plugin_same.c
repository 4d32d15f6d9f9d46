/* A plug-in of plugin.c with functions of its own by the names that plugin_one.c has from the program: opened with RTLD_LOCAL
 * and bound to themselves they are another matter. */
#include <stdlib.h>
#include "plugin.h"

struct own { long c; };

void *host_get(size_t n)
{
	size_t *p = malloc(n + 2 * sizeof *p);
	if (!p) abort();
	p[0] = n;
	return p + 2;
}

/* A plain function there, too. */
void *host_last(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

void *make(int what)
{
	struct own *p = what == LAST ? host_last(3 * sizeof *p) : host_get(3 * sizeof *p);
	p->c = 1;
	return p;
}
