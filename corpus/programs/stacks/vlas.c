//@ modes: library O0 -O0,-gdwarf-4 -O0,-fno-pie,-no-pie
//@ stdout: points: alloca, 5 of point from the start, not __ARR0_point but __ARR5_point
//@ stdout: after it nothing: stack
//@ stdout: arrays of arrays: alloca, 3 of __ARR4_int$32 from the start, not __ARR0___ARR4_int$32 but __ARR3___ARR4_int$32
//@ stdout: by a typedef: alloca, 6 of int$16 from the start, not __ARR0_int$16 but __ARR6_int$16
//@ stdout: in a loop: 16 32 48
//@ stdout: from a callback: alloca, 5 of point from the start, not __ARR0_point but __ARR5_point
//@ stdout: of two the first and the second: 7 of int$32, 9 of float$64
//@ stdout: before it is made again: no array
//@ stdout: both unknown lengths: no array
//@ stdout: a fixed variable beside it: stackframe
//@ stdout: in an inlined function: no array
/* Arrays of variable length: where they are is in a word of the frame. */
#include <allocs.h>

struct point {
	long x, y;
};
static struct point *points;

__attribute__((noinline)) static const char *allocator_of(volatile void *p)
{
	struct allocator *allocator = alloc_get_allocator((void *) p);
	return allocator ? allocator->name : "none";
}

static const char *element_of(volatile void *p)
{
	struct uniqtype *type = alloc_get_type((void *) p);
	return type && UNIQTYPE_IS_ARRAY_TYPE(type) ? UNIQTYPE_NAME(UNIQTYPE_ARRAY_ELEMENT_TYPE(type)) : "nothing";
}

__attribute__((noinline)) static void show(const char *what, void *array, size_t element, size_t at)
{
	char *p = (char *) array + at;
	printf("%s: %s", what, allocator_of(p));
	if (strcmp(allocator_of(p), "alloca")) {
		puts("");
		return;
	}
	char name[8];
	if (alloc_get_site(p) || alloc_get_name(p, name, sizeof name)) printf(" (with a site or name)");
	printf(", %lu of %s from %s, not %s but %s\n", alloc_get_size(p) / element, element_of(p),
		alloc_get_base(p) == array ? "the start" : "elsewhere", UNIQTYPE_NAME(alloc_get_type(p)),
		UNIQTYPE_NAME(alloc_get_precise_type(p)));
}

static int compare(const void *a, const void *b)
{
	static int shown;
	if (!shown++) show("from a callback", points, sizeof *points, 17);
	return ((const struct point *) a)->x < ((const struct point *) b)->x;
}

__attribute__((noinline)) static void arrays(int n)
{
	int beside = 1;
	struct point array[n];
	memset(array, 0, sizeof array);
	points = array;
	show("points", array, sizeof *array, 5 * sizeof *array - 1);
	/* n * 16 is what it takes; what is above it are words of the frame. */
	printf("after it nothing: %s\n", strcmp(allocator_of(array + n), "alloca") ? "stack" : "alloca");
	{
		int rows[n - 2][4];
		show("arrays of arrays", rows, sizeof *rows, 47);
		rows[0][0] = beside;
	}
	typedef short numbers[n + 1];
	{
		volatile numbers some;
		show("by a typedef", (void *) some, sizeof *some, 0);
		some[0] = 1;
	}
	printf("in a loop:");
	for (int i = 1; i < 4; ++i) {
		char each[i * 16];
		printf(" %lu", strcmp(allocator_of(each), "alloca") ? 0 : alloc_get_size(each));
		each[0] = 1;
	}
	puts("");
	qsort(array, 5, sizeof *array, compare);
	beside += (int) array[0].x;
}

/* Words of the last call stay on the stack, where this one has not written yet. */
__attribute__((noinline)) static void two(int n, int m, int is_second)
{
	int first[n];
	memset(first, 0, sizeof first);
	if (is_second) {
		char *lowest = (char *) first;
		int found = 0;
		for (int i = 0; i < n; ++i) found += strcmp(element_of(&first[i]), "int$32") != 0;
		found += !strcmp(allocator_of(lowest - 8), "alloca");
		printf("before it is made again: %s\n", found ? "some array" : "no array");
		return;
	}
	double second[m];
	memset(second, 0, sizeof second);
	printf("of two the first and the second: %lu of %s, ", alloc_get_size(&first[n - 1]) / sizeof *first,
		element_of(&first[n - 1]));
	printf("%lu of %s\n", alloc_get_size(&second[m - 1]) / sizeof *second, element_of(&second[m - 1]));
}

__attribute__((noinline)) static void unknown(int n, int m)
{
	int beside[2] = { 1, 2 };
	int both[n][m];
	both[0][0] = beside[0];
	printf("both unknown lengths: %s\n", strcmp(allocator_of(both), "alloca") ? "no array" : "an array");
	printf("a fixed variable beside it: %s\n", allocator_of(beside));
}

static inline __attribute__((always_inline)) void inlined(int n)
{
	int own[n];
	own[0] = n;
	printf("in an inlined function: %s\n", strcmp(allocator_of(own), "alloca") ? "no array" : "an array");
}

int main(int argc, char **argv)
{
	(void) argv;
	arrays(argc + 4);
	two(argc + 6, argc + 8, 0);
	two(argc + 30, argc, 1);
	unknown(argc + 1, argc + 2);
	inlined(argc + 3);
	return 0;
}
