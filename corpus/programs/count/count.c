/* Counts successful allocation calls and the bytes they ask for, to check the census against: it must see the same.
 * Preload it alone; it writes "allocations bytes" to the file that COUNT names when the program exits. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long allocations, bytes;

/* The library has thread-local storage too, and what a thread's start allocates grows with the number of files that have. */
__attribute__((used, tls_model("initial-exec"))) static __thread long storage;

static void *count(void *p, size_t size)
{
	if (p) {
		__atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&bytes, size, __ATOMIC_RELAXED);
	}
	return p;
}

#define NEXT(name) if (!next) next = (__typeof__(next)) dlsym(RTLD_NEXT, name)
#define COUNTED(name, size, parameters, arguments) \
	void *name parameters { static void *(*next) parameters; NEXT(#name); return count(next arguments, size); }

COUNTED(malloc, n, (size_t n), (n))
COUNTED(calloc, n * m, (size_t n, size_t m), (n, m))
COUNTED(realloc, n, (void *p, size_t n), (p, n))
COUNTED(memalign, n, (size_t a, size_t n), (a, n))
COUNTED(aligned_alloc, n, (size_t a, size_t n), (a, n))
COUNTED(valloc, n, (size_t n), (n))
COUNTED(pvalloc, n, (size_t n), (n))

int posix_memalign(void **out, size_t a, size_t n)
{
	static int (*next)(void **, size_t, size_t);
	NEXT("posix_memalign");
	int error = next(out, a, n);
	if (!error) count(*out, n);
	return error;
}

__attribute__((destructor)) static void report(void)
{
	unsigned long a = allocations, b = bytes;
	FILE *out = fopen(getenv("COUNT"), "w");
	if (out) { fprintf(out, "%lu %lu\n", a, b); fclose(out); }
}
