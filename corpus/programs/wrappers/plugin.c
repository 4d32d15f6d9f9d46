// Plug-ins that allocate by functions of the program, of which nothing was known when they were linked: what they assume counts
// where the program's function is a plain one. Functions of one name in several files are told apart.
//@ cflags: -g
//@ so: plugin_one.c
//@ so-ldflags: -Wl,-Bsymbolic
//@ so: plugin_same.c
//@ cc-so: plugin_foreign.c
//@ ldflags: -rdynamic
//@ args: {dir}/libplugin_one.so {dir}/libplugin_same.so {dir}/libplugin_foreign.so
//@ modes: library O1 O2 O3 Os clang valgrind strip -O2,-no-pie -O2,-fno-plt -O2,-z,now -O2,-flto
//@ stdout: malloc: __ARR0_item 1, calloc: __ARR0_thing 1, realloc: __ARR0_item 1, with a last call: __ARR0_thing 1
//@ stdout: by the pointer: __ARR0_item 1, flexible: text 1
//@ stdout: wrapper there: __ARR0_thing 1, inlined: __ARR0_item 1, with a last call: __ARR0_thing 1
//@ stdout: header in front: unknown, twice as much: unknown, another argument: __SYNTH_two__ARR0_unsigned_char$8
//@ stdout: called back: unknown
//@ stdout: own functions of the same names: __SYNTH___ARR2_uint$64__ARR0_own, plain: __ARR0_own 1
//@ stdout: without metadata: unknown 1
//@ stdout: opened 40 times: 0 wrong
#define _GNU_SOURCE
#include "wrappers.h"
#include "plugin.h"

WRAPPER void *host_get(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *host_zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (!p) abort();
	return p;
}

WRAPPER void *host_more(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p) abort();
	return p;
}

WRAPPER void *host_last(size_t n) { return malloc(n); }

struct header { size_t size; long padding; };

WRAPPER void *host_behind(size_t n)
{
	struct header *p = malloc(n + sizeof *p);
	if (!p) abort();
	p->size = n;
	return p + 1;
}

/* The size is a sum: nobody said what the rest is for. */
WRAPPER void *host_twice(size_t n)
{
	void *p = malloc(n + n);
	if (!p) abort();
	return p;
}

/* The argument is no size: what it makes it knows itself. */
WRAPPER void *host_of_kind(size_t kind)
{
	void *p = kind > 100 ? malloc(sizeof(struct one)) : calloc(1, sizeof(struct two) + 64);
	if (!p) abort();
	return p;
}

static void *called_back;

WRAPPER void host_use(void *(*get)(size_t))
{
	struct one *p = get(3 * sizeof *p);
	touch(p);
	called_back = p;
}

static make_t *open_plugin(const char *path, void **handle)
{
	*handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*handle) puts(dlerror());
	return *handle ? (make_t *) dlsym(*handle, "make") : NULL;
}

static const char *known(void *block)
{
	const char *found = name(alloc_get_base(block));
	int is_known = strcmp(found, "none") && strcmp(found, "__ARR0_unsigned_char$8")
		&& strcmp(found, "__SYNTH_header__ARR0_unsigned_char$8");
	return is_known ? found : "unknown";
}

/* The type, and whether the site is in a plug-in. */
static const char *say(void *block)
{
	static char texts[4][100];
	static int next;
	Dl_info info;
	int is_there = dladdr(alloc_get_site(alloc_get_base(block)), &info) && strstr(info.dli_fname, "libplugin");
	char *text = texts[next++ % 4];
	snprintf(text, sizeof texts[0], "%s %d", known(block), is_there);
	return text;
}

int main(int argc, char **argv)
{
	void *one, *same, *foreign;
	if (argc != 4) return 1;
	make_t *make = open_plugin(argv[1], &one), *make_same = open_plugin(argv[2], &same);
	make_t *make_foreign = open_plugin(argv[3], &foreign);
	if (!make || !make_same || !make_foreign) return 1;
	printf("malloc: %s, calloc: %s, ", say(make(GOT)), say(make(ZEROED)));
	printf("realloc: %s, with a last call: %s\n", say(make(MORE)), say(make(LAST)));
	printf("by the pointer: %s, flexible: %s\n", say(make(RECEIVED)), say(make(FLEXIBLE)));
	printf("wrapper there: %s, inlined: %s, ", say(make(OWN)), say(make(INLINED)));
	printf("with a last call: %s\n", say(make(TAIL)));
	printf("header in front: %s, twice as much: %s, ", known(make(BEHIND)), known(make(TWICE)));
	printf("another argument: %s\n", known(make(KIND)));
	make(CALLED_BACK);
	printf("called back: %s\n", known(called_back));
	printf("own functions of the same names: %s, plain: %s\n", known(make_same(GOT)), say(make_same(LAST)));
	printf("without metadata: %s\n", say(make_foreign(GOT)));

	int wrong = 0;
	for (int i = 0; i < 40; i++) {
		dlclose(one);
		make = open_plugin(argv[1], &one);
		if (!make) return 1;
		void *item = make(GOT), *thing = make(OWN);
		wrong += strcmp(known(item), "__ARR0_item") || strcmp(known(thing), "__ARR0_thing");
		wrong += strcmp(known(make(BEHIND)), "unknown") != 0;
	}
	printf("opened 40 times: %d wrong\n", wrong);
	return 0;
}
