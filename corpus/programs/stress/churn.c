// Eight threads that allocate, move, free and ask about each other's blocks, each interrupted 1000 times a second by a handler
// that asks; they end and start again, and fork children that ask. Plug-ins come and go meanwhile. SECONDS says how long.
//@ cflags: -pthread
//@ so: churn_one.c churn_two.c
//@ args: {dir}/libchurn_one.so {dir}/libchurn_two.so
//@ modes: library O2 clang
//@ stdout: every answer was right
//@ stdout: threads, handlers, children and plug-ins did their part
//@ stdout: nothing grows with the files, threads and walks that there were
#define _GNU_SOURCE
#include <allocs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "churn.h"

enum { THREADS = 8, SLOTS = 400, KINDS = 6 };
enum kind { ITEMS, THINGS, BYTES, OF_ONE, OF_TWO, ON_A_STACK };

struct item { struct item *next; int number; };
struct thing { double x, y, z; };

/* An object that any thread may ask about, but change only where no reader is there. */
static struct slot {
	int readers; /* -1 while it is changed */
	enum kind kind;
	char *base; /* NULL if there is none */
	size_t size;
} slots[SLOTS + THREADS];

static struct uniqtype *type_of_kind[KINDS];
static struct thing some_thing;
static unsigned long wrong, handled, started, forked, opened;
static volatile int is_over;
static __thread uint64_t bits;

static uint64_t any(uint64_t *bits)
{
	*bits ^= *bits << 13, *bits ^= *bits >> 7, *bits ^= *bits << 17;
	return *bits >> 11;
}

static void count(unsigned long *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void complain(const char *what, void *p)
{
	char line[100];
	if (__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED) < 20)
		if (write(2, line, snprintf(line, sizeof line, "%s: %p\n", what, p)) < 0) _exit(3);
}

static int begin_reading(struct slot *slot)
{
	int readers = __atomic_load_n(&slot->readers, __ATOMIC_RELAXED);
	while (readers >= 0)
		if (__atomic_compare_exchange_n(&slot->readers, &readers, readers + 1, 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return 1;
	return 0;
}

static void end_reading(struct slot *slot)
{
	__atomic_fetch_sub(&slot->readers, 1, __ATOMIC_RELEASE);
}

static int begin_change(struct slot *slot)
{
	int none = 0;
	return __atomic_compare_exchange_n(&slot->readers, &none, -1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void end_change(struct slot *slot)
{
	__atomic_store_n(&slot->readers, 0, __ATOMIC_RELEASE);
}

/* Asks about a slot that nobody changes meanwhile. */
static void ask_of(struct slot *slot, uint64_t *bits)
{
	struct uniqtype *type;
	void *base;
	unsigned long size;
	if (!slot->base) return;
	char *p = slot->base + any(bits) % (slot->size ? slot->size : 1);
	struct allocator *a = alloc_get_allocator(p);
	alloc_get_info(p, NULL, &type, &base, &size, NULL);
	if (slot->kind == ON_A_STACK) {
		int is_there = a == &__stack_allocator || a == &__stackframe_allocator;
		if (!is_there || (char *) base > p || p >= (char *) base + size) complain("another's stack", p);
		return;
	}
	int is_it = a == &__default_lib_malloc_allocator && base == slot->base && size == slot->size;
	if (!is_it || type != type_of_kind[slot->kind]) {
		complain(is_it ? "a block's type" : "a block", p);
		return;
	}
	if (size && any(bits) % 8 == 0) {
		struct uniqtype *precise = alloc_get_precise_type(p), *element = UNIQTYPE_ARRAY_ELEMENT_TYPE(type);
		if (!precise || UNIQTYPE_ARRAY_LENGTH(precise) != size / UNIQTYPE_SIZE_IN_BYTES(element)) complain("its precise type", p);
	}
}

static void ask(uint64_t *bits)
{
	struct slot *slot = &slots[any(bits) % (SLOTS + THREADS)];
	if (!begin_reading(slot)) return;
	ask_of(slot, bits);
	end_reading(slot);
}

static void ask_of_own(void)
{
	struct thing local;
	if (alloc_get_type(&some_thing) != UNIQTYPE_ARRAY_ELEMENT_TYPE(type_of_kind[THINGS])) complain("a static", &some_thing);
	if (alloc_get_allocator(&local) != &__stackframe_allocator) complain("a local", &local);
	if (alloc_get_allocator((void *) 8)) complain("nothing", (void *) 8);
}

static void handler(int signal)
{
	uint64_t bits = (uintptr_t) &signal ^ handled * 0x9e3779b97f4a7c15u ^ 1;
	ask(&bits);
	ask_of_own();
	count(&handled);
}

static void make(struct slot *slot)
{
	size_t size = any(&bits) % 50 ? any(&bits) % 2000 : any(&bits) % 500000, n;
	switch (slot->kind = any(&bits) % 3) {
	case ITEMS:
		n = size / sizeof (struct item);
		slot->base = malloc(n * sizeof (struct item));
		slot->size = n * sizeof (struct item);
		break;
	case THINGS:
		n = size / sizeof (struct thing);
		slot->base = calloc(n, sizeof (struct thing));
		slot->size = n * sizeof (struct thing);
		break;
	default: {
		char *text = malloc(size);
		slot->base = text;
		slot->size = size;
	}
	}
	if (!slot->base) exit(4);
}

static void change(struct slot *slot)
{
	if (!begin_change(slot)) return;
	if (!slot->base) {
		make(slot);
	} else if (any(&bits) % 3) {
		free(slot->base);
		slot->base = NULL;
	} else {
		size_t size = any(&bits) % 3000 + 1;
		void *moved = realloc(slot->base, size);
		slot->base = moved;
		slot->size = size;
	}
	end_change(slot);
}

/* Only what no other thread changes meanwhile is the same for the child in all places. */
static void fork_child(void)
{
	struct slot *read[32];
	int n = 0;
	for (int i = 0; i < 32; ++i) {
		struct slot *slot = &slots[any(&bits) % SLOTS];
		if (begin_reading(slot)) read[n++] = slot;
	}
	pid_t child = fork();
	if (child == 0) {
		wrong = 0;
		alarm(20);
		for (int i = 0; i < n; ++i) ask_of(read[i], &bits);
		ask_of_own();
		struct slot own = { 0 };
		make(&own);
		ask_of(&own, &bits);
		char *volatile base = own.base;
		free(base);
		if (alloc_get_allocator(base) == &__default_lib_malloc_allocator) complain("a child's freed block", base);
		_exit(wrong != 0);
	}
	int status = -1;
	while (child > 0 && waitpid(child, &status, 0) != child);
	for (int i = 0; i < n; ++i) end_reading(read[i]);
	if (status) complain("a child", NULL);
	count(&forked);
}

static timer_t start_timer(void)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } };
	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL)) exit(5);
	return timer;
}

