//@ modes: library O0 O2 -no-pie,-fno-pie clang
//@ stdout: the process holds files, mappings and more: yes
//@ stdout: the block was visited once
//@ stdout: its members were visited: 2 points, 4 ints
//@ stdout: a static was visited once, with its type
//@ stdout: a skipped tree is not entered
//@ stdout: a result ends the walk: 42
//@ stdout: the file's children are its segments: static file, 4 or more
//@ stdout: a static lies in a section, that in a segment, that in a file: yes
//@ stdout: subobjects of a typed position: 2
//@ stdout: memory mapped right behind a file was visited once, and its base is its start: yes
/* Walks over the tree of allocations. */
#define _GNU_SOURCE
#include <allocs.h>
#include <sys/mman.h>

struct point {
	int x, y;
};
static struct point *block;
static struct point global;
static int top, blocks, points, ints, globals, skipped;

static int inside(void *p)
{
	return (char *) p >= (char *) block && (char *) p < (char *) (block + 2);
}

static int visit(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) arg;
	const char *name = t ? UNIQTYPE_NAME(t) : NULL;
	if (!link->container.base) ++top;
	if (obj == block && site) ++blocks;
	if (inside(obj) && !site && name) {
		if (!strcmp(name, "point")) ++points;
		if (!strcmp(name, "int$32")) ++ints;
	}
	if (obj == &global && name && !strcmp(name, "point")) ++globals;
	return 0;
}

static int skip(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) t, (void) site, (void) arg;
	if (inside(obj) && !site) ++skipped;
	return link->container.base ? -1 : 0;
}

static int stop(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) t, (void) site, (void) link, (void) arg;
	return obj == block ? 42 : 0;
}

static char *adjacent;
static int adjacents;

static int meet(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) t, (void) site, (void) link, (void) arg;
	adjacents += obj == adjacent;
	return -1;
}

/* The kernel makes one mapping of it and of the zeroed memory at the file's end. */
static int map_behind(struct big_allocation *file)
{
	uintptr_t end = ((uintptr_t) file->end + 4095) & -(uintptr_t) 4096;
	adjacent = mmap((void *) end, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return adjacent == (char *) end;
}

static char zeroed[3 * 4096];

static int count(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) obj, (void) t, (void) site, (void) link;
	++*(int *) arg;
	return 0;
}

int main(void)
{
	block = malloc(2 * sizeof (struct point));
	__liballocs_walk_allocations_df(NULL, visit, NULL);
	printf("the process holds files, mappings and more: %s\n", top > 4 ? "yes" : "no");
	if (blocks == 1) puts("the block was visited once");
	printf("its members were visited: %d points, %d ints\n", points, ints);
	if (globals == 1) puts("a static was visited once, with its type");
	__liballocs_walk_allocations_df(NULL, skip, NULL);
	if (!skipped) puts("a skipped tree is not entered");
	printf("a result ends the walk: %d\n", __liballocs_walk_allocations_df(NULL, stop, NULL));
	void *base;
	struct big_allocation *file = __lookup_bigalloc_from_root(&global, &__static_file_allocator, &base);
	struct alloc_tree_pos pos = { file->begin, (uintptr_t) file };
	int segments = 0;
	alloc_walk_allocations(&pos, count, &segments, file->begin, file->end);
	printf("the file's children are its segments: %s, %s\n", file->allocated_by->name,
		base == file->begin && segments >= 4 ? "4 or more" : "too few");
	struct big_allocation *segment = __lookup_bigalloc_from_root(&global, &__static_segment_allocator, NULL);
	struct big_allocation *section = __lookup_bigalloc_from_root(&global, &__static_section_allocator, NULL);
	printf("a static lies in a section, that in a segment, that in a file: %s\n",
		segment && section && section->begin <= (void *) &global && section->end > (void *) &global
				&& segment->begin <= section->begin && segment->end >= section->end
				&& file->begin <= segment->begin && file->end >= segment->end
			? "yes"
			: "no");
	struct alloc_tree_pos typed = { &global, (uintptr_t) alloc_get_type(&global) | 1 };
	int members = 0;
	alloc_walk_allocations(&typed, count, &members, NULL, NULL);
	printf("subobjects of a typed position: %d\n", members);
	int is_mapped = map_behind(file);
	__liballocs_walk_allocations_df(NULL, meet, NULL);
	printf("memory mapped right behind a file was visited once, and its base is its start: %s\n",
		is_mapped && adjacents == 1 && alloc_get_base(adjacent) == adjacent && !zeroed[4096] ? "yes" : "no");
	free(block);
	return 0;
}
