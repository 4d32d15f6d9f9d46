// A type that the program declares for a block stays with it when the block is reallocated, until it is taken back.
//@ cflags: -O1
//@ modes: library
//@ stdout: declared: int$32, interior int$32
//@ stdout: grown here: int$32, there: int$32, to 1 MB: int$32
//@ stdout: another block of the site: not int$32
//@ stdout: declared again: float$64
//@ stdout: taken back: none of these
//@ stdout: site still right: 1, size 1000000
//@ stdout: not for a static: 1
#include <allocs.h>

static const char *name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	const char *n = t ? UNIQTYPE_NAME(t) : "";
	return strcmp(n, "int$32") == 0 || strcmp(n, "float$64") == 0 ? n : "none of these";
}

__attribute__((noipa)) static char *grow_here(char *p, size_t n) { return realloc(p, n); }
__attribute__((noipa)) static char *grow_there(char *p, size_t n) { return realloc(p, n); }
__attribute__((noipa)) static char *make(size_t n) { return malloc(n); }

/* So that the file has the type. */
double number;

int main(void)
{
	struct uniqtype *int_type = __liballocs_typestr_to_uniqtype("int$32");
	struct uniqtype *double_type = __liballocs_typestr_to_uniqtype("float$64");
	char *p = make(40), *other = make(40);
	if (alloc_set_type(NULL, p + 7, int_type) != NULL) puts("refused");
	printf("declared: %s, interior %s\n", name(p), name(p + 39));
	p = grow_here(p, 100);
	printf("grown here: %s", name(p));
	p = grow_there(grow_here(p, 200), 300);
	printf(", there: %s", name(p));
	p = grow_there(p, 1000000);
	printf(", to 1 MB: %s\n", name(p + 999999));
	printf("another block of the site: %s\n", strcmp(name(other), "int$32") ? "not int$32" : "WRONG");
	const void *site = alloc_get_site(p);
	alloc_set_type(NULL, p, double_type);
	printf("declared again: %s\n", name(p));
	alloc_set_type(NULL, p, NULL);
	printf("taken back: %s\n", name(p));
	printf("site still right: %d, size %lu\n", alloc_get_site(p) == site, alloc_get_size(p));
	static int fixed;
	printf("not for a static: %d\n", alloc_set_type(NULL, &fixed, int_type) != NULL);
	free(p);
	free(other);
	return 0;
}
