//@ modes: plain library O2 clang
//@ with: graph.c
//@ cflags: -I{stage}/include -std=c11 -Wall -Wextra -Werror
//@ env: LIBALLOCS_ERR=/dev/null
//@ stdout: digraph objects {
//@ stdout: 	n0 [label="struct shape"];
//@ stdout: 	n1 [label="char[6]"];
//@ stdout: 	n0 -> n1 [label=".name"];
//@ stdout: 	n2 [label="struct shape"];
//@ stdout: 	n0 -> n2 [label=".next"];
//@ stdout: 	n0 -> n0 [label=".last", headlabel=".corners[2]"];
//@ stdout: 	n0 -> n2 [label=".xs[1]", headlabel=".corners[1].y"];
//@ stdout: 	n3 [label="char[7]"];
//@ stdout: 	n2 -> n3 [label=".name"];
//@ stdout: 	n2 -> n0 [label=".next"];
//@ stdout: 	n2 -> n0 [label=".last", headlabel=".corners[0]"];
//@ stdout: 	n4 [label="int[4]"];
//@ stdout: 	n2 -> n4 [label=".xs[0]", headlabel="[3]"];
//@ stdout: 	n2 -> n4 [label=".anything"];
//@ stdout: }
//@ plain-stdout: digraph objects {
//@ plain-stdout: }
/* The graph of a ring, of pointers into other objects, and of statics. */
#include "graph.h"

struct point {
	int x, y;
};

struct shape {
	const char *name;
	struct shape *next;
	struct point corners[3], *last;
	int *xs[2];
	void *anything;
};

static struct shape first = { .name = "first" }, second = { .name = "second" };
static int numbers[4];

int main(void)
{
	first.next = &second;
	second.next = &first;
	first.last = &first.corners[2];
	second.last = &first.corners[0];
	first.xs[1] = &second.corners[1].y;
	second.xs[0] = &numbers[3];
	second.anything = numbers;
	graph_write(stdout, &first);
	return 0;
}
