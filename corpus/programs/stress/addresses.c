// Any address at all, against a list of what is alive that the program keeps itself: blocks of all sizes that come, go and
// move, statics, frames, mappings, and what lies inside, around and behind them. ADDRESSES says how many are asked about.
//@ modes: library O2 clang
//@ stdout: every address had the right answer
//@ stdout: a walk met each live block once, and no other
#define _GNU_SOURCE
#include <allocs.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct small { int number; char letter; };
struct pair { struct small *first; long second; };
struct text { long length; char letters[]; };

struct object { char *base; size_t size; struct uniqtype *type; };

enum { MOST = 3000, PAGES = 64, PAGE = 4096, DEPTH = 6 };
static const size_t most_bytes = 64 << 20;

/* What is alive, by address; what was freed last. */
static struct object live[MOST + 200], freed[256];
static size_t live_count, live_bytes, freed_count;
static struct uniqtype *of_small, *of_pair, *of_text, *of_bytes;

static struct small some_static[100];
static char bytes_static[77777];
static const struct pair constant_static[3] = { { NULL, 1 }, { NULL, 2 }, { NULL, 3 } };
static struct object statics[3];

/* Mappings, each between two pages that cannot be accessed. */
static struct object mappings[8];
static size_t mapping_count;
static char *unmapped;

static char *locals[DEPTH];
static size_t asked, wrong;

static uint64_t bits = 88172645463325252u;

static uint64_t any(void)
{
	bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
	return bits;
}

static size_t below(size_t limit)
{
	return (any() >> 11) % limit;
}

/* How many live blocks begin at or before an address. */
static size_t rank(const char *p)
{
	size_t from = 0, to = live_count;
	while (from < to) {
		size_t middle = (from + to) / 2;
		if (live[middle].base <= p) from = middle + 1;
		else to = middle;
	}
	return from;
}

static int holds(const struct object *o, const char *p)
{
	return p >= o->base && p < o->base + (o->size ? o->size : 1);
}

static const struct object *live_at(const char *p)
{
	size_t after = rank(p);
	return after && holds(&live[after - 1], p) ? &live[after - 1] : NULL;
}

static void add(void *base, size_t size, struct uniqtype *type)
{
	if (!base) exit(2);
	size_t place = rank(base);
	memmove(&live[place + 1], &live[place], (live_count - place) * sizeof *live);
	live[place] = (struct object) { base, size, type };
	++live_count;
	live_bytes += size;
}

static struct object taken(size_t place)
{
	struct object o = live[place];
	--live_count;
	live_bytes -= o.size;
	memmove(&live[place], &live[place + 1], (live_count - place) * sizeof *live);
	freed[freed_count++ % (sizeof freed / sizeof *freed)] = o;
	return o;
}

/* Most are small; some have several MiB. */
static size_t any_size(void)
{
	size_t scale = below(100);
	return below(scale < 70 ? 300 : scale < 95 ? 20000 : scale < 99 ? 400000 : 5 << 20);
}

static void allocate(void)
{
	size_t size = any_size(), n;
	void *p;
	switch (below(6)) {
	case 0:
		n = size / sizeof (struct small);
		p = malloc(n * sizeof (struct small));
		add(p, n * sizeof (struct small), of_small);
		break;
	case 1:
		n = size / sizeof (struct pair);
		p = calloc(n, sizeof (struct pair));
		add(p, n * sizeof (struct pair), of_pair);
		break;
	case 2:
		p = malloc(sizeof (struct text) + size);
		add(p, sizeof (struct text) + size, of_text);
		break;
	case 3: {
		char *text = memalign((size_t) 16 << below(13), size);
		add(text, size, of_bytes);
		break;
	}
	case 4: {
		char *text = aligned_alloc(64, size);
		add(text, size, of_bytes);
		break;
	}
	default: {
		char *text = malloc(size);
		add(text, size, of_bytes);
	}
	}
}

static void change(void)
{
	if (live_count < 100 || (live_count < MOST && live_bytes < most_bytes && below(8) < 5)) {
		allocate();
		return;
	}
	struct object o = taken(below(live_count));
	if (below(3)) {
		free(o.base);
		return;
	}
	size_t size = any_size() + 1;
	void *moved = realloc(o.base, size);
	add(moved, size, o.type);
}

static int is_mapped(const char *p)
{
	unsigned char resident;
	return mincore((void *) ((uintptr_t) p & -(uintptr_t) PAGE), 1, &resident) == 0;
}

static void complain(const char *what, const char *p)
{
	if (++wrong <= 20) printf("%s: %p\n", what, (void *) p);
}

