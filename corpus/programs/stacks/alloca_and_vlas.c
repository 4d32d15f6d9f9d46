//@ cflags: -fallocs-alloca
//@ modes: library O0 O1 O2 O3 clang -O2,-flto
//@ stdout: wrong answers: 0
//@ stdout: beside an array: known
/* Blocks of alloca among arrays of variable length. Without optimisation both are known; of an array in registers nothing is
 * known, nor of what lies beside it, but nothing wrong is said. */
#include <allocs.h>
#include <alloca.h>

static int wrong, known, beside;
static void *old;

__attribute__((noinline)) static void check(void *block, size_t size, const char *type)
{
	for (size_t at = 0; at < size; ++at) {
		void *p = (char *) block + at;
		const char *allocator = alloc_get_allocator(p)->name;
		struct uniqtype *found = alloc_get_type(p);
		if (!strcmp(allocator, "stack") && !found) continue;
		int is_right = !strcmp(allocator, "alloca") && found && !strcmp(UNIQTYPE_NAME(found), type);
		if (!is_right || alloc_get_base(p) != block || alloc_get_size(p) != size) {
			if (!wrong++) printf("at %lu of %lu of %s: %s\n", at, size, type, allocator);
		}
		++known;
	}
}

/* Where an array lies now that was a block. (gcc leaves blocks of alloca where they are at the end of an array's scope.) */
__attribute__((noinline)) static void check_old(void *array, size_t size)
{
	for (int at = 0; at < 64; at += 4) {
		char *p = (char *) old + at;
		if (p < (char *) array || p >= (char *) array + size) continue;
		if (alloc_get_base(p) == old && alloc_get_size(p) == 64) ++wrong;
	}
}

__attribute__((noinline)) static void reuses(int n, int is_first)
{
	if (is_first) {
		old = alloca(n);
		check(old, n, "__ARR0_signed_char$8");
		return;
	}
	short array[n * 8];
	array[n] = 1;
	check_old(array, sizeof array);
	check(array, sizeof array, "__ARR0_int$16");
	double *block = alloca(n * sizeof *block);
	check_old(array, sizeof array);
	known = 0;
	check(block, n * sizeof *block, "__ARR0_float$64");
	beside = known;
	check(array, sizeof array, "__ARR0_int$16");
}

__attribute__((noinline)) static void mixes(int n)
{
	long *first = alloca(n * sizeof *first);
	check(first, n * sizeof *first, "__ARR0_int$64");
	for (int i = 1; i < n; ++i) {
		int array[i];
		array[0] = i;
		float *beside = alloca(i * sizeof *beside);
		check(array, sizeof array, "__ARR0_int$32");
		check(beside, i * sizeof *beside, "__ARR0_float$32");
		char other[n + i];
		other[0] = 1;
		check(first, n * sizeof *first, "__ARR0_int$64");
		check(other, sizeof other, "__ARR0_signed_char$8");
		check(beside, i * sizeof *beside, "__ARR0_float$32");
	}
	check(first, n * sizeof *first, "__ARR0_int$64");
}

/* In turn a block and an array have the same place. */
__attribute__((noinline)) static void turns(int n)
{
	for (int i = 0; i < 6; ++i) {
		char head[n];
		head[0] = 1;
		if (i & 1) {
			short array[n * 4];
			array[0] = 1;
			check(array, sizeof array, "__ARR0_int$16");
			if (i == 5) check_old(array, sizeof array);
		} else {
			int *block = alloca(n * sizeof *block);
			check(block, n * sizeof *block, "__ARR0_int$32");
			old = block;
		}
		check(head, n, "__ARR0_signed_char$8");
	}
}

int main(int argc, char **argv)
{
	(void) argv;
	reuses(argc + 63, 1);
	reuses(argc + 63, 0);
	mixes(argc + 12);
	turns(argc + 15);
	printf("wrong answers: %d\n", wrong);
#ifndef __OPTIMIZE__
	if (beside != 512) puts("nothing");
#endif
	puts("beside an array: known");
	return 0;
}
