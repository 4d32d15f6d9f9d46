// However often and from however many sites blocks are reallocated and declared, sites do not run out, and the type is
// that of the first site, of the last one whose size says another, or the declared one.
//@ cflags: -O2 -g
//@ modes: library
//@ stdout: kept: __ARR0_first
//@ stdout: retyped: __ARR0_second
//@ stdout: retyped and grown: __ARR0_second
//@ stdout: declared: __ARR0_other
//@ stdout: taken back: __ARR0_first
//@ stdout: a new site: __ARR0_other
//@ stdout: string, then not: 1
#include <allocs.h>

struct first { long a; };
struct second { short a; };
struct other { int a; };

static const char *name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

static void *grow(void *p, unsigned site, size_t size)
{
	switch (site % 10) {
	case 0: p = realloc(p, size); *(char *) p = 0; break;
	case 1: p = realloc(p, size + 1); *(char *) p = 1; break;
	case 2: p = realloc(p, size + 2); *(char *) p = 2; break;
	case 3: p = realloc(p, size + 3); *(char *) p = 3; break;
	case 4: p = realloc(p, size + 4); *(char *) p = 4; break;
	case 5: p = realloc(p, size + 5); *(char *) p = 5; break;
	case 6: p = realloc(p, size + 6); *(char *) p = 6; break;
	case 7: p = realloc(p, size + 7); *(char *) p = 7; break;
	case 8: p = realloc(p, size + 8); *(char *) p = 8; break;
	case 9: p = realloc(p, size + 9); *(char *) p = 9; break;
	}
	return p;
}

__attribute__((noinline)) static void *string_or_block(int is_string)
{
	if (is_string) return strdup("text");
	return malloc(6 * sizeof(struct other));
}

int main(void)
{
	unsigned long random = 1;
	void *p = malloc(4 * sizeof(struct first));
	for (int i = 0; i < 1500000; i++) {
		random = random * 6364136223846793005ul + 1442695040888963407ul;
		p = grow(p, random >> 33, 32 + (random >> 60));
	}
	printf("kept: %s\n", name(p));
	p = realloc(p, 30 * sizeof(struct second));
	printf("retyped: %s\n", name(p));
	for (int i = 0; i < 20; i++) p = grow(p, i * 7, 60);
	printf("retyped and grown: %s\n", name(p));
	struct other *other = malloc(3 * sizeof *other);
	void *q = malloc(4 * sizeof(struct first));
	for (int i = 0; i < 1500000; i++) {
		q = grow(q, i, 32);
		alloc_set_type(NULL, q, alloc_get_type(other));
	}
	printf("declared: %s\n", name(q));
	alloc_set_type(NULL, q, NULL);
	printf("taken back: %s\n", name(q));
	void *z = malloc(5 * sizeof(struct other));
	printf("a new site: %s\n", name(z));
	void *text = string_or_block(1), *block = string_or_block(0);
	printf("string, then not: %d\n", !strcmp(name(text), "__ARR0_signed_char$8") && alloc_get_type(text) != alloc_get_type(block));
	return 0;
}
