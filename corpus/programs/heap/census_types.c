// A line of the census: allocator, type, its C spelling, place, evidence, live and total blocks and bytes; sorted.
//@ cflags: -O1
//@ modes: library
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_int$32","c_type":"int[]","site":"census_types.c:18 allocate","evidence":"both","live":3,"live_bytes":120,"total":4,"total_bytes":160}
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_int$32","c_type":"int[]","site":"census_types.c:19 allocate","evidence":"both","live":1,"live_bytes":80000,"total":1,"total_bytes":80000}
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_point","c_type":"struct point[]","site":"census_types.c:20 allocate","evidence":"both","live":0,"live_bytes":0,"total":1,"total_bytes":160}
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_signed_char$8","c_type":"char[]","site":"census_types.c:22 allocate","evidence":"receiver","live":1,"live_bytes":6,"total":1,"total_bytes":6}
#include "../census_of_child.h"

struct point { double x, y; };

int *numbers[4];
struct point *points;
char *text;

__attribute__((noipa)) static void allocate(void)
{
	for (int i = 0; i < 4; i++) numbers[i] = malloc(10 * sizeof(int));
	numbers[0] = realloc(numbers[0], 20000 * sizeof(int));
	points = calloc(10, sizeof(struct point));
	free(points);
	text = strdup("hello");
}

int main(int argc, char **argv)
{
	return census_of_child(argc, argv, allocate, "census_types.c", print_line);
}
