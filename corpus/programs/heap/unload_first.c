/* Loaded and unloaded by unload.c. */
#include <stdlib.h>

struct first { long a[6]; };

void *make(void)
{
	return malloc(sizeof(struct first));
}

struct last { long a[5]; };

static void **place;

void make_last_at(void **where) { place = where; }

__attribute__((destructor)) static void make_last(void)
{
	if (place) *place = malloc(sizeof(struct last));
}
