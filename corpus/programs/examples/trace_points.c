//@ modes: plain library O2 clang
//@ with: trace.c
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stderr: freed struct point[100], 800 bytes, from trace_points.c:22 main
//@ stderr: freed char[5], 5 bytes, from trace_points.c:25 main
//@ stderr: live  struct point *[1], 8 bytes, from trace_points.c:26 main
/* A block that grows, one of text, and one that still lives at exit. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

struct point {
	int x, y;
};

void *kept;

int main(void)
{
	struct point *points = malloc(2 * sizeof (struct point));
	points = realloc(points, 100 * sizeof (struct point));
	free(points);
	free(NULL);
	free(strdup("text"));
	kept = malloc(sizeof (struct point *));
	return 0;
}
