/* Loaded by unload.c where unload_first.c was. */
#include <stdlib.h>

struct second { long a[5]; };

void *make(void)
{
	return malloc(sizeof(struct second));
}
