//@ modes: library clang
//@ stdout: errno was changed 0 times
/* No function changes errno, whatever it is asked about. */
#include <allocs.h>
#include <errno.h>
#include <relf.h>
#include <uniqtype-bfs.h>

static int changed;

static void check(void)
{
	changed += errno != 4242;
	errno = 4242;
}

static int visit(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) obj, (void) t, (void) site, (void) link, (void) arg;
	return 0;
}

static int see(void **slot, struct uniqtype *pointee, void *arg)
{
	(void) slot, (void) pointee, (void) arg;
	return 0;
}

static int frame(void *ip, void *sp, void *bp, void *arg)
{
	(void) ip, (void) sp, (void) bp, (void) arg;
	return 0;
}

int main(int argc, char **argv)
{
	static int counter;
	char buf[100];
	struct uniqtype *type;
	void *addresses[] = { NULL, malloc(8 * sizeof (int)), malloc(1 << 20), &counter, &argc, argv, (void *) main, (void *) malloc,
		(void *) 0x123456789, (void *) -1 };
	errno = 4242;
	for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; ++i) {
		void *p = addresses[i];
		alloc_get_allocator(p), check();
		type = alloc_get_precise_type(p), check();
		alloc_get_inner_type(p, 0), check();
		alloc_get_info(p, NULL, NULL, NULL, NULL, NULL), check();
		alloc_get_name(p, buf, sizeof buf), check();
		alloc_get_site_name(alloc_get_site(p), buf, sizeof buf), check();
		alloc_walk_refs(p, see, NULL), check();
		uniqtype_to_c(type, buf, sizeof buf), check();
		__uniqtype_walk_bfs_from_object(p, type, __uniqtype_default_follow_ptr, NULL, NULL, NULL), check();
		__lookup_bigalloc_from_root(p, NULL, NULL), check();
		__liballocs_get_or_create_array_type(type, 12345), check();
		fake_dladdr(p, NULL, NULL, NULL, NULL), check();
	}
	alloc_set_type(NULL, addresses[1], type), check();
	__liballocs_walk_stack(frame, NULL), check();
	__liballocs_typestr_to_uniqtype("no such type"), check();
	__liballocs_walk_allocations_df(NULL, visit, NULL), check();
	printf("errno was changed %d times\n", changed);
	free(addresses[1]);
	free(addresses[2]);
	return 0;
}
