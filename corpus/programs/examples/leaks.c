/* A lister of leaks by type: at exit, prints the heap blocks that nothing reaches any more, grouped by type and
 * allocation site.
 *
 *	cc -shared -fPIC $(allocs-cflags) -o libleaks.so leaks.c
 *	LD_PRELOAD="./libleaks.so $(pkg-config --variable=preload liballocs)" ./program
 *
 * A block is reached from the statics of any file, from the main thread's stack, or from a block that is reached. Types
 * say where pointers are. What no type explains is read word by word, since a pointer may be anywhere in it: blocks of
 * unknown type, buffers, unions. Other threads' stacks and thread-local variables are not looked at. */
#define _GNU_SOURCE
#include <allocs.h>
#include <sys/mman.h>

static struct block {
	char *base;
	size_t size;
	struct uniqtype *type;
	const void *site;
	bool is_reached;
} *blocks; /* by address, as the walk gives them */
static size_t block_count, *pending, pending_count;

static struct group {
	struct uniqtype *type;
	const void *site;
	size_t blocks, bytes;
} *groups;
static size_t group_count;

static char *stack_top;

/* Marks the block that `p` points into, if it is one. */
static void reach(char *p)
{
	size_t low = 0, high = block_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (blocks[middle].base + blocks[middle].size > p) high = middle;
		else low = middle + 1;
	}
	if (low == block_count || p < blocks[low].base || blocks[low].is_reached) return;
	blocks[low].is_reached = true;
	pending[pending_count++] = low;
}

static void scan_words(char *start, char *end)
{
	char *at = (char *) (((uintptr_t) start + sizeof at - 1) & -sizeof at), *p;
	for (; at + sizeof p <= end; at += sizeof p) {
		memcpy(&p, at, sizeof p);
		reach(p);
	}
}

/* Marks what the object of this type, in `len` bytes from `start` on, points to. */
static void scan(struct uniqtype *type, char *start, size_t len)
{
	if (type && UNIQTYPE_IS_COMPOSITE_TYPE(type) && !UNIQTYPE_COMPOSITE_IS_UNION(type)) {
		for (unsigned i = 0; i < UNIQTYPE_COMPOSITE_MEMBER_COUNT(type); ++i) {
			struct uniqtype *member = type->related[i].un.memb.ptr;
			size_t offset = type->related[i].un.memb.off, size = UNIQTYPE_SIZE_IN_BYTES(member);
			if (offset < len) scan(member, start + offset, size < len - offset ? size : len - offset);
		}
	} else if (type && UNIQTYPE_IS_ARRAY_TYPE(type) && UNIQTYPE_SIZE_IN_BYTES(UNIQTYPE_ARRAY_ELEMENT_TYPE(type)) > 1) {
		struct uniqtype *element = UNIQTYPE_ARRAY_ELEMENT_TYPE(type);
		size_t size = UNIQTYPE_SIZE_IN_BYTES(element);
		for (size_t at = 0; at + size <= len; at += size) scan(element, start + at, size);
	} else if (!type || !(UNIQTYPE_IS_BASE_TYPE(type) || UNIQTYPE_IS_ENUM_TYPE(type) || UNIQTYPE_IS_SUBPROGRAM_TYPE(type))) {
		scan_words(start, start + len); /* a pointer is one word */
	}
}

static int count_block(struct big_allocation *big, void *obj, struct uniqtype *type, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) big, (void) type, (void) site, (void) link, (void) arg;
	if (alloc_get_allocator(obj) != &__default_lib_malloc_allocator) return 0;
	++block_count;
	return -1;
}

static int add_block(struct big_allocation *big, void *obj, struct uniqtype *type, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) big, (void) link;
	if (alloc_get_allocator(obj) != &__default_lib_malloc_allocator) return 0;
	if (block_count == *(size_t *) arg) return 1;
	blocks[block_count++] = (struct block) { obj, alloc_get_size(obj), type, site, false };
	return -1;
}

static int stop(struct big_allocation *big, void *obj, struct uniqtype *type, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) big, (void) obj, (void) type, (void) site, (void) link, (void) arg;
	return 1;
}

/* Whether the segment has statics that are known one by one. */
static bool has_statics(struct big_allocation *segment)
{
	struct alloc_tree_pos place = { segment->begin, (uintptr_t) segment };
	return alloc_walk_allocations(&place, stop, NULL, segment->begin, segment->end);
}

static int scan_root(struct big_allocation *big, void *obj, struct uniqtype *type, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) site, (void) link, (void) arg;
	struct allocator *by = big ? big->allocated_by : alloc_get_allocator(obj);
	if (by == &__static_symbol_allocator) scan(type, obj, alloc_get_size(obj));
	if (by == &__static_segment_allocator && !has_statics(big)) scan_words(big->begin, big->end);
	if (by == &__stack_allocator) scan_words(stack_top, big->end);
	return by == &__static_file_allocator || by == &__static_segment_allocator ? 0 : -1;
}

static void add_to_group(const struct block *block)
{
	struct group *group = groups;
	while (group < groups + group_count && (group->type != block->type || group->site != block->site)) ++group;
	if (group == groups + group_count) groups[group_count++] = (struct group) { block->type, block->site, 0, 0 };
	group->blocks += 1;
	group->bytes += block->size;
}

static int by_bytes(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
	return (a->site > b->site) - (a->site < b->site);
}

static void print(const struct group *group)
{
	char type[200] = "(unknown type)", place[200] = "(unknown site)";
	if (group->type) uniqtype_to_c(group->type, type, sizeof type);
	if (!alloc_get_site_name(group->site, place, sizeof place)) alloc_get_name((void *) group->site, place, sizeof place);
	fprintf(stderr, "leaked: %zu bytes in %zu of %s from %s\n", group->bytes, group->blocks, type, place);
}

/* The lister's own memory is not malloc's, so that the heap stays as it is. */
static void *reserve(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

__attribute__((destructor)) static void list_leaks(void)
{
	stack_top = __builtin_frame_address(0);
	__liballocs_walk_allocations_df(NULL, count_block, NULL);
	size_t most = block_count;
	if (!most) return;
	blocks = reserve(most * sizeof *blocks);
	pending = reserve(most * sizeof *pending);
	groups = reserve(most * sizeof *groups);
	if (!blocks || !pending || !groups) return;
	block_count = 0;
	__liballocs_walk_allocations_df(NULL, add_block, &most);

	__liballocs_walk_allocations_df(NULL, scan_root, NULL);
	while (pending_count) {
		struct block *block = &blocks[pending[--pending_count]];
		scan(block->type, block->base, block->size);
	}
	for (size_t i = 0; i < block_count; ++i)
		if (!blocks[i].is_reached) add_to_group(&blocks[i]);
	qsort(groups, group_count, sizeof *groups, by_bytes);
	for (size_t i = 0; i < group_count; ++i) print(&groups[i]);
}
