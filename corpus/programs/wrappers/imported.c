// Wrappers in libraries that the program is linked with: their metadata says what they do. The type is that of the call in the
// program, whether they leave a frame or end with a jump, through other libraries too. What is kept in front of the block, or
// another function than the one that was there at link, makes it unknown.
//@ cflags: -g
//@ so: imported_lib.c
//@ so-ldflags: -L{dir} -limported_lib -Wl,-rpath,$ORIGIN
//@ so: imported_chain.c
//@ so-ldflags: -Wl,-soname,libimported_swapped.so
//@ so: imported_plain.c
//@ so-ldflags:
//@ so: imported_swapped.c
//@ ldflags: -L{dir} -limported_chain -limported_lib -limported_plain -Wl,-rpath,$ORIGIN
//@ modes: library O1 O2 O3 Os clang valgrind -O2,-no-pie -O2,-fno-plt -O2,-z,now -O2,-flto -O2,-fno-omit-frame-pointer
//@ stdout: malloc: __ARR0_point 1, calloc: __ARR0_one 1, realloc: __ARR0_two 1, with a last call: __ARR0_three 1
//@ stdout: out parameter: __ARR0_one 1, rounded: __ARR0_two 1, alias: __ARR0_three 1, pointer: unknown 1
//@ stdout: wrapper here: __ARR0_point 1, inlined: __ARR0_one 1, no wrapper: __ARR0_point 0
//@ stdout: through two libraries: __ARR0_two 1, with a last call: __ARR0_three 1
//@ stdout: behind a header: unknown 0
//@ stdout: another library than at link: unknown 1
//@ stdout: another function than in the library: unknown 0
//@ stdout: 10000 times: 0 wrong
#define _GNU_SOURCE
#include "wrappers.h"
#include "imported.h"

/* What the library has of this name keeps something in front. */
WRAPPER void *shadowed_get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *here(size_t n)
{
	void *p = get_some(n);
	if (!p) abort();
	return p;
}

static inline void *inlined(size_t n)
{
	void *p = get_some(n + 8);
	touch(p);
	return p;
}

static const char *program;

/* The type unless it is one that stands for unknown, and whether the site is in the program. */
static const char *say(void *block)
{
	static char texts[4][100];
	static int next;
	Dl_info info;
	char *base = alloc_get_base(block);
	const char *found = name(base);
	int is_known = strcmp(found, "none") && strcmp(found, "__ARR0_unsigned_char$8")
		&& strcmp(found, "__SYNTH_header__ARR0_unsigned_char$8");
	int is_here = dladdr(alloc_get_site(base), &info) && !strcmp(info.dli_fname, program);
	char *text = texts[next++ % 4];
	snprintf(text, sizeof texts[0], "%s %d", is_known ? found : "unknown", is_here);
	return text;
}

int main(int argc, char **argv)
{
	(void) argc;
	program = argv[0];
	struct point *point = get_some(3 * sizeof(struct point));
	struct one *one = get_zeroed(3, sizeof *one);
	struct two *two = get_more(NULL, 5 * sizeof *two);
	struct three *three = get_last(7 * sizeof *three);
	printf("malloc: %s, calloc: %s, realloc: %s, with a last call: %s\n", say(point), say(one), say(two), say(three));
	void *out = NULL;
	if (get_out(2 * sizeof(struct one), &out)) return 1;
	two = get_rounded(9 * sizeof *two);
	three = get_other_name(3 * sizeof *three);
	one = get_pointer(3 * sizeof *one);
	printf("out parameter: %s, rounded: %s, alias: %s, pointer: %s\n", say(out), say(two), say(three), say(one));
	point = here(2 * sizeof *point);
	one = inlined(3 * sizeof *one);
	struct point *points = get_points(3);
	printf("wrapper here: %s, inlined: %s, no wrapper: %s\n", say(point), say(one), say(points));
	two = chain_get(4 * sizeof *two);
	three = chain_last(5 * sizeof *three);
	printf("through two libraries: %s, with a last call: %s\n", say(two), say(three));
	point = get_behind(3 * sizeof *point);
	printf("behind a header: %s\n", say(point));
	point = swapped_get(3 * sizeof *point);
	printf("another library than at link: %s\n", say(point));
	printf("another function than in the library: %s\n", say(shadowed_make()));

	int wrong = 0;
	for (int i = 0; i < 10000; i++) {
		struct point *p = get_some(3 * sizeof *p);
		struct three *q = chain_get(5 * sizeof *q);
		wrong += strcmp(name(p), "__ARR0_point") || strcmp(name(q), "__ARR0_three");
		free(p);
		free(q);
	}
	printf("10000 times: %d wrong\n", wrong);
	return 0;
}
