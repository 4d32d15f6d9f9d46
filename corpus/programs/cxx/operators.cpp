// A program's own `operator new`: its blocks belong to who asks for them, unless it keeps something of its own in front of them.
//@ cflags: -std=c++17
//@ modes: library O2 clang clang-O2
//@ stdout: object: __ARR0_Point from make_point
//@ stdout: array: unknown
//@ stdout: still from malloc: 1
#include <allocs.h>
#include <new>
#include <stdlib.h>

struct Point { long x, y; };

static int calls;

__attribute__((noinline)) void *operator new(size_t size)
{
	++calls;
	void *block = malloc(size ? size : 1);
	if (!block)
		abort();
	return block;
}

/* What it gives is not the start of a block. */
void *operator new[](size_t size)
{
	long *block = static_cast<long *>(malloc(size + 16));
	if (!block)
		abort();
	*block = ++calls;
	return block + 2;
}

void operator delete(void *block) noexcept { free(block); }
void operator delete(void *block, size_t) noexcept { free(block); }
void operator delete[](void *block) noexcept { free(static_cast<long *>(block) - 2); }
void operator delete[](void *block, size_t) noexcept { free(static_cast<long *>(block) - 2); }

static const char *known(const void *p)
{
	struct uniqtype *t = alloc_get_type((void *)p);
	const char *found = t ? UNIQTYPE_NAME(t) : "none";
	return strcmp(found, "__ARR0_unsigned_char$8") ? found : "unknown";
}

__attribute__((noinline)) static Point *make_point(long n)
{
	Point *p = new Point;
	p->x = n;
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

__attribute__((noinline)) static Point *make_points(unsigned n)
{
	Point *p = new Point[n];
	p->x = n;
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

int main(int argc, char **)
{
	Point *p = make_point(argc), *q = make_points(argc + 3);
	char buffer[200];
	const char *site = alloc_get_site_name(alloc_get_site(p), buffer, sizeof buffer);
	const char *function = site ? strrchr(site, ' ') : NULL;
	printf("object: %s from%s\n", known(p), function ? function : " nowhere");
	printf("array: %s\n", known(q));
	printf("still from malloc: %d\n", strcmp(alloc_get_allocator(p)->name, "generic malloc") == 0 && calls >= 2);
	delete[] q;
	delete p;
	return 0;
}
