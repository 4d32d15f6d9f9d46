// A library without metadata.
#include <stdlib.h>

void *volatile from_a_library;

void allocate_in_a_library(void *(*get)(size_t))
{
	from_a_library = malloc(100);
	from_a_library = get(200);
}
