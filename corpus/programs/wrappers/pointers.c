// Functions that allocate, by pointers in local variables, parameters and arrays.
//@ cflags: -g
//@ modes: library O1 O2 O3 clang -O2,-no-pie
//@ stdout: local: __ARR0_one, assigned: __ARR0_two, copied: __ARR0_three, chosen: __ARR0_one
//@ stdout: array: __ARR0_two, of a function: __ARR0_three, on the stack: __ARR0_one, by a pointer: __ARR0_two
//@ stdout: parameter with a default: __ARR0_three __ARR0_three
//@ stdout: all 400: 0 wrong
#include "wrappers.h"

WRAPPER static void *get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER static void *get_zeroed(size_t n)
{
	void *p = calloc(n, 1);
	if (!p) abort();
	return p;
}

static void *(*const table[])(size_t) = { get, get_zeroed, malloc };

WRAPPER static void *by_table(void *(*const *functions)(size_t), int i, size_t n)
{
	void *p = functions[i](n);
	if (!p) abort();
	return p;
}

WRAPPER static struct three *by_parameter(void *(*function)(size_t), size_t n)
{
	if (!function) function = get;
	struct three *p = function(n * sizeof *p);
	touch(p);
	return p;
}

/* One block of each kind; the compiler does not know which functions it calls. */
WRAPPER static void make(int i, void *made[8])
{
	void *(*local)(size_t) = i & 1 ? get : malloc;
	struct one *one = local(3 * sizeof *one);
	touch(one);
	void *(*assigned)(size_t);
	if (i > 10) assigned = get_zeroed;
	else assigned = get;
	struct two *two = assigned(3 * sizeof *two);
	touch(two);
	void *(*volatile copied)(size_t) = assigned;
	struct three *three = (*copied)(3 * sizeof *three);
	touch(three);
	struct one *chosen = (i & 2 ? get_zeroed : get)(5 * sizeof *chosen);
	touch(chosen);
	static void *(*const own[])(size_t) = { get_zeroed, get };
	void *(*on_stack[])(size_t) = { malloc, get };
	struct two *of_table = table[i % 3](3 * sizeof *of_table);
	touch(of_table);
	struct three *of_own = own[i % 2](3 * sizeof *of_own);
	touch(of_own);
	struct one *of_stack = on_stack[i % 2](3 * sizeof *of_stack);
	touch(of_stack);
	struct two *by_pointer = by_table(table, i % 3, 7 * sizeof *by_pointer);
	touch(by_pointer);
	void *all[] = { one, two, three, chosen, of_table, of_own, of_stack, by_pointer };
	memcpy(made, all, sizeof all);
}

int main(int argc, char **argv)
{
	static const char *const expect[] = { "one", "two", "three", "one", "two", "three", "one", "two" };
	void *made[8];
	make(argc, made);
	printf("local: %s, assigned: %s, copied: %s, chosen: %s\n", name(made[0]), name(made[1]), name(made[2]), name(made[3]));
	printf("array: %s, of a function: %s, on the stack: %s, by a pointer: %s\n", name(made[4]), name(made[5]), name(made[6]),
	       name(made[7]));
	printf("parameter with a default: %s %s\n", name(by_parameter(NULL, 3)), name(by_parameter(argv ? get_zeroed : NULL, 4)));
	int wrong = 0;
	for (int i = 0; i < 50; i++) {
		make(i, made);
		for (int k = 0; k < 8; k++) wrong += strcmp(name(made[k]) + 7, expect[k]) != 0;
	}
	printf("all 400: %d wrong\n", wrong);
	return 0;
}
