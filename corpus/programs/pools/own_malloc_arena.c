/* A malloc that gives out a mapping from its start, and takes nothing back. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA = 64 << 20 };
static char *arena;
static size_t used;

__attribute__((noinline)) static void *take(size_t align, size_t size)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	void *found = NULL;
	pthread_mutex_lock(&lock);
	if (!arena) arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t start = (used + 8 + align - 1) & -align;
	if (size < ARENA && start + size < ARENA) {
		((size_t *) (arena + start))[-1] = size;
		used = (start + size + 7) & ~(size_t) 7;
		found = arena + start;
	} else {
		errno = ENOMEM;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

void *malloc(size_t size) { return take(8, size); }
void free(void *p) { if (p) ((size_t *) p)[-1] |= (size_t) 1 << 63; }
void *calloc(size_t n, size_t size) { return take(8, n * size); }
void *aligned_alloc(size_t align, size_t size) { return take(align, size); }
void *memalign(size_t align, size_t size) { return take(align, size); }

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = take(align, size);
	if (!p) return ENOMEM;
	*out = p;
	return 0;
}

void *realloc(void *old, size_t size)
{
	void *p = take(8, size);
	if (!p || !old) return p;
	size_t old_size = ((size_t *) old)[-1];
	memcpy(p, old, old_size < size ? old_size : size);
	free(old);
	return p;
}
