// Wrappers are left in front of a malloc of the program's own choice, too, even of one that gives blocks off the granules,
// where nothing is remembered for the fast path.
//@ cflags: -g
//@ cc-so: off_granule_malloc.c
//@ ldflags: -L{dir} -loff_granule_malloc -Wl,-rpath,$ORIGIN
//@ modes: library O2
//@ stdout: wrong 0, some known: 1
#include <allocs.h>

#define WRAPPER __attribute__((noinline))

struct one { long a; };
struct two { short b; };

static const char *name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

WRAPPER void *get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *get_zeroed(size_t n)
{
	void *p = get(n);
	memset(p, 0, n);
	return p;
}

int main(void)
{
	int wrong = 0, known = 0;
	for (int i = 0; i < 1000; i++) {
		struct one *one = get((1 + i % 9) * sizeof *one);
		struct two *two = get_zeroed((1 + i % 7) * sizeof *two);
		wrong += strcmp(name(one), "none") && strcmp(name(one), "__ARR0_one");
		wrong += strcmp(name(two), "none") && strcmp(name(two), "__ARR0_two");
		known += !strcmp(name(one), "__ARR0_one") + !strcmp(name(two), "__ARR0_two");
	}
	printf("wrong %d, some known: %d\n", wrong, known > 0);
	return 0;
}
