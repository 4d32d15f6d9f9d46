// Wrappers that end with the call leave no frame behind; those that are inlined, split or cloned have another one.
//@ cflags: -g
//@ modes: library O1 O2 O3 Os clang -O2,-flto
//@ stdout: last call: __ARR0_one, of another: __ARR0_two, in the middle: __ARR0_three
//@ stdout: inlined: __ARR0_one, split: __ARR0_two, cloned: __ARR0_three
//@ stdout: 10000 times: 0 wrong
#include "wrappers.h"

WRAPPER void *last(size_t n) { return malloc(n); }
WRAPPER void *last_of_last(size_t n) { return last(n + 1); }

WRAPPER void *middle(size_t n)
{
	void *p = last_of_last(n);
	if (!p) abort();
	return p;
}

static inline void *inlined(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

static int is_ready;

/* The rare part becomes a function of its own. Another allocation function, lest the compiler makes the calls one. */
static void *split(size_t n)
{
	if (__builtin_expect(!is_ready, 0)) {
		puts("not ready");
		fflush(stdout);
		for (int i = 0; i < 10; i++) touch(&is_ready);
		exit(1);
	}
	void *p = calloc(n, 1);
	if (!p) abort();
	return p;
}

/* One of the arguments is always the same. */
WRAPPER static void *cloned(int a, size_t n, int b)
{
	void *p = malloc(n + (size_t) (a + b - 7));
	if (!p) abort();
	return p;
}

__attribute__((noinline)) static void *allocate(int way)
{
	void *p = NULL;
	switch (way) {
	case 0: p = last(3 * sizeof(struct one)); break;
	case 1: p = last_of_last(4 * sizeof(struct two)); break;
	case 2: p = middle(5 * sizeof(struct three)); break;
	case 3: p = inlined(6 * sizeof(struct one)); break;
	case 4: p = split(7 * sizeof(struct two)); break;
	case 5: p = cloned(3, 8 * sizeof(struct three), 4); break;
	}
	touch(p);
	return p;
}

int main(void)
{
	static const char *const expect[] = { "one", "two", "three", "one", "two", "three" };
	void *p[6];
	is_ready = 1;
	touch(&is_ready);
	for (int i = 0; i < 6; i++) p[i] = allocate(i);
	printf("last call: %s, of another: %s, in the middle: %s\n", name(p[0]), name(p[1]), name(p[2]));
	printf("inlined: %s, split: %s, cloned: %s\n", name(p[3]), name(p[4]), name(p[5]));
	int wrong = 0;
	for (int i = 0; i < 10000; i++) {
		void *q = allocate(i % 6);
		wrong += strcmp(name(q) + 7, expect[i % 6]) != 0;
		free(q);
	}
	printf("10000 times: %d wrong\n", wrong);
	return 0;
}
