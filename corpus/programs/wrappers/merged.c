// Of branches that end alike the compiler keeps one end, with one call for several; functions that differ in types alone become one.
// Then what the call allocates is one of what they do; where the sizes differ in registers, it is known again.
//@ cflags: -g -O2
//@ modes: library O0 O1 O3 Os clang -flto
//@ stdout: one size: right, other sizes: right, wrapper: right, factories: right, folded: right, switch: right
//@ stdout: beside dead code: right and alone, two in a line: right and alone
//@ stdout: inlined tails: right, apart: right, gone: right, gone beside a call: right
//@ stdout: beside no size: right and alone
//@ stdout: beside dead code by hook: right and alone, beside a function that is gone: right and alone
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

__attribute__((always_inline)) static inline struct one *touched_one(int n)
{
	struct one *p = malloc(sizeof *p);
	touch(p);
	return p;
}

static inline struct four *touched_four(int n)
{
	struct four *p = malloc(sizeof *p);
	touch(p);
	return p;
}

/* Each has its copy here. */
WRAPPER static void *apart(int c, int n)
{
	struct one *p = touched_one(n);
	struct four *q = touched_four(n);
	touch(c ? (void *) p : (void *) q);
	free(c ? (void *) q : (void *) p);
	return c ? (void *) p : (void *) q;
}

/* One of the two inlined functions has left nothing here. */
void *gone(int, int);
void *gone_beside_a_call(int, int);

WRAPPER __attribute__((noclone)) void *gone(int c, int n)
{
	if (c == 0) {
		touch(&c);
		return touched_one(n);
	}
	if (c == 1) {
		touch(&c);
		return touched_four(n);
	}
	return NULL;
}

WRAPPER __attribute__((noclone)) void *gone_beside_a_call(int c, int n)
{
	if (c == 0) {
		touch(&c);
		void *p = malloc(sizeof(struct one));
		touch(p);
		return p;
	}
	if (c == 1) {
		touch(&c);
		return touched_four(n);
	}
	return NULL;
}

struct slot { void *block; };

/* Nobody knows what is in there, but of no size there is none. */
static inline void *filled(struct slot *slot, size_t n)
{
	touch(slot);
	if (!slot->block && n)
		slot->block = calloc(1, n);
	return slot->block;
}

WRAPPER static void *beside_no_size(struct slot *slot)
{
	struct many *p = calloc(1, sizeof *p);
	if (!filled(slot, 0))
		touch(p);
	return p;
}

static void *by_malloc(void *user, size_t n)
{
	touch(user);
	return malloc(n);
}

static void *(*volatile hook)(void *, size_t) = by_malloc;

static inline void set_name_by_hook(char **slot, const char *text)
{
	if (text) {
		*slot = hook(slot, strlen(text) + 1);
		strcpy(*slot, text);
	} else {
		*slot = NULL;
	}
}

WRAPPER static void *beside_dead_code_by_hook(void)
{
	char *text;
	struct many *p = hook(&text, sizeof *p);
	set_name_by_hook(&text, NULL);
	touch(&text);
	return p;
}

/* Nobody calls it: a compiler that sees the whole program leaves no code of it. What it asks for is no constant. */
void *never_called(struct many *m)
{
	void *p = malloc(m->a[0]);
	if (!p) abort();
	touch(m);
	return p;
}

WRAPPER static void *beside_a_gone_function(struct many *m)
{
	struct many *p = malloc(sizeof *p);
	if (!p) abort();
	touch(m);
	return p;
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
	printf("inlined tails: %s, ", both(verdict(inlined_tails(1, 1), "__ARR0_one"), verdict(inlined_tails(0, 1), "__ARR0_four")));
	printf("apart: %s, ", both(verdict(apart(1, 1), "__ARR0_one"), verdict(apart(0, 1), "__ARR0_four")));
	printf("gone: %s, ", both(verdict(gone(0, 1), "__ARR0_one"), verdict(gone(1, 1), "__ARR0_four")));
	printf("gone beside a call: %s\n", both(verdict(gone_beside_a_call(0, 1), "__ARR0_one"), verdict(gone_beside_a_call(1, 1), "__ARR0_four")));
	struct slot slot = { NULL };
	printf("beside no size: %s\n", alone(beside_no_size(&slot), "__ARR0_many"));
	touch(filled(&slot, sizeof(struct four)));
	printf("beside dead code by hook: %s, ", alone(beside_dead_code_by_hook(), "__ARR0_many"));
	printf("beside a function that is gone: %s\n", alone(beside_a_gone_function(NULL), "__ARR0_many"));
	return 0;
}
