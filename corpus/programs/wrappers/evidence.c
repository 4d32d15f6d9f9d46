// What no pointer says, because all are pointers to void or to characters: rows of a table, arrays of numbers, a size that a member
// keeps, and one that is never 0. Where less is said, nothing is known.
//@ cflags: -g
//@ modes: library O2 clang
//@ stdout: rows: __ARR0_one, table: __ARR0___PTR_void, no rows: unknown
//@ stdout: characters or numbers: __SYNTHUNION___ARR0_int$32___ARR0_unsigned_char$8, structs too: unknown
//@ stdout: kept by a member: __ARR0_two, changed: unknown
//@ stdout: guarded: __ARR0_three, of something: unknown
#include "wrappers.h"

struct keep {
	void *data;
	size_t size;
};
struct words {
	void *data;
};
struct other {
	void *data;
};

static int is_wide;

WRAPPER void *table(size_t rows, size_t columns, size_t size)
{
	char **all = malloc(rows * sizeof(void *));
	char *row = calloc(rows * columns, size);
	for (size_t i = 0; i < rows; i++) all[i] = row + i * columns * size;
	return all;
}

WRAPPER void *twice(size_t n)
{
	void **all = malloc(sizeof(void *));
	*all = calloc(2, n);
	return all;
}

WRAPPER void *never_nothing(size_t n, size_t size)
{
	return calloc(n ? n : 1, size ? size : 1);
}

WRAPPER void *bytes_or_more(size_t n, size_t size)
{
	return calloc(n, is_wide ? size : 1);
}

WRAPPER void fill(struct words *words, struct other *other, size_t n)
{
	words->data = malloc(n);
	other->data = malloc(n);
	for (size_t i = 0; i < n / sizeof(int); i++) {
		if (is_wide) ((int *) words->data)[i] = 1;
		else ((char *) words->data)[i] = 1;
		((int *) other->data)[i] = 1;
	}
	*(struct two *) other->data = (struct two) { 1 };
}

WRAPPER void keep_size(struct keep *keep, struct keep *other, size_t n)
{
	keep->size = n * sizeof(struct two);
	keep->data = malloc(keep->size);
	other->size = n * sizeof(struct two);
	touch(other);
	other->data = malloc(other->size);
}

static const char *known(void *p)
{
	return strcmp(name(p), "__ARR0_unsigned_char$8") ? name(p) : "unknown";
}

int main(int argc, char **argv)
{
	struct keep keep, changed;
	struct words words;
	struct other other;
	size_t n = (size_t) argc;
	touch(&is_wide);
	void **rows = table(n, 3, sizeof(struct one)), **no_rows = twice(sizeof(struct one));
	printf("rows: %s, table: %s, no rows: %s\n", known(*rows), known(rows), known(*no_rows));
	fill(&words, &other, 8 * n);
	/* A pointer that is passed on is out of sight; these are not seen to be. */
	void *block[2];
	memcpy(&block[0], &words, sizeof block[0]);
	memcpy(&block[1], &other, sizeof block[1]);
	printf("characters or numbers: %s, structs too: %s\n", known(block[0]), known(block[1]));
	keep_size(&keep, &changed, n);
	printf("kept by a member: %s, changed: %s\n", known(keep.data), known(changed.data));
	void *guarded = never_nothing(n, sizeof(struct three)), *open = bytes_or_more(n, sizeof(struct three));
	printf("guarded: %s, of something: %s\n", known(guarded), known(open));
	touch(argv);
	return 0;
}
