// A block that is cleared as soon as it is there: compilers make calloc of it, which is no call that the source has. A call that
// an inlined copy does not come to is not taken for it.
//@ cflags: -g
//@ modes: library O1 O2 O3 clang
//@ stdout: without cells: __ARR0_table
//@ stdout: with cells: __ARR0_table __ARR0_cell
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <allocs.h>

struct cell {
	void *head, *tail;
};
struct table {
	int length;
	struct cell *cells;
	long more[3];
};

static void *allocate(size_t n)
{
	return malloc(n);
}

static struct table *new_table(int n)
{
	struct table *table = allocate(sizeof *table);
	memset(table, 0, sizeof *table);
	if (n) {
		table->cells = allocate(n * sizeof *table->cells);
		table->length = n;
	}
	return table;
}

struct table *volatile kept;

int main(int argc, char **argv)
{
	(void)argv;
	kept = new_table(0);
	printf("without cells: %s\n", UNIQTYPE_NAME(alloc_get_type(kept)));
	kept = new_table(argc);
	printf("with cells: %s %s\n", UNIQTYPE_NAME(alloc_get_type(kept)), UNIQTYPE_NAME(alloc_get_type(kept->cells)));
	return 0;
}
