//@ cflags: -fallocs-alloca
//@ modes: library O0 O1 O2 O3 Os clang strip -O2,-flto -O2,-fomit-frame-pointer -O2,-fstack-clash-protection -O2,-mavx2,-mstackrealign
//@ stdout: an array: alloca, 7 of point, __ARR7_point, alloca.c:[[re:\d+]] blocks
//@ stdout: one: alloca, 1 of point, __ARR1_point, alloca.c:[[re:\d+]] blocks
//@ stdout: a string: alloca, 17 of signed_char$8, __ARR17_signed_char$8, alloca.c:[[re:\d+]] blocks
//@ stdout: nothing: alloca, size 0
//@ stdout: in a field: float$64
//@ stdout: all at once: loops argument inlined wrapper recursion
//@ stdout: behind arguments on the stack: alloca
//@ stdout: in a signal handler: alloca
//@ stdout: after a jump: gone
//@ stdout: after the return: gone
//@ stdout: where another frame is now: gone
//@ stdout: wrong answers: 0
/* Blocks of alloca: what the program asked for, of which type and where. */
#include <allocs.h>
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>

struct point {
	long x;
	double y;
};

static int wrong;
static void *signalled, *gone;

__attribute__((noinline)) static const char *allocator_of(volatile void *p)
{
	struct allocator *allocator = alloc_get_allocator((void *) p);
	return allocator ? allocator->name : "none";
}

/* Of each address in a block the same is said, and of none beside it. */
__attribute__((noinline)) static void check(void *block, size_t size, const char *type, const char *site)
{
	for (size_t at = 0; at < size; at += size < 1000 ? 1 : size - 1) {
		char name[80] = "";
		struct uniqtype *found = NULL;
		void *base = NULL;
		unsigned long length = 0;
		const void *by = NULL;
		if (alloc_get_info((char *) block + at, NULL, &found, &base, &length, &by)) ++wrong;
		alloc_get_site_name(by, name, sizeof name);
		int is_right = base == block && length == size && found && !strcmp(UNIQTYPE_NAME(found), type);
		if (!is_right || !strstr(name, site) || strcmp(allocator_of((char *) block + at), "alloca")) {
			printf("wrong at %lu of %lu: %s %s %lu\n", at, size, name, UNIQTYPE_NAME(found), length);
			++wrong;
			return;
		}
	}
	if (size && alloc_get_base((char *) block + size) == block) ++wrong;
	if (alloc_get_base((char *) block - 1) == block) ++wrong;
}

__attribute__((noinline)) static void show(const char *what, void *block, size_t element)
{
	char name[80] = "";
	alloc_get_site_name(alloc_get_site(block), name, sizeof name);
	printf("%s: %s, %lu of %s, %s, %s\n", what, allocator_of(block), alloc_get_size(block) / element,
		UNIQTYPE_NAME(UNIQTYPE_ARRAY_ELEMENT_TYPE(alloc_get_type(block))),
		UNIQTYPE_NAME(alloc_get_precise_type(block)), name);
}

__attribute__((noinline)) static void blocks(int n)
{
	struct point *points = alloca(n * sizeof *points);
	show("an array", points, sizeof *points);
	struct point *one = alloca(sizeof (struct point));
	show("one", one, sizeof *one);
	char *string = alloca(17);
	show("a string", string, 1);
	void *nothing = alloca(n - 7);
	printf("nothing: %s, size %lu\n", allocator_of(nothing), alloc_get_size(nothing));
	if (alloc_get_base(nothing) != nothing) ++wrong;
	printf("in a field: %s\n", UNIQTYPE_NAME(alloc_get_inner_type(&points[3].y, 0)));
	check(points, n * sizeof *points, "__ARR0_point", " blocks");
	check(one, sizeof *one, "__ARR0_point", " blocks");
	check(string, 17, "__ARR0_signed_char$8", " blocks");
	memset(string, 0, 17);
	gone = points;
}

__attribute__((noinline)) static void loops(int n)
{
	short *each[20];
	float *odd[20];
	for (int i = 0; i < n; ++i) {
		each[i] = alloca((i * 3 + 1) * sizeof (short));
		odd[i] = i & 1 ? alloca(5000 * sizeof (float)) : __builtin_alloca(sizeof *odd[i] * i + 4);
	}
	for (int i = 0; i < n; ++i) {
		check(each[i], (i * 3 + 1) * 2, "__ARR0_int$16", " loops");
		check(odd[i], i & 1 ? 20000 : 4 * i + 4, "__ARR0_float$32", " loops");
	}
	printf(" loops");
}

__attribute__((noinline)) static int *use(int *numbers, long *longs)
{
	check(numbers, 12, "__ARR0_int$32", " argument");
	if (longs) check(longs, 40, "__ARR0_int$64", " argument");
	return numbers;
}

__attribute__((noinline)) static void argument(int n)
{
	int *numbers = use(alloca(n * sizeof (int)), n > 2 ? alloca((n + 2) * sizeof (long)) : NULL);
	use(numbers, NULL);
	printf(" argument");
}