static void *work(void *arg)
{
	struct slot *own = arg;
	struct thing local;
	timer_t timer = start_timer();
	bits = (uintptr_t) &local ^ started * 0x9e3779b97f4a7c15u ^ 1;
	while (!begin_change(own)) sched_yield();
	*own = (struct slot) { -1, ON_A_STACK, (char *) &local, sizeof local };
	end_change(own);
	for (int i = 0; i < 3000 && !is_over; ++i) {
		if (any(&bits) & 1) change(&slots[any(&bits) % SLOTS]);
		else ask(&bits);
		if (i % 64 == 0) ask_of_own();
		if (i % 1024 == 1023) fork_child();
	}
	while (!begin_change(own)) sched_yield();
	own->base = NULL;
	end_change(own);
	timer_delete(timer);
	count(&started);
	return NULL;
}

/* What a plug-in's local is for a query. */
static int is_local(void *p)
{
	char name[200];
	return alloc_get_allocator(p) == &__stackframe_allocator && alloc_get_type(p) && alloc_get_name(p, name, sizeof name)
		&& strstr(name, "_call_vaddrs_");
}

static void open_and_close(const char *path, enum kind kind)
{
	int is_here = 0;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) exit(6);
	const struct plugin *plugin = dlsym(handle, "plugin");
	char *some = plugin->made_for;
	size_t n = 3 + opened % 100;
	void *made = plugin->make(n);
	struct uniqtype *type = alloc_get_type(some);
	if (!type || strcmp(UNIQTYPE_NAME(type), plugin->type) || alloc_get_base(some + 3) != some) complain("a plug-in's static", some);
	if (!plugin->call(is_local, &is_here) || !is_here) complain("a plug-in's local", some);
	struct uniqtype *of_made = alloc_get_type(made);
	if (!of_made || UNIQTYPE_ARRAY_ELEMENT_TYPE(of_made) != type) {
		complain("a plug-in's block", made);
		return;
	}
	if (type_of_kind[kind] && type_of_kind[kind] != of_made) complain("a plug-in's type is another one than before", made);
	type_of_kind[kind] = of_made;
	size_t size = n * UNIQTYPE_SIZE_IN_BYTES(type);
	dlclose(handle);
	struct allocator *a = alloc_get_allocator(some);
	if (a && !strncmp(a->name, "static", 6)) complain("a static of a plug-in that is closed", some);
	if (alloc_get_type(made) != of_made || alloc_get_size(made) != size) complain("a block of a plug-in that is closed", made);
	struct slot *slot = &slots[opened++ % SLOTS];
	if (!begin_change(slot)) {
		free(made);
		return;
	}
	free(slot->base);
	*slot = (struct slot) { -1, kind, made, size };
	end_change(slot);
}

