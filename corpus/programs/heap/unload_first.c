/* Loaded and unloaded by unload.c. */
#include <stdlib.h>

struct first { long a[6]; };

void *make(void)
{
	return malloc(sizeof(struct first));
}
