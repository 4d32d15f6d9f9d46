// Blocks of 64 KiB and more are in the page index without a query; they keep their place in it as they grow and move.
//@ cflags: -O1 -fno-builtin -Wno-use-after-free
//@ modes: library
//@ stdout: 65535 bytes: not big
//@ stdout: 65536 bytes: 16 pages, ok
//@ stdout: 300000 bytes: 73 pages, ok
//@ stdout: grown to 40000000: ok, interior base ok, size 40000000
//@ stdout: shrunk to 70000: ok, old end not ours: 1
//@ stdout: shrunk to 10: not big
//@ stdout: 3 GiB: interior base ok, size 3221225479
//@ stdout: freed: not big
//@ stdout: 70000 blocks at once: 0 wrong
#define _GNU_SOURCE
#include <allocs.h>
#include <malloc.h>

static uint16_t entry(const char *p) { return __liballocs_pageindex[PAGENUM(p)]; }

static char *round_up(char *p) { return (char *)(((uintptr_t) p + 4095) & ~4095ul); }

/* The number of pages that have the block's number, if these are just the pages that start inside it. */
static int pages(char *base, size_t size)
{
	char *first = round_up(base), *end = base + size;
	uint16_t number = entry(first);
	int count = 0;
	if (number == 0 || entry(first - 4096) == number || entry(round_up(end)) == number) return -1;
	for (char *p = first; p < end; p += 4096, count++) if (entry(p) != number) return -1;
	return count;
}

static const char *verdict(char *base, size_t size) { return pages(base, size) > 0 ? "ok" : "WRONG"; }

int main(void)
{
	char *p = malloc(65535);
	printf("65535 bytes: %s\n", entry(round_up(p)) ? "WRONG" : "not big");
	free(p);
	p = malloc(65536);
	printf("65536 bytes: %d pages, %s\n", pages(p, 65536), verdict(p, 65536));
	free(p);
	p = malloc(300000);
	printf("300000 bytes: %d pages, %s\n", pages(p, 300000), verdict(p, 300000));
	for (size_t size = 300000; size <= 40000000; size += 1 << 20) p = realloc(p, size);
	p = realloc(p, 40000000);
	printf("grown to 40000000: %s, interior base %s, size %lu\n", verdict(p, 40000000),
	       alloc_get_base(p + 35000000) == p ? "ok" : "WRONG", alloc_get_size(p + 39999999));
	char *old_end = p + 39999999;
	p = realloc(p, 70000);
	printf("shrunk to 70000: %s, old end not ours: %d\n", verdict(p, 70000), alloc_get_base(old_end) != p);
	p = realloc(p, 10);
	printf("shrunk to 10: %s\n", entry(round_up(p)) ? "WRONG" : "not big");
	free(p);
	size_t huge = (3ul << 30) + 7;
	p = malloc(huge);
	printf("3 GiB: interior base %s, size %lu\n", alloc_get_base(p + (2ul << 30)) == p ? "ok" : "WRONG",
	       alloc_get_size(p + huge - 1));
	free(p);
	printf("freed: %s\n", entry(round_up(p)) ? "WRONG" : "not big");

	enum { MANY = 70000 };
	static char *many[MANY];
	int wrong = 0;
	mallopt(M_MMAP_THRESHOLD, 1 << 25);
	for (int i = 0; i < MANY; i++) many[i] = malloc(66000);
	for (int i = 0; i < MANY; i++)
		wrong += alloc_get_base(many[i] + 65999) != many[i] || alloc_get_size(many[i] + 33000) != 66000;
	for (int i = 0; i < MANY; i++) free(many[i]);
	printf("%d blocks at once: %d wrong\n", MANY, wrong);
	return 0;
}
