//@ modes: library O0 O2 clang
//@ stdout: outer.a: int$32
//@ stdout: padding behind outer.a: outer
//@ stdout: outer.in[1].c: signed_char$8
//@ stdout: one out: inner
//@ stdout: two out: __ARR2_inner
//@ stdout: three out: outer
//@ stdout: four out: __ARR0_outer
//@ stdout: five out: (null)
//@ stdout: a union stops it: number
//@ stdout: in the second element: int$32
//@ stdout: a static's member: float$64
/* The innermost subobject that spans a byte. */
#include <allocs.h>

struct inner {
	short s;
	char c;
};
union number {
	int i;
	float f;
};
struct outer {
	int a;
	double aligned;
	struct inner in[2];
	union number u;
};
struct outer one;

static void show(const char *what, void *p, unsigned skip)
{
	const char *name = UNIQTYPE_NAME(alloc_get_inner_type(p, skip));
	printf("%s: %s\n", what, name ? name : "(null)");
}

int main(void)
{
	struct outer *o = malloc(2 * sizeof (struct outer));
	show("outer.a", (char *) &o->a + 2, 0);
	show("padding behind outer.a", (char *) &o->a + 5, 0);
	show("outer.in[1].c", &o->in[1].c, 0);
	show("one out", &o->in[1].c, 1);
	show("two out", &o->in[1].c, 2);
	show("three out", &o->in[1].c, 3);
	show("four out", &o->in[1].c, 4);
	show("five out", &o->in[1].c, 5);
	show("a union stops it", &o->u.f, 0);
	show("in the second element", &o[1].a, 0);
	show("a static's member", &one.aligned, 0);
	free(o);
	return 0;
}
