//@ modes: library O0 O2 -O2,-fno-inline O3 clang -O2,-gdwarf-4
//@ stdout: the same name in one place: first double, second int, both stackframes
//@ stdout: the same name one in the other: outer int, inner double, outer again int
//@ stdout: in a loop: double double double
//@ stdout: parameters: by value point, on the stack long
//@ stdout: of an inlined function: double, of its caller int
/* What a frame holds differs from instruction to instruction. */
#include <allocs.h>

struct point {
	long x, y, z;
};

static const char *allocator_of(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

/* The type of the variable at an address, by the frame that it is in. Frames are innermost-first, so this must be called. */
__attribute__((noinline)) static const char *type_of(volatile void *p)
{
	struct uniqtype *frame = alloc_get_type((void *) p);
	if (!frame || strcmp(allocator_of((void *) p), "stackframe")) return "no frame";
	const char *name = "none";
	long offset = (char *) p - (char *) alloc_get_base((void *) p);
	for (unsigned i = 0; i < frame->un.composite.nmemb; ++i) {
		if ((long) frame->related[i].un.memb.off != offset) continue;
		if (strcmp(name, "none")) return "several";
		name = UNIQTYPE_NAME(frame->related[i].un.memb.ptr);
	}
	if (!strcmp(name, "float$64")) return "double";
	if (!strcmp(name, "int$32")) return "int";
	return strcmp(name, "int$64") ? name : "long";
}

__attribute__((noinline)) static void in_one_place(int n)
{
	const char *first, *second;
	if (n) {
		volatile double x[4] = { 1 };
		first = type_of(x);
		x[1] = 2;
	} else first = "not come by";
	if (n) {
		volatile int x[8] = { 1 };
		second = type_of(x);
		x[1] = 2;
	} else second = "not come by";
	printf("the same name in one place: first %s, second %s, both stackframes\n",
		strcmp(first, "__ARR4_float$64") ? first : "double", strcmp(second, "__ARR8_int$32") ? second : "int");
}

__attribute__((noinline)) static void one_in_the_other(void)
{
	volatile int x = 1;
	const char *outer = type_of(&x), *inner;
	{
		volatile double x = 2;
		inner = type_of(&x);
		x = 3;
	}
	printf("the same name one in the other: outer %s, inner %s, outer again %s\n", outer, inner, type_of(&x));
	x = 2;
}

__attribute__((noinline)) static void in_a_loop(int n)
{
	printf("in a loop:");
	for (int i = 0; i < n; ++i) {
		volatile double each = i;
		printf(" %s", type_of(&each));
		each = 0;
	}
	puts("");
}

__attribute__((noinline)) static void parameters(volatile struct point by_value, volatile long value)
{
	volatile struct point local = by_value;
	printf("parameters: by value %s, on the stack %s\n", type_of(&local), type_of(&value));
	value = local.x;
}

static inline const char *inlined(double start)
{
	volatile double own = start;
	const char *type = type_of(&own);
	own = 1;
	return type;
}

__attribute__((noinline)) static void calls_inlined(void)
{
	volatile int own = 1;
	const char *type = inlined(2);
	printf("of an inlined function: %s, of its caller %s\n", type, type_of(&own));
	own = 2;
}

int main(int argc, char **argv)
{
	(void) argv;
	in_one_place(argc);
	one_in_the_other();
	in_a_loop(argc + 2);
	parameters((struct point) { 1, 2, 3 }, 4);
	calls_inlined();
	return 0;
}
