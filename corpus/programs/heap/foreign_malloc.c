/* A malloc with the habits of the well-known ones: size classes of 8 and 16 bytes packed without headers, so that blocks lie
 * 8 bytes apart, and realloc to size 0 gives a smallest block. It never reuses memory. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define SPACE (64ul << 20)

static char *start, *next;
static unsigned long requests;

unsigned long foreign_requests(void) { return requests; }

static size_t class_of(size_t size)
{
	return size <= 8 ? 8 : (size + 15) & ~15ul;
}

void *memalign(size_t align, size_t size)
{
	requests++;
	if (!start) {
		start = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		next = start;
	}
	char *p = (char *)(((uintptr_t) next + align - 1) & -align);
	if (size > SPACE || class_of(size) > (size_t)(start + SPACE - p)) return NULL;
	next = p + class_of(size);
	return p;
}

void *malloc(size_t size) { return memalign(size <= 8 ? 8 : 16, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
void free(void *p) { (void) p; }

void *calloc(size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size) return NULL;
	return malloc(count * size);
}

void *realloc(void *p, size_t size)
{
	char *new = malloc(size);
	if (p && new) {
		/* The old size is not known, so more may be copied, but not from beyond what was handed out. */
		size_t readable = (size_t)(new - (char *) p);
		memcpy(new, p, size < readable ? size : readable);
	}
	return new;
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = memalign(align, size);
	if (!p) return 12;
	*out = p;
	return 0;
}
