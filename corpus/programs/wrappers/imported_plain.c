/* What imported.c is linked with; what it finds when it starts is imported_swapped.c. */
#include <stdlib.h>
#include "imported.h"

void *swapped_get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}
