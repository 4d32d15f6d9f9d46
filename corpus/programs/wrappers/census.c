// A census counts what wrappers allocate for the places that call them, and nothing for the wrappers.
//@ cflags: -g
//@ modes: library O2 clang
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_one","c_type":"struct one[]","site":"census.c:32 allocate","evidence":"both","live":10,"live_bytes":240,"total":10,"total_bytes":240}
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_three","c_type":"struct three[]","site":"census.c:34 allocate","evidence":"both","live":1,"live_bytes":400000,"total":1,"total_bytes":400000}
//@ stdout: {"allocator":"generic malloc","type":"__ARR0_two","c_type":"struct two[]","site":"census.c:33 allocate","evidence":"both","live":10,"live_bytes":80,"total":10,"total_bytes":80}
#include "../census_of_child.h"
#include "wrappers.h"

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

struct one *ones[10];
struct two *twos[10];
struct three *threes;

__attribute__((noinline)) static void allocate(void)
{
	for (int i = 0; i < 10; i++) {
		touch(ones);
		ones[i] = get(3 * sizeof(struct one));
		twos[i] = get_zeroed(4 * sizeof(struct two));
		if (i == 0) threes = get(100000 * sizeof(struct three));
	}
}

int main(int argc, char **argv)
{
	return census_of_child(argc, argv, allocate, "census.c", print_line);
}