static void check(char *p)
{
	struct uniqtype *type;
	void *found;
	unsigned long size;
	const void *site;
	char name[64];
	const char *allocator = "";
	struct allocator *a = alloc_get_allocator(p);
	liballocs_err_t error = alloc_get_info(p, NULL, &type, &found, &size, &site);
	char *base = found;
	const struct object *o = live_at(p);
	++asked;
	if (a) allocator = a->name;
	if (o) {
		if (a != &__default_lib_malloc_allocator || base != o->base || size != o->size) complain("a live block", p);
		else if (o->type && (type != o->type || error || !site)) complain("the type of a live block", p);
		else if (o->type && o->size && !alloc_get_inner_type(p, 0)) complain("inside a live block", p);
		return;
	}
	if (a == &__default_lib_malloc_allocator) complain("a block that is not alive", p);
	if (!a != !is_mapped(p)) complain(a ? "not mapped" : "mapped", p);
	if (!a && (type || base || size || site || !error)) complain("something of nothing", p);
	if (a && (p < base || p >= base + size)) complain("not in its allocation", p);
	for (size_t i = 0; i < sizeof statics / sizeof *statics; ++i)
		if (holds(&statics[i], p) != (base == statics[i].base && size == statics[i].size && type == statics[i].type))
			complain("a static", p);
	for (size_t i = 0; i < mapping_count; ++i)
		if (holds(&mappings[i], p) != (a == &__mmap_allocator && base == mappings[i].base && size == mappings[i].size))
			complain("a mapping", p);
	int in_local = 0;
	for (int i = 0; i < DEPTH; ++i) in_local |= p >= locals[i] && p < locals[i] + 100;
	if (in_local && strcmp(allocator, "stackframe")) complain("a local", p);
	/* Where no function runs there is no frame. */
	int in_frame = !strcmp(allocator, "stackframe") || !strcmp(allocator, "alloca");
	if (in_frame && p < (char *) __builtin_frame_address(0) - PAGE) complain("a frame that is gone", p);
	if (asked % 16 == 0) alloc_get_name(p, name, sizeof name);
	if (asked % 16 == 1) alloc_get_precise_type(p);
}

/* Inside, at the ends of, and around an object. */
static char *near(const struct object *o)
{
	switch (below(8)) {
	case 0: return o->base;
	case 1: return o->base - 1;
	case 2: return o->base + o->size;
	case 3: return o->base + o->size - 1;
	case 4: return o->base + o->size + below(64);
	default: return o->base + below(o->size + 1);
	}
}

static char *any_address(void)
{
	switch (below(16)) {
	case 0: return (char *) any();
	case 1: return (char *) (any() >> below(64));
	case 2: return (char *) (any() >> 17 << 12);
	case 3: return (char *) ((uintptr_t) live[below(live_count)].base ^ (1ul << below(64)));
	case 4: return near(&statics[below(sizeof statics / sizeof *statics)]);
	case 5: return near(&mappings[below(mapping_count)]);
	case 6: return unmapped + below(PAGES * PAGE);
	case 7: return locals[below(DEPTH)] + below(100);
	case 8: return locals[DEPTH - 1] - below(60000);
	case 9: return (char *) any_address + below(100000) - 50000;
	case 10: case 11: return near(&freed[below(sizeof freed / sizeof *freed)]);
	default: return near(&live[below(live_count)]);
	}
}

static __attribute__((noinline)) void ask(size_t count, int depth)
{
	char local[100];
	locals[depth] = local;
	if (depth + 1 < DEPTH) {
		ask(count, depth + 1);
	} else {
		while (asked < count) {
			for (int i = 0; i < 20; ++i) change();
			for (int i = 0; i < 500; ++i) check(any_address());
		}
	}
	/* Nothing is called last, so that the frame is there. */
	__asm__ volatile ("" : : "r" (local) : "memory");
}

static void map(size_t pages, int protection, int fd)
{
	char *place = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + PAGE;
	int flags = MAP_FIXED | MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
	if (mmap(place, pages * PAGE, protection, flags, fd, 0) != place) exit(3);
	mappings[mapping_count++] = (struct object) { place, pages * PAGE, NULL };
}

static struct uniqtype *array_of(const char *name)
{
	return __liballocs_get_or_create_flexible_array_type(__liballocs_typestr_to_uniqtype(name));
}

/* Blocks that are not the program's own. */
static int note(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) t, (void) link, (void) arg;
	if (alloc_get_allocator(obj) != &__default_lib_malloc_allocator || !site) return 0;
	add(obj, alloc_get_size(obj), NULL);
	return -1;
}

static size_t next_met;

static int meet(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) link, (void) arg;
	if (alloc_get_allocator(obj) != &__default_lib_malloc_allocator || !site) return 0;
	const struct object *next = &live[next_met++];
	if (next_met > live_count || obj != next->base || (next->type && t != next->type)) complain("not the next block", obj);
	return -1;
}

int main(void)
{
	static char buffer[4096];
	const char *count = getenv("ADDRESSES"), *seed = getenv("SEED");
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	if (seed) bits += strtoul(seed, NULL, 10);
	of_small = array_of("small");
	of_pair = array_of("pair");
	of_text = __liballocs_typestr_to_uniqtype("text");
	of_bytes = array_of("signed_char$8");
	statics[0] = (struct object) { (char *) some_static, sizeof some_static, alloc_get_type(some_static) };
	statics[1] = (struct object) { bytes_static, sizeof bytes_static, alloc_get_type(bytes_static) };
	statics[2] = (struct object) { (char *) constant_static, sizeof constant_static, alloc_get_type((void *) constant_static) };
	int program = open("/proc/self/exe", O_RDONLY);
	map(1, PROT_READ | PROT_WRITE, -1);
	map(600, PROT_READ, -1);
	map(2, PROT_READ, program);
	map(3, PROT_READ | PROT_EXEC, program);
	close(program);
	unmapped = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < PAGES; i += 1 + below(3)) munmap(unmapped + i * PAGE, PAGE);
	__liballocs_walk_allocations_df(NULL, note, NULL);
	for (int i = 0; i < 2000; ++i) change();
	ask(count ? strtoul(count, NULL, 10) : 500000, 0);
	if (!wrong) puts("every address had the right answer");
	wrong = 0;
	__liballocs_walk_allocations_df(NULL, meet, NULL);
	if (!wrong && next_met == live_count) puts("a walk met each live block once, and no other");
	return 0;
}
