// What C and POSIX say of the malloc family stays so: results, error codes, errno, alignment.
//@ cflags: -fno-builtin -w
//@ modes: plain library ulimit
//@ stdout: malloc fails: 1 ENOMEM
//@ stdout: malloc(0) is unique: 1
//@ stdout: free keeps errno: 1
//@ stdout: calloc is zeroed: 1, overflow: 1 ENOMEM
//@ stdout: realloc keeps bytes: 1, of NULL: 1, to 0 frees: 1, fails: 1 ENOMEM and keeps: 1
//@ stdout: reallocarray: 1, overflow: 1 ENOMEM
//@ stdout: memalign 4096: 1, aligned_alloc 64: 1, valloc: 1, pvalloc: 1
//@ stdout: posix_memalign 256: 0 1, of 3: EINVAL, too large: ENOMEM, errno kept: 1
//@ stdout: usable size is enough: 1
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HUGE (PTRDIFF_MAX - 100)
#define IS_ALIGNED(p, a) ((p) && (uintptr_t)(p) % (a) == 0)

static const char *name(int error)
{
	return error == ENOMEM ? "ENOMEM" : error == EINVAL ? "EINVAL" : error == 0 ? "0" : "other";
}

static int is_filled(const unsigned char *p, size_t n, int with)
{
	while (n--) if (p[n] != with) return 0;
	return 1;
}

int main(void)
{
	errno = 0;
	void *p = malloc(HUGE);
	printf("malloc fails: %d %s\n", p == NULL, name(errno));

	void *zero = malloc(0), *other = malloc(0);
	printf("malloc(0) is unique: %d\n", zero && other && zero != other);
	errno = 77;
	free(zero); free(other); free(NULL); free(malloc(1 << 20));
	printf("free keeps errno: %d\n", errno == 77);

	p = malloc(5000); memset(p, 1, 5000); free(p);
	p = calloc(50, 100);
	int zeroed = is_filled(p, 5000, 0);
	free(p); errno = 0;
	p = calloc(SIZE_MAX / 2, 3);
	printf("calloc is zeroed: %d, overflow: %d %s\n", zeroed, p == NULL, name(errno));

	unsigned char *q = malloc(10);
	memset(q, 9, 10);
	int kept = 1;
	for (size_t n = 20; n < 3000000; n = n * 3 / 2) {
		q = realloc(q, n);
		kept &= is_filled(q, 10, 9);
	}
	q = realloc(q, 100); kept &= is_filled(q, 10, 9);
	void *fresh = realloc(NULL, 50);
	errno = 0;
	void *failed = realloc(q, HUGE);
	int error = errno, still = is_filled(q, 10, 9);
	void *gone = realloc(q, 0);
	printf("realloc keeps bytes: %d, of NULL: %d, to 0 frees: %d, fails: %d %s and keeps: %d\n",
	       kept, fresh != NULL, gone == NULL, failed == NULL, name(error), still);

	errno = 0;
	fresh = reallocarray(fresh, 10, 50);
	failed = reallocarray(fresh, SIZE_MAX / 2, 3);
	printf("reallocarray: %d, overflow: %d %s\n", fresh != NULL, failed == NULL, name(errno));
	free(fresh);

	void *a = memalign(4096, 10), *b = aligned_alloc(64, 128), *c = valloc(10), *d = pvalloc(10);
	printf("memalign 4096: %d, aligned_alloc 64: %d, valloc: %d, pvalloc: %d\n", IS_ALIGNED(a, 4096),
	       IS_ALIGNED(b, 64), IS_ALIGNED(c, 4096), IS_ALIGNED(d, 4096));
	free(a); free(b); free(c); free(d);

	errno = 77;
	int ok = posix_memalign(&p, 256, 10), odd = posix_memalign(&a, 3, 10), large = posix_memalign(&a, 64, HUGE);
	printf("posix_memalign 256: %d %d, of 3: %s, too large: %s, errno kept: %d\n", ok, IS_ALIGNED(p, 256),
	       name(odd), name(large), errno == 77 || errno == ENOMEM);
	free(p);

	p = malloc(1);
	printf("usable size is enough: %d\n", malloc_usable_size(p) >= 1 && malloc_usable_size(NULL) == 0);
	free(p);
	return 0;
}
