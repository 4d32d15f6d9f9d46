//@ modes: plain library strip O2 clang
//@ stdout: a block: site_names.c:34 main
//@ stdout: a wrapper's block: site_names.c:35 main
//@ stdout: cut off: site_names.
//@ stdout: no buffer: none
//@ stdout: no site: none
//@ stdout: a function: none
//@ stdout: a wild address: none
//@ stdout: the older name: site_names.c:34 main
//@ plain-stdout: a block: none
//@ plain-stdout: a wrapper's block: none
//@ plain-stdout: cut off: none
//@ plain-stdout: no buffer: none
//@ plain-stdout: no site: none
//@ plain-stdout: a function: none
//@ plain-stdout: a wild address: none
//@ plain-stdout: the older name: none
/* Where in the source an allocation site is. */
#include <allocs.h>

static __attribute__((noinline)) void *wrapper(size_t size)
{
	return memset(malloc(size), 0, size);
}

static void print(const char *what, const char *name)
{
	printf("%s: %s\n", what, name ? name : "none");
}

int main(void)
{
	char buf[100];
	int *block = malloc(sizeof (int));
	int *wrapped = wrapper(sizeof (int));
	print("a block", alloc_get_site_name(alloc_get_site(block), buf, sizeof buf));
	print("a wrapper's block", alloc_get_site_name(alloc_get_site(wrapped), buf, sizeof buf));
	print("cut off", alloc_get_site_name(alloc_get_site(block), buf, 12));
	print("no buffer", alloc_get_site_name(alloc_get_site(block), NULL, 0));
	print("no site", alloc_get_site_name(NULL, buf, sizeof buf));
	print("a function", alloc_get_site_name((void *) main, buf, sizeof buf));
	print("a wild address", alloc_get_site_name((void *) 0x1234567890, buf, sizeof buf));
	print("the older name", __liballocs_alloc_get_site_name(alloc_get_site(block), buf, sizeof buf));
	free(block);
	free(wrapped);
	return 0;
}
