/* A library by another compiler, whose metadata comes from its debug information alone. */
#include <stdlib.h>
#include <string.h>
#include "added.h"

struct list { struct list *next; char name[20]; };
struct text { size_t length; char bytes[]; };
struct base { int kind; };
struct derived { struct base base; int more[2]; };
struct holder { int n; struct list *list; };

struct point table[3];
__attribute__((used)) static struct list *first;

/* Makes the compiler keep what is there. */
__attribute__((noinline)) static void *kept(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

void *point(void)
{
	struct point *p = malloc(sizeof *p);
	p->x = 1;
	return kept(p);
}

void *points(const struct request *r)
{
	struct point *p = malloc(r->n * sizeof *p);
	p->x = 1;
	return kept(p);
}

void *cleared(const struct request *r)
{
	struct point *p = calloc(r->n, sizeof *p);
	p->x = 1;
	return kept(p);
}

/* The caller says how many, but the function what. */
void *points_for_caller(int n)
{
	struct point *p = malloc((size_t)n * sizeof *p);
	p->x = 1;
	return kept(p);
}

/* Who says how many words there are might say what is in them, too. */
void *words_for_caller(int n)
{
	long *p = malloc((size_t)n * sizeof *p);
	*p = 1;
	return kept(p);
}

void *member(const struct request *r)
{
	struct holder here;
	kept(&here);
	here.list = malloc(r->n * sizeof *here.list);
	kept(&here);
	return here.list;
}

void *global(void)
{
	first = malloc(sizeof *first);
	return kept(first);
}

void *open_ended(const struct request *r)
{
	struct text *t = malloc(sizeof *t + r->n + 1);
	t->length = r->n;
	return kept(t);
}

void *characters(const struct request *r)
{
	char *s = malloc(strlen(r->text) + 1);
	*s = 0;
	return kept(s);
}

void *duplicate(const struct request *r)
{
	return kept(strdup(r->text));
}

void *grown(void *old, const struct request *r)
{
	struct point *p = realloc(old, r->n * sizeof *p);
	p->y = 1;
	return kept(p);
}

void *of_void(void)
{
	void *p = malloc(40);
	return kept(p);
}

/* No array of points has this size. */
void *of_another_size(void)
{
	struct point *p = malloc(20);
	p->x = 1;
	return kept(p);
}

void *characters_for_caller(size_t n)
{
	char *p = malloc(n);
	*p = 0;
	return kept(p);
}

void *base_for_caller(size_t n)
{
	struct base *b = malloc(n);
	b->kind = 1;
	return kept(b);
}

/* Its size is that of three base structs. */
void *derived(void)
{
	struct base *b = malloc(sizeof(struct derived));
	b->kind = 1;
	return kept(b);
}

void *many_derived(const struct request *r)
{
	struct base *b = calloc(r->n, sizeof(struct derived));
	b->kind = 1;
	return kept(b);
}

void *three_numbers(void)
{
	int *p = malloc(3 * sizeof *p);
	*p = 1;
	return kept(p);
}

/* What has neither types nor variables. */
__asm__(".text\n"
	".globl from_assembler\n"
	".type from_assembler, @function\n"
	"from_assembler:\n"
	"	subq $8, %rsp\n"
	"	movl $24, %edi\n"
	"	call malloc@PLT\n"
	"	addq $8, %rsp\n"
	"	ret\n"
	".size from_assembler, .-from_assembler\n");

void of_frame(void (*f)(void *))
{
	struct point local = { 1, 2 };
	f(&local);
	kept(&local);
}
