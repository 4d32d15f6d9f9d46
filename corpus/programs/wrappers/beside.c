// The code of a function that was inlined around a call may be empty, and its range hold the call: the call is another function's.
//@ modes: library O0 O1 O2 Os clang
//@ stdout: through a wrapper: __ARR0_one, directly: __ARR0_two
#include "wrappers.h"

static inline void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static void *get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

int main(void)
{
	struct one *one = keep(get(sizeof *one));
	struct two *two = keep(malloc(3 * sizeof *two));
	printf("through a wrapper: %s, directly: %s\n", name(one), name(two));
	return 0;
}
