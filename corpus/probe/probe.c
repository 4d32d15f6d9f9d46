/*
 * Samples interior pointers of the heap blocks that are live at exit, through the public queries only.
 *
 * Preloaded after the library. It writes one line for each sampled block to the file that ALLOCS_WATCH names:
 *   function#call block/blocks size type middle-type last-type
 * Nothing depends on addresses. A site is named by its function and its rank among that function's sites. The blocks
 * of a site are put in the order of their sizes, and the first, the middle and the last are sampled: blocks of one
 * site and one size have the same answers, so it does not matter which of them comes first.
 */
#define _GNU_SOURCE
#include <allocs.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct block {
	uintptr_t site, base;
	unsigned long size;
};

/* Mapped, not allocated: the probe must not add to the census that it stands beside. */
static struct block *blocks;
static size_t nblocks, capacity;

static void remember(struct block b)
{
	if (nblocks == capacity) {
		size_t old = capacity * sizeof *blocks;
		capacity = capacity ? capacity * 2 : 1 << 16;
		void *grown = old ? mremap(blocks, old, capacity * sizeof *blocks, MREMAP_MAYMOVE)
			: mmap(NULL, capacity * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (grown == MAP_FAILED)
			_exit(126);
		blocks = grown;
	}
	blocks[nblocks++] = b;
}

static int after(const struct block *a, const struct block *b)
{
	if (a->site != b->site)
		return a->site > b->site;
	return a->size != b->size ? a->size > b->size : a->base > b->base;
}

static void sift(size_t root, size_t end)
{
	for (size_t child; (child = 2 * root + 1) < end; root = child) {
		if (child + 1 < end && after(&blocks[child + 1], &blocks[child]))
			child++;
		if (!after(&blocks[child], &blocks[root]))
			return;
		struct block swapped = blocks[root];
		blocks[root] = blocks[child];
		blocks[child] = swapped;
	}
}

/* Heapsort, because qsort may allocate. */
static void sort(void)
{
	for (size_t root = nblocks / 2; root-- > 0;)
		sift(root, nblocks);
	for (size_t end = nblocks; end-- > 1;) {
		struct block swapped = blocks[0];
		blocks[0] = blocks[end];
		blocks[end] = swapped;
		sift(0, end);
	}
}

static int visit(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) t, (void) site, (void) link, (void) arg;
	struct allocator *a = alloc_get_allocator(obj);
	if (!a)
		return -1;
	if (strcmp(a->name, "mmap") == 0 || strcmp(a->name, "brk") == 0)
		return 0;
	if (strcmp(a->name, "generic malloc") == 0 && alloc_get_base(obj) == obj)
		remember((struct block) { (uintptr_t) alloc_get_site(obj), (uintptr_t) obj, alloc_get_size(obj) });
	return -1;
}

static const char *type_name(struct uniqtype *t)
{
	return t ? UNIQTYPE_NAME(t) : "(unknown)";
}

static void sample(int out, const char *function, unsigned call, const struct block *first, size_t count, size_t nth)
{
	const struct block *b = &first[nth];
	char *middle = (char *) b->base + b->size / 2;
	char *last = (char *) b->base + (b->size ? b->size - 1 : 0);
	if ((uintptr_t) alloc_get_base(middle) != b->base || (uintptr_t) alloc_get_base(last) != b->base)
		dprintf(out, "%s#%u %zu/%zu: an interior pointer has another base\n", function, call, nth + 1, count);
	dprintf(out, "%s#%u %zu/%zu %lu %s %s %s\n", function, call, nth + 1, count, alloc_get_size(middle),
		type_name(alloc_get_type(middle)), type_name(alloc_get_inner_type(middle, 0)),
		type_name(alloc_get_inner_type(last, 0)));
}

__attribute__((destructor)) static void probe(void)
{
	const char *path = getenv("ALLOCS_WATCH");
	if (!path)
		return;
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (out < 0 || __liballocs_walk_allocations_df(NULL, visit, NULL) > 0)
		_exit(126);
	sort();
	uintptr_t function_base = 0;
	unsigned call = 0;
	for (size_t start = 0, end; start < nblocks; start = end) {
		for (end = start; end < nblocks && blocks[end].site == blocks[start].site; end++)
			;
		/* The site is the address after the call; the call itself is surely inside the function. */
		void *pc = (void *) (blocks[start].site - 1);
		char name[512] = "?";
		if (blocks[start].site)
			alloc_get_name(pc, name, sizeof name);
		/* Code without metadata has the path of its file for a name, and its blocks have no type to sample. */
		if (name[0] == '/')
			continue;
		uintptr_t base = (uintptr_t) alloc_get_base(pc);
		call = base == function_base ? call + 1 : 1;
		function_base = base;
		size_t count = end - start, nths[] = { 0, count / 2, count - 1 };
		for (unsigned i = 0; i < 3; i++)
			if (i == 0 || nths[i] != nths[i - 1])
				sample(out, name, call, &blocks[start], count, nths[i]);
	}
	close(out);
}
