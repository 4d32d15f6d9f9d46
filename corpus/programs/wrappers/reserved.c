// The names of wrappers may begin like those of the compiler and the C library; only those are called by other names, too.
//@ modes: library O0 O2 clang
//@ stdout: __ARR0_one __ARR0_two __ARR0_three
#include "wrappers.h"

WRAPPER static void *__get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER static void *__get_array__(size_t n, size_t size, const char *file)
{
	void *p = calloc(n, size);
	if (!p) perror(file);
	return p;
}

WRAPPER static void *get_chk(size_t n)
{
	return calloc(1, n);
}

int main(void)
{
	struct one *one = __get(sizeof *one);
	struct two *two = __get_array__(3, sizeof *two, __FILE__);
	struct three *three = get_chk(sizeof *three);
	printf("%s %s %s\n", name(one), name(two), name(three));
	return 0;
}
