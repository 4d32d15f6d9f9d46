//@ modes: plain library valgrind ulimit
//@ stdout: any bits can be asked about
/* No query faults, whatever the address. */
#include <allocs.h>
#include <unistd.h>

static void ask(void *p)
{
	char name[32];
	struct uniqtype *t;
	void *base;
	unsigned long size;
	const void *site;
	struct big_allocation *big;
	alloc_get_allocator(p);
	alloc_get_type(p);
	alloc_get_precise_type(p);
	alloc_get_base(p);
	alloc_get_size(p);
	alloc_get_site(p);
	alloc_get_name(p, name, sizeof name);
	alloc_get_name(p, NULL, 0);
	alloc_get_info(p, NULL, &t, &base, &size, &site);
	alloc_get_inner_type(p, 0);
	alloc_get_inner_type(p, 7);
	alloc_walk_refs(p, NULL, NULL);
	__liballocs_leaf_allocator_for(p, &big);
}

int main(void)
{
	unsigned long bits = 88172645463325252ul;
	ask(NULL);
	for (int shift = 0; shift < 64; ++shift)
		for (long d = -1; d <= 1; ++d) ask((void *) ((1ul << shift) + d));
	for (int i = 0; i < 500; ++i) {
		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		ask((void *) (bits >> (i % 17)));
	}
	/* Around everything that is mapped. */
	char *near[] = { (char *) ask, (char *) &near, malloc(100), malloc(200000), (char *) sbrk(0), (char *) stdout, (char *) printf };
	for (unsigned i = 0; i < sizeof near / sizeof *near; ++i)
		for (long d = -5000; d < 5000; d += 177) ask(near[i] + d);
	free(near[2]);
	free(near[3]);
	ask(near[2]);
	ask(near[3]);
	puts("any bits can be asked about");
	return 0;
}
