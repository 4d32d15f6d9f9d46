// Blocks keep their type and site when the file whose code allocated them is unloaded, and what is loaded in its place has
// sites of its own.
//@ cflags: -O1 -g
//@ so: unload_first.c unload_second.c
//@ args: {dir}/libunload_first.so {dir}/libunload_second.so
//@ modes: library
//@ stdout: first __ARR0_first, size 48
//@ stdout: unloaded: __ARR0_first, size 48, site kept: 1
//@ stdout: allocated by a destructor: __ARR0_last, size 40
//@ stdout: second __ARR0_second, first still __ARR0_first
//@ stdout: 50 times: 0 wrong
#include <allocs.h>

static const char *name(void *p)
{
	struct uniqtype *t = alloc_get_type(p);
	return t ? UNIQTYPE_NAME(t) : "none";
}

static void *allocate_in(const char *file, void **handle)
{
	*handle = dlopen(file, RTLD_NOW);
	void *(*make)(void) = *handle ? (void *(*)(void)) dlsym(*handle, "make") : NULL;
	return make ? make() : NULL;
}

int main(int argc, char **argv)
{
	void *handle, *first, *second;
	if (argc != 3) return 1;
	first = allocate_in(argv[1], &handle);
	const void *site = alloc_get_site(first);
	printf("first %s, size %lu\n", name(first), alloc_get_size(first));
	free(first);
	first = ((void *(*)(void)) dlsym(handle, "make"))();
	static void *last;
	((void (*)(void **)) dlsym(handle, "make_last_at"))(&last);
	dlclose(handle);
	printf("unloaded: %s, size %lu, site kept: %d\n", name(first), alloc_get_size(first), alloc_get_site(first) == site);
	printf("allocated by a destructor: %s, size %lu\n", name(last), alloc_get_size(last));
	second = allocate_in(argv[2], &handle);
	printf("second %s, first still %s\n", name(second), name(first));
	dlclose(handle);
	int wrong = 0;
	for (int i = 0; i < 50; i++) {
		void *p = allocate_in(argv[1 + i % 2], &handle);
		dlclose(handle);
		wrong += strcmp(name(p), i % 2 ? "__ARR0_second" : "__ARR0_first") != 0;
		free(p);
	}
	printf("50 times: %d wrong\n", wrong);
	return 0;
}
