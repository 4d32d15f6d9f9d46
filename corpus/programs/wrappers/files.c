// Wrappers in libraries, and callers in libraries: with metadata the type is that of the call, without it the site is the
// call all the same and has no type. What is unloaded is forgotten, whatever is loaded in its place.
//@ cflags: -g
//@ so: files_lib.c files_other.c files_third.c
//@ cc-so: files_foreign.c
//@ ldflags: -L{dir} -lfiles_lib -lfiles_foreign -Wl,-rpath,$ORIGIN
//@ args: {dir}/libfiles_other.so {dir}/libfiles_third.so
//@ modes: library O2 -O2,-no-pie
//@ stdout: called by a library: __ARR0_item
//@ stdout: wrapper in a library: site here: 1
//@ stdout: called back: __ARR0_one, site here: 1
//@ stdout: caller without metadata: unknown, its own site: 1
//@ stdout: wrapper without metadata: unknown, its own site: 1
//@ stdout: loaded and unloaded 40 times: 0 wrong, 40 blocks keep their types: 0 wrong
#define _GNU_SOURCE
#include "wrappers.h"
#include "files.h"

WRAPPER void *own(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

__attribute__((noinline)) static void *make_one(void)
{
	struct one *p = own(3 * sizeof *p);
	touch(p);
	return p;
}

static int is_in(const void *site, const char *file)
{
	Dl_info info;
	return dladdr(site, &info) && strstr(info.dli_fname, file);
}

/* The type, unless it is the one of bytes that stands for unknown. */
static const char *known(void *p)
{
	const char *found = name(p);
	return strcmp(found, "none") && strcmp(found, "__ARR0_unsigned_char$8") ? found : "unknown";
}

int main(int argc, char **argv)
{
	if (argc != 3) return 1;
	printf("called by a library: %s\n", name(lib_make()));
	struct two *of_library = lib_wrapper(5 * sizeof *of_library);
	printf("wrapper in a library: site here: %d\n", is_in(alloc_get_site(of_library), argv[0]));
	void *called = foreign_call(make_one);
	printf("called back: %s, site here: %d\n", name(called), is_in(alloc_get_site(called), argv[0]));
	void *foreign = foreign_make(own);
	printf("caller without metadata: %s, its own site: %d\n", known(foreign), is_in(alloc_get_site(foreign), "foreign"));
	struct two *two = foreign_wrapper(2 * sizeof *two);
	printf("wrapper without metadata: %s, its own site: %d\n", known(two), is_in(alloc_get_site(two), "foreign"));

	void *kept[40];
	int wrong = 0, changed = 0;
	for (int i = 0; i < 40; i++) {
		void *handle = dlopen(argv[1 + i % 2], RTLD_NOW);
		void *(*make)(void) = handle ? (void *(*)(void)) dlsym(handle, "make") : NULL;
		if (!make) return 1;
		free(make());
		kept[i] = make();
		wrong += strcmp(name(kept[i]), i % 2 ? "__ARR0_third" : "__ARR0_other") != 0;
		dlclose(handle);
	}
	for (int i = 0; i < 40; i++) changed += strcmp(name(kept[i]), i % 2 ? "__ARR0_third" : "__ARR0_other") != 0;
	printf("loaded and unloaded 40 times: %d wrong, 40 blocks keep their types: %d wrong\n", wrong, changed);
	return 0;
}
