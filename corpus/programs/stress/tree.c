// The tree of allocations agrees with the kernel, the dynamic linker and itself while threads run on their stacks, mappings have
// holes, a plug-in is loaded, and a signal handler runs on a stack of its own. probe/tree.c has the checks.
//@ cflags: -pthread -I{stage}/include
//@ cc-so: ../../probe/tree.c
//@ so: churn_one.c
//@ ldflags: -L{dir} -ltree -Wl,-rpath,$ORIGIN
//@ args: {dir}/libchurn_one.so
//@ env: ADDRESSES=15000
//@ modes: library O2 clang
//@ stdout: at first: 0 disagreements
//@ stdout: with mappings and blocks: 0 disagreements
//@ stdout: with a plug-in: 0 disagreements
//@ stdout: with threads: 0 disagreements
//@ stdout: a walk met each thread's stack once, in a mapping: 4 of 4
//@ stdout: in a handler: 0 disagreements
//@ stdout: with all gone: 0 disagreements
#define _GNU_SOURCE
#include <allocs.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include "churn.h"

enum { THREADS = 4, BLOCKS = 2000, PAGE = 4096, PAGES = 100 };

struct node {
	struct node *next;
	union { long number; char *text; } value;
	struct { short low, high; } parts[3];
};

static struct node nodes[20];
static char zeroed[50000];
static void *blocks[BLOCKS];
static pthread_barrier_t barrier;
static void *stacks[THREADS];

unsigned long tree_disagreements(void);

static void say(const char *when)
{
	printf("%s: %lu disagreements\n", when, tree_disagreements());
}

static void *wait_here(void *arg)
{
	char mine;
	*(void **) arg = &mine;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int stacks_met;

static int meet(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) obj, (void) t, (void) site, (void) arg;
	struct big_allocation *within = (struct big_allocation *) link->container.bigalloc_or_uniqtype;
	if (!b) return -1;
	if (within && b->allocated_by == &__stack_allocator && within->allocated_by == &__mmap_allocator)
		for (int i = 0; i < THREADS; ++i) stacks_met += stacks[i] >= b->begin && stacks[i] < b->end;
	return 0;
}

static void handler(int signal)
{
	(void) signal;
	say("in a handler");
}

int main(int argc, char **argv)
{
	static char buffer[4096];
	if (argc != 2) return 1;
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	say("at first");

	for (int i = 0; i < BLOCKS; ++i) {
		struct node *node = calloc(i % 40, sizeof *node);
		char *text = malloc(i % 100 ? i : i * 1000);
		blocks[i] = i % 2 ? (void *) node : text;
		free(i % 2 ? (void *) text : node);
	}
	char *mapping = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PAGES; i += 7) munmap(mapping + i * PAGE, PAGE);
	mprotect(mapping + PAGE, 3 * PAGE, PROT_NONE);
	int program = open("/proc/self/exe", O_RDONLY);
	void *file = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, program, PAGE);
	close(program);
	say("with mappings and blocks");

	void *handle = dlopen(argv[1], RTLD_NOW);
	struct plugin *plugin = dlsym(handle, "plugin");
	void *made = plugin->make(10);
	say("with a plug-in");

	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, wait_here, &stacks[i]);
	pthread_barrier_wait(&barrier);
	say("with threads");
	__liballocs_walk_allocations_df(NULL, meet, NULL);
	printf("a walk met each thread's stack once, in a mapping: %d of %d\n", stacks_met, THREADS);

	size_t size = 1 << 16;
	stack_t stack = { .ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = size };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);

	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
	dlclose(handle);
	free(made);
	for (int i = 0; i < BLOCKS; ++i) free(blocks[i]);
	// Not the holes: what was mapped since may lie there.
	for (int i = 0; i < PAGES; ++i)
		if (i % 7 != 0) munmap(mapping + i * PAGE, PAGE);
	munmap(file, 2 * PAGE);
	nodes[1].value.text = zeroed;
	say("with all gone");
	return 0;
}