static char **paths;

static void *open_plugins(void *arg)
{
	bits = 88172645463325252u;
	while (!is_over) {
		open_and_close(paths[opened % 2], opened % 2 ? OF_TWO : OF_ONE);
		ask(&bits);
	}
	return arg;
}

static void *ask_once(void *arg)
{
	ask_of_own();
	return arg;
}

/* How many mappings there are, and how many pages they have. */
static void measure(size_t *mappings, size_t *pages)
{
	static char text[1 << 16];
	*mappings = 0;
	FILE *in = fopen("/proc/self/maps", "r");
	for (size_t n; (n = fread(text, 1, sizeof text, in)) > 0;)
		for (char *c = text; c < text + n; ++c) *mappings += *c == '\n';
	fclose(in);
	in = fopen("/proc/self/statm", "r");
	if (fscanf(in, "%zu", pages) != 1) exit(7);
	fclose(in);
}

static int pass(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) obj, (void) t, (void) site, (void) link, (void) arg;
	return 0;
}

/* A plug-in, at another address each time as long as `blockers` are there; a thread; walks; records. */
static void cycle(void **blockers, int count)
{
	for (int i = 0; i < count; ++i) {
		void *handle = dlopen(paths[i % 2], RTLD_NOW | RTLD_LOCAL);
		struct plugin *plugin = dlsym(handle, "plugin");
		char *some = plugin->made_for;
		free(plugin->make(1));
		if (!alloc_get_type(some) || !__lookup_bigalloc_from_root(some, &__static_section_allocator, NULL)) complain("a record", some);
		dlclose(handle);
		if (blockers) {
			blockers[i] = mmap((void *) ((uintptr_t) some & -4096ul), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			continue;
		}
		pthread_t thread;
		pthread_create(&thread, NULL, ask_once, NULL);
		pthread_join(thread, NULL);
		if (i % 16 == 0) __liballocs_walk_allocations_df(NULL, pass, NULL);
		for (int j = 0; j < 200; ++j)
			if (!__lookup_bigalloc_from_root(&some_thing, &__static_section_allocator, NULL)) complain("a record", &some_thing);
	}
}

static void check_growth(void)
{
	enum { CYCLES = 400, ELSEWHERE = 100 };
	void *blockers[ELSEWHERE];
	size_t mappings[2], pages[2];
	cycle(NULL, 40);
	measure(&mappings[0], &pages[0]);
	cycle(NULL, CYCLES);
	cycle(blockers, ELSEWHERE);
	for (int i = 0; i < ELSEWHERE; ++i) munmap(blockers[i], 4096);
	measure(&mappings[1], &pages[1]);
	if (mappings[1] > mappings[0] + 8 || pages[1] > pages[0] + 256)
		printf("mappings: %zu, then %zu; pages: %zu, then %zu\n", mappings[0], mappings[1], pages[0], pages[1]);
	else puts("nothing grows with the files, threads and walks that there were");
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("SECONDS");
	double end = now() + (seconds ? strtod(seconds, NULL) : 0.5);
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t threads[THREADS], opener;
	if (argc != 3) return 1;
	paths = argv + 1;
	sigaction(SIGRTMIN, &action, NULL);
	static const char *const names[] = { "item", "thing", "signed_char$8" };
	for (int i = 0; i < 3; ++i)
		type_of_kind[i] = __liballocs_get_or_create_flexible_array_type(__liballocs_typestr_to_uniqtype(names[i]));
	for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, work, &slots[SLOTS + i]);
	pthread_create(&opener, NULL, open_plugins, NULL);
	for (int i = 0; now() < end; i = (i + 1) % THREADS) {
		pthread_join(threads[i], NULL);
		pthread_create(&threads[i], NULL, work, &slots[SLOTS + i]);
	}
	is_over = 1;
	for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
	pthread_join(opener, NULL);
	if (!wrong) puts("every answer was right");
	else printf("%lu wrong answers\n", wrong);
	if (started > THREADS && handled > 100 && forked > 4 && opened > 20) puts("threads, handlers, children and plug-ins did their part");
	fprintf(stderr, "%lu threads, %lu signals, %lu children, %lu plug-ins\n", started, handled, forked, opened);
	check_growth();
	return wrong != 0;
}
