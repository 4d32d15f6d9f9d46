// A block's site is the address after the call that made it: for each function of the family, and for strings that the C
// library allocates for its caller.
//@ cflags: -O1 -fno-builtin
//@ modes: library ulimit -no-pie
//@ stdout: malloc ok, calloc ok, realloc ok, reallocarray ok
//@ stdout: memalign ok, aligned_alloc ok, posix_memalign ok, valloc ok, pvalloc ok
//@ stdout: strdup ok 4, strndup ok 3, asprintf ok 9, getline ok, realpath ok
//@ stdout: getline into a block that grows ok, into one that does not: unchanged
#define _GNU_SOURCE
#include <allocs.h>
#include <malloc.h>

static volatile size_t n = 128;

/* What returns a block of no type of its own is a wrapper; these are none. */
#define IN(name) __attribute__((noipa)) static char *name##_here(void)

IN(malloc) { return malloc(n); }
IN(calloc) { return calloc(n, 1); }
IN(realloc) { return realloc(malloc(1), n); }
IN(reallocarray) { return reallocarray(malloc(1), n, 2); }
IN(memalign) { return memalign(64, n); }
IN(aligned_alloc) { return aligned_alloc(64, n); }
IN(posix_memalign) { char *p; return posix_memalign((void **) &p, 64, n) ? NULL : p; }
IN(valloc) { return valloc(n); }
IN(pvalloc) { return pvalloc(n); }
IN(strdup) { return strdup("abc"); }
IN(strndup) { return strndup("abc", 2); }
IN(asprintf) { char *s; return asprintf(&s, "n is %zu", n) < 0 ? NULL : s; }
IN(realpath) { return realpath("/", NULL); }
IN(getline)
{
	FILE *f = fmemopen("a line\n", 7, "r");
	char *line = NULL;
	size_t size = 0;
	if (getline(&line, &size, f) != 7) line = NULL;
	fclose(f);
	return line;
}

/* The functions are small, so a site within 200 bytes of the start of one is its own. */
#define CHECK(name) check((char *) name##_here, name##_here)

static const char *check(char *start, char *(*function)(void))
{
	void *p = function();
	const char *site = alloc_get_site(p);
	free(p);
	return site > start && site <= start + 200 ? "ok" : "WRONG";
}

static unsigned long size_of(void *p)
{
	unsigned long size = alloc_get_size(p);
	free(p);
	return size;
}

int main(void)
{
	printf("malloc %s, calloc %s, realloc %s, reallocarray %s\n", CHECK(malloc), CHECK(calloc), CHECK(realloc),
	       CHECK(reallocarray));
	printf("memalign %s, aligned_alloc %s, posix_memalign %s, valloc %s, pvalloc %s\n", CHECK(memalign),
	       CHECK(aligned_alloc), CHECK(posix_memalign), CHECK(valloc), CHECK(pvalloc));
	printf("strdup %s %lu, strndup %s %lu, asprintf %s %lu, getline %s, realpath %s\n", CHECK(strdup),
	       size_of(strdup_here()), CHECK(strndup), size_of(strndup_here()), CHECK(asprintf), size_of(asprintf_here()),
	       CHECK(getline), CHECK(realpath));

	char text[1000];
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\n';
	FILE *f = fmemopen(text, sizeof text, "r");
	char *line = malloc(10);
	const void *first = alloc_get_site(line);
	size_t size = 10;
	if (getline(&line, &size, f) != sizeof text) return 1;
	const void *second = alloc_get_site(line);
	rewind(f);
	if (getline(&line, &size, f) != sizeof text) return 1;
	printf("getline into a block that grows %s, into one that does not: %s\n",
	       second != first && labs((char *) second - (char *) first) < 1000 ? "ok" : "WRONG",
	       alloc_get_site(line) == second ? "unchanged" : "WRONG");
	free(line);
	fclose(f);
	return 0;
}