/* clang gives the space back where an inlined function ends, gcc where the function ends that it is inlined into. */
static inline __attribute__((always_inline)) void temporary(int n, void **above)
{
	struct point *here = alloca(n * sizeof *here);
	check(here, n * sizeof *here, "__ARR0_point", " temporary");
	if (*above) check(*above, 8 * sizeof (int), "__ARR0_int$32", " inlined");
	*above = here;
}

__attribute__((noinline)) static void inlined(int n)
{
	int *numbers = alloca((n + 3) * sizeof (int));
	void *first = numbers, *second = numbers;
	temporary(n, &first);
	if (n) temporary(n + 1, &second);
	int at_all = sizeof (alloca(n));
	check(numbers, 8 * sizeof (int), "__ARR0_int$32", " inlined");
#ifndef __clang__
	check(first, n * sizeof (struct point), "__ARR0_point", " temporary");
	check(second, (n + 1) * sizeof (struct point), "__ARR0_point", " temporary");
#endif
	if (at_all == sizeof (void *)) printf(" inlined");
}

#ifdef __clang__
#define own_alloca(size) alloca(size)
#else
static inline __attribute__((always_inline)) void *own_alloca(size_t size)
{
	return alloca(size);
}
#endif

__attribute__((noinline)) static void wrapper(int n)
{
	unsigned *numbers = own_alloca(n * sizeof (unsigned));
	double *reals = own_alloca(n * sizeof (double));
	check(numbers, n * sizeof *numbers, "__ARR0_uint$32", " wrapper");
	check(reals, n * sizeof *reals, "__ARR0_float$64", " wrapper");
	printf(" wrapper");
}

__attribute__((noinline)) static void recursion(int depth, int **above)
{
	int *own[6];
	for (int i = 0; i < depth; ++i) own[i] = above[i];
	own[depth] = alloca((depth + 1) * sizeof (int));
	*own[depth] = depth;
	for (int i = 0; i <= depth; ++i) check(own[i], (i + 1) * sizeof (int), "__ARR0_int$32", " recursion");
	if (depth < 5) recursion(depth + 1, own);
	for (int i = 0; i <= depth; ++i) check(own[i], (i + 1) * sizeof (int), "__ARR0_int$32", " recursion");
	if (!depth) puts(" recursion");
}

__attribute__((noinline)) static void many(int a, int b, int c, int d, int e, int f, int g, char *h, int i)
{
	if (a + b + c + d + e + f + g + i) printf("behind arguments on the stack: %s\n", allocator_of(h));
	check(h, 33, "__ARR0_signed_char$8", " passes");
}

__attribute__((noinline)) static void passes(int n)
{
	char *string = alloca(n);
	many(1, 2, 3, 4, 5, 6, 7, string, 8);
}

static void handler(int signal)
{
	if (signal) printf("in a signal handler: %s\n", allocator_of(signalled));
	check(signalled, 80, "__ARR0_int$64", " raises");
}

__attribute__((noinline)) static void raises(int n)
{
	signalled = alloca(n * sizeof (long));
	raise(SIGUSR1);
}

static jmp_buf back;

__attribute__((noinline)) static void jumps(int n)
{
	gone = alloca(n * sizeof (int));
	check(gone, n * sizeof (int), "__ARR0_int$32", " jumps");
	longjmp(back, 1);
}

/* Where the blocks of the last call were. */
__attribute__((noinline)) static void covers(void)
{
	char cover[4096];
	memset(cover, 0, 1);
	printf("where another frame is now: %s\n", strcmp(allocator_of(gone), "alloca") ? "gone" : "alloca");
	if (!strcmp(allocator_of(cover), "alloca")) ++wrong;
}

__attribute__((noinline)) static void again(int n, int is_first)
{
	char *string = alloca(n);
	check(string, n, "__ARR0_signed_char$8", " again");
	if (is_first) {
		long *behind = alloca(n * sizeof (long));
		check(behind, n * sizeof (long), "__ARR0_int$64", " again");
		gone = behind;
	} else if (!strcmp(allocator_of(gone), "alloca")) {
		++wrong;
	}
}

int main(int argc, char **argv)
{
	(void) argv;
	blocks(argc + 6);
	printf("all at once:");
	loops(argc + 16);
	argument(argc + 2);
	inlined(argc + 4);
	wrapper(argc + 8);
	recursion(argc - 1, NULL);
	passes(argc + 32);
	signal(SIGUSR1, handler);
	raises(argc + 9);
	if (!setjmp(back)) jumps(argc + 30);
	printf("after a jump: %s\n", strcmp(allocator_of(gone), "alloca") ? "gone" : "there");
	again(argc + 40, 1);
	again(argc + 40, 0);
	printf("after the return: %s\n", strcmp(allocator_of(gone), "alloca") ? "gone" : "there");
	covers();
	printf("wrong answers: %d\n", wrong);
	return 0;
}
