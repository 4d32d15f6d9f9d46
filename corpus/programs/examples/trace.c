/* A tracer of typed allocations: prints each heap block's type, size and allocation site when the block is freed, and
 * at exit those of the blocks that still live.
 *
 *	cc -shared -fPIC $(allocs-cflags) -o libtrace.so trace.c
 *	LD_PRELOAD="./libtrace.so $(pkg-config --variable=preload liballocs)" ./program
 *
 * It must come before liballocs: a block is known from the moment that liballocs's malloc has returned until its free
 * is called. And it leaves malloc alone, because a block's site is where liballocs's malloc was called from. */
#define _GNU_SOURCE
#include <allocs.h>
#include <errno.h>
#include <unistd.h>

/* The type as C spells it, or what there is to say where it is unknown. */
static const char *spell(struct uniqtype *type, char *buf, size_t len)
{
	if (!type) return "(unknown type)";
	uniqtype_to_c(type, buf, len);
	return buf;
}

/* The line of the source that made the call, or the function where only that is known. */
static const char *locate(const void *site, char *buf, size_t len)
{
	if (!alloc_get_site_name(site, buf, len) && !alloc_get_name((void *) site, buf, len)) return "(unknown site)";
	return buf;
}

/* Neither allocates nor frees: it is called in free. */
static void print(const char *event, void *block)
{
	const void *site = alloc_get_site(block);
	char type[200], place[200], line[500];
	int len = snprintf(line, sizeof line, "%s %s, %lu bytes, from %s\n", event,
		spell(alloc_get_precise_type(block), type, sizeof type), alloc_get_size(block),
		locate(site, place, sizeof place));
	if (len >= (int) sizeof line) len = sizeof line - 1;
	if (write(STDERR_FILENO, line, (size_t) len) < 0) return;
}

/* Whether a heap block starts there. Else it is NULL, or was made before liballocs was there. */
static bool is_block(void *p)
{
	return p && alloc_get_allocator(p) == &__default_lib_malloc_allocator && alloc_get_base(p) == p;
}

void free(void *p)
{
	static void (*next)(void *);
	int saved = errno;
	if (!next) *(void **) &next = dlsym(RTLD_NEXT, "free");
	if (is_block(p)) print("freed", p);
	errno = saved;
	next(p);
}

static int print_live(struct big_allocation *big, void *obj, struct uniqtype *type, const void *site,
	struct alloc_tree_link *link, void *arg)
{
	(void) big, (void) type, (void) site, (void) link, (void) arg;
	if (!is_block(obj)) return 0;
	print("live ", obj);
	return -1;
}

__attribute__((destructor)) static void at_exit(void)
{
	__liballocs_walk_allocations_df(NULL, print_live, NULL);
}
