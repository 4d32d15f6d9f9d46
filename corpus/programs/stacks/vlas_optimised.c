//@ modes: O1 O2 O3 clang -Og -O2,-fno-inline
//@ stdout: no answer was wrong
/* Where the words of an array of variable length are in registers, nothing is known of it; what is known is right. */
#include <allocs.h>

static int wrong;

__attribute__((noinline)) static void check(void *array, size_t size, const char *type)
{
	for (size_t at = 0; at < size; at += 4) {
		void *p = (char *) array + at;
		const char *allocator = alloc_get_allocator(p)->name;
		struct uniqtype *found = alloc_get_type(p);
		if (!strcmp(allocator, "stack") && !found) continue;
		if (strcmp(allocator, "alloca") || strcmp(UNIQTYPE_NAME(found), type)) ++wrong;
		else if (alloc_get_base(p) != array || alloc_get_size(p) != size) ++wrong;
	}
}

__attribute__((noinline)) static int several(int n, int m)
{
	int sum = 0;
	long first[n];
	check(first, sizeof first, "__ARR0_int$64");
	for (int i = 1; i < m; ++i) {
		int each[i * n];
		each[0] = i;
		check(each, sizeof each, "__ARR0_int$32");
		double other[m];
		other[m - 1] = each[0];
		check(other, sizeof other, "__ARR0_float$64");
		check(each, sizeof each, "__ARR0_int$32");
		sum += each[0] + (int) other[m - 1];
	}
	if (m > 2) {
		float last[m * 3];
		last[0] = (float) n;
		check(last, sizeof last, "__ARR0_float$32");
		sum += (int) last[0];
	} else {
		short last[m * 6];
		last[0] = (short) n;
		check(last, sizeof last, "__ARR0_int$16");
		sum += last[0];
	}
	check(first, sizeof first, "__ARR0_int$64");
	return sum;
}

int main(int argc, char **argv)
{
	(void) argv;
	int sum = 0;
	for (int i = 0; i < 8; ++i) sum += several(argc + 7 - i, argc + i) + several(argc + i, argc + 7 - i);
	puts(wrong ? "wrong" : "no answer was wrong");
	return sum == 1;
}
