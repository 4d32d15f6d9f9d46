// Of branches that end alike the compiler keeps one end, with one call for several; functions that differ in types alone become one.
// Then what the call allocates is one of what they do; where the sizes differ in registers, it is known again.
//@ cflags: -g -O2
//@ modes: library O0 O1 O3 Os clang -flto
//@ stdout: one size: right, other sizes: right, wrapper: right, factories: right, folded: right, switch: right
//@ stdout: beside dead code: right and alone, two in a line: right and alone
//@ stdout: inlined tails: right
#include "wrappers.h"

struct four { float a, b; };
struct many { long a[5]; };

static int is_wrong;

/* The type itself, or a union that has it. */
static const char *verdict(void *p, const char *type)
{
	const char *found = name(p);
	return strstr(found, type) && (strcmp(found, type) == 0 || strstr(found, "__SYNTHUNION_")) ? "right" : found;
}

static const char *both(const char *a, const char *b)
{
	return strcmp(a, "right") == 0 ? b : a;
}

static const char *alone(void *p, const char *type)
{
	return strcmp(name(p), type) == 0 ? "right and alone" : name(p);
}

WRAPPER static void *one_size(int c)
{
	void *p;
	if (c) {
		struct one *a = malloc(sizeof *a);
		p = a;
	} else {
		struct four *b = malloc(sizeof *b);
		p = b;
	}
	return p;
}

WRAPPER static void *other_sizes(int c)
{
	void *p;
	if (c) {
		touch(&c);
		p = malloc(sizeof(struct one));
		if (!p) abort();
		touch(p);
		touch(p);
	} else {
		touch(&is_wrong);
		p = malloc(sizeof(struct many));
		if (!p) abort();
		touch(p);
		touch(p);
	}
	return p;
}

static inline void *checked(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER static void *wrapped(int c)
{
	void *p;
	if (c) {
		touch(&c);
		p = checked(sizeof(struct one));
		touch(p);
	} else {
		touch(&is_wrong);
		p = checked(sizeof(struct many));
		touch(p);
	}
	return p;
}

static inline struct one *new_one(void)
{
	struct one *p = malloc(sizeof *p);
	if (!p) abort();
	return p;
}

static inline struct four *new_four(void)
{
	struct four *p = malloc(sizeof *p);
	if (!p) exit(1);
	return p;
}

WRAPPER static void *factories(int c)
{
	if (c)
		return new_one();
	return new_four();
}

WRAPPER static struct one *folded_one(int c)
{
	struct one *p = calloc(3, sizeof *p);
	if (!p) abort();
	touch(&c);
	return p;
}

WRAPPER static struct four *folded_four(int c)
{
	struct four *p = calloc(3, sizeof *p);
	if (!p) abort();
	touch(&c);
	return p;
}

WRAPPER static void *in_switch(int way)
{
	switch (way) {
	case 0: return malloc(sizeof(struct one));
	case 1: return malloc(3 * sizeof(struct four));
	case 2: return malloc(sizeof(struct many));
	}
	return NULL;
}

/* Without a name there is nothing to allocate. */
static inline void set_name(char **slot, const char *text)
{
	if (text) {
		*slot = malloc(strlen(text) + 1);
		strcpy(*slot, text);
	} else {
		*slot = NULL;
	}
}

WRAPPER static void *beside_dead_code(void)
{
	char *text;
	struct many *p = malloc(sizeof *p);
	set_name(&text, NULL);
	touch(&text);
	return p;
}

WRAPPER static void *two_in_a_line(int c)
{
	void *p = malloc(sizeof(struct many)), *q = malloc((size_t) (c + 2) * sizeof(struct one));
	touch(q);
	free(q);
	return p;
}

static inline struct one *next_one(int n)
{
	if (n < 0)
		return NULL;
	struct one *p = malloc(sizeof *p);
	if (!p)
		abort();
	touch(p);
	return p;
}

static inline struct four *next_four(int n)
{
	touch(&n);
	if (n == 9)
		return NULL;
	struct four *p = malloc(sizeof *p);
	if (!p)
		abort();
	touch(p);
	return p;
}

WRAPPER static void *inlined_tails(int c, int n)
{
	if (c)
		return next_one(n);
	return next_four(n);
}

int main(void)
{
	printf("one size: %s, ", both(verdict(one_size(1), "__ARR0_one"), verdict(one_size(0), "__ARR0_four")));
	printf("other sizes: %s, ", both(verdict(other_sizes(1), "__ARR0_one"), verdict(other_sizes(0), "__ARR0_many")));
	printf("wrapper: %s, ", both(verdict(wrapped(1), "__ARR0_one"), verdict(wrapped(0), "__ARR0_many")));
	printf("factories: %s, ", both(verdict(factories(1), "__ARR0_one"), verdict(factories(0), "__ARR0_four")));
	printf("folded: %s, ", both(verdict(folded_one(1), "__ARR0_one"), verdict(folded_four(1), "__ARR0_four")));
	printf("switch: %s\n", both(verdict(in_switch(0), "__ARR0_one"), both(verdict(in_switch(1), "__ARR0_four"), verdict(in_switch(2), "__ARR0_many"))));
	printf("beside dead code: %s, ", alone(beside_dead_code(), "__ARR0_many"));
	printf("two in a line: %s\n", alone(two_in_a_line(0), "__ARR0_many"));
	printf("inlined tails: %s\n", both(verdict(inlined_tails(1, 1), "__ARR0_one"), verdict(inlined_tails(0, 1), "__ARR0_four")));
	return 0;
}
