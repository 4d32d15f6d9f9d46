/* A plug-in of plugin.c without metadata. */
#include "plugin.h"

void *make(int what)
{
	long *p = host_get(3 * sizeof *p);
	*p = what;
	return p;
}
