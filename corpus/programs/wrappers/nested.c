// A block that a wrapper allocated has the type and the site of the wrapper's call: through nested wrappers, through those
// with their own frames, whatever the code is optimised for, and whichever registers a frame is counted from.
//@ cflags: -g
//@ modes: library clang O1 O2 O3 Os -O2,-fno-omit-frame-pointer -O0,-fomit-frame-pointer -O2,-fno-asynchronous-unwind-tables -O2,-no-pie,-fno-pie -O2,-fno-optimize-sibling-calls
//@ stdout: xmalloc: __ARR0_one, xcalloc: __ARR0_two, xrealloc: __ARR0_three then __ARR0_one, xzalloc: __ARR0_two
//@ stdout: out-parameter: __ARR0_three, variadic: __ARR0_one, many arguments: __ARR0_two
//@ stdout: large frame: __ARR0_three, variable frame: __ARR0_one, aligned frame: __ARR0_two
//@ stdout: own site each: 1
//@ stdout: 10000 times: 0 wrong
#include "wrappers.h"

WRAPPER void *xmalloc(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *xcalloc(size_t n, size_t size)
{
	void *p = xmalloc(n * size);
	memset(p, 0, n * size);
	return p;
}

WRAPPER void *xzalloc(size_t n)
{
	void *p = xcalloc(1, n);
	if (!p) abort();
	return p;
}

WRAPPER void *xrealloc(void *old, size_t n)
{
	void *p = old ? realloc(old, n) : xmalloc(n);
	if (!p) abort();
	return p;
}

WRAPPER int get(void **out, size_t n)
{
	*out = xmalloc(n);
	return *out ? 0 : -1;
}

WRAPPER void *logged(size_t n, const char *format, ...)
{
	char text[100];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	void *p = xmalloc(n);
	if (text[0] != 'x') abort();
	return p;
}

WRAPPER void *many(long a, long b, long c, long d, long e, long f, long g, long h, size_t n)
{
	void *p = xmalloc(n);
	if (a + b + c + d + e + f + g + h != 36) abort();
	return p;
}

WRAPPER void *large_frame(size_t n)
{
	char space[100000];
	touch(space);
	void *p = xmalloc(n);
	touch(space);
	return p;
}

WRAPPER void *variable_frame(size_t n, int length)
{
	char space[length];
	touch(space);
	void *p = xmalloc(n);
	touch(space);
	return p;
}

WRAPPER void *aligned_frame(size_t n)
{
	_Alignas(64) char space[64];
	touch(space);
	void *p = xmalloc(n);
	touch(space);
	return p;
}

static void *allocate(int way)
{
	void *p = NULL;
	switch (way) {
	case 0: p = xmalloc(3 * sizeof(struct one)); break;
	case 1: p = xcalloc(4, sizeof(struct two)); break;
	case 2: p = xzalloc(5 * sizeof(struct two)); break;
	case 3: p = xrealloc(NULL, 6 * sizeof(struct three)); break;
	case 4: get(&p, 7 * sizeof(struct three)); break;
	case 5: p = logged(2 * sizeof(struct one), "x %d %f", 1, 2.0); break;
	case 6: p = many(1, 2, 3, 4, 5, 6, 7, 8, 2 * sizeof(struct two)); break;
	case 7: p = large_frame(2 * sizeof(struct three)); break;
	case 8: p = variable_frame(2 * sizeof(struct one), 50 + way); break;
	case 9: p = aligned_frame(2 * sizeof(struct two)); break;
	}
	touch(p);
	return p;
}

int main(void)
{
	static const char *const expect[] = { "one", "two", "two", "three", "three", "one", "two", "three", "one", "two" };
	void *p[10];
	for (int i = 0; i < 10; i++) p[i] = allocate(i);
	void *grown = xrealloc(allocate(3), 20 * sizeof(struct one));
	printf("xmalloc: %s, xcalloc: %s, xrealloc: %s then %s, xzalloc: %s\n", name(p[0]), name(p[1]), name(p[3]), name(grown),
	       name(p[2]));
	printf("out-parameter: %s, variadic: %s, many arguments: %s\n", name(p[4]), name(p[5]), name(p[6]));
	printf("large frame: %s, variable frame: %s, aligned frame: %s\n", name(p[7]), name(p[8]), name(p[9]));
	int distinct = 1;
	for (int i = 0; i < 10; i++)
		for (int j = 0; j < i; j++) distinct &= alloc_get_site(p[i]) != alloc_get_site(p[j]);
	printf("own site each: %d\n", distinct);
	int wrong = 0;
	for (int i = 0; i < 10000; i++) {
		void *q = allocate(i % 10);
		wrong += strcmp(name(q) + 7, expect[i % 10]) != 0 || alloc_get_site(q) != alloc_get_site(p[i % 10]);
		free(q);
	}
	printf("10000 times: %d wrong\n", wrong);
	return 0;
}
