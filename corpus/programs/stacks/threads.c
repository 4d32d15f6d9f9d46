//@ cflags: -pthread
//@ modes: library O0 O2 clang
//@ stdout: a thread of the C library's: as it sees itself
//@ stdout: its guard: mmap
//@ stdout: when it has ended: mmap
//@ stdout: a C11 thread: as it sees itself
//@ stdout: when it has ended: mmap
//@ stdout: a detached thread: as it sees itself
//@ stdout: when it has ended: mmap
//@ stdout: a cancelled thread: as it sees itself
//@ stdout: when it has ended: mmap
//@ stdout: a thread that the C library starts for itself: as it sees itself
//@ stdout: when it has ended: mmap
//@ stdout: a thread on a part of a mapping: as it sees itself
//@ stdout: when it has ended: mmap
//@ stdout: a thread on a heap block: generic malloc
//@ stdout: a thread on a static: static
//@ stdout: the main thread from another: stack, [stack]
/* Any thread may ask about any thread's stack, which is what pthread_getattr_np says of it. */
#define _GNU_SOURCE
#include <allocs.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SIZE 262144
static sem_t started, done;
static char *local, *base;
static size_t size, guard;
static const char *of_main, *name_of_main;
static char *main_local;
static char in_static[SIZE] __attribute__((aligned(64)));

static const char *allocator_of(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

/* Tells of itself, and waits until everything about it was asked. */
static void show_up(void)
{
	volatile char mine = 1;
	pthread_attr_t attributes;
	void *start;
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstack(&attributes, &start, &size);
	pthread_attr_getguardsize(&attributes, &guard);
	pthread_attr_destroy(&attributes);
	base = start;
	local = (char *) &mine;
	/* What it says of a part of its stack that no frame has. */
	if (alloc_get_base(base + 64) != base || alloc_get_size(base + 64) != size) puts("it sees itself otherwise");
	static char name[64];
	of_main = allocator_of(main_local);
	name_of_main = alloc_get_name(main_local, name, sizeof name);
	sem_post(&started);
	sem_wait(&done);
}

static void *body(void *arg)
{
	show_up();
	return arg;
}

static int c11_body(void *arg)
{
	show_up();
	(void) arg;
	return 0;
}

static void notified(union sigval value)
{
	show_up();
	(void) value;
}

static void ask(const char *what)
{
	static char name[64];
	sem_wait(&started);
	const char *allocator = allocator_of(local);
	if (strcmp(allocator, "stack")) {
		printf("%s: %s\n", what, allocator);
		return;
	}
	int same = 1;
	for (char *p = base; same && p < base + size; p += size / 7)
		same = !strcmp(allocator_of(p), "stack") && alloc_get_base(p) == base && alloc_get_size(p) == size;
	void *root_base = NULL;
	struct big_allocation *big = NULL;
	same &= __lookup_bigalloc_from_root(local, &__stack_allocator, &root_base) && root_base == base;
	same &= __liballocs_leaf_allocator_for(local, &big) == &__stack_allocator && big->begin == base;
	same &= !alloc_get_type(local) && !alloc_get_site(local);
	same &= alloc_get_name(local, name, sizeof name) == name && !strcmp(name, "[stack]");
	printf("%s: %s\n", what, same ? "as it sees itself" : "otherwise");
}

/* The stack of a thread that has ended stays mapped for the next one. */
static void ended(void)
{
	for (int i = 0; i < 10000 && strcmp(allocator_of(local), "mmap"); ++i) usleep(1000);
	printf("when it has ended: %s\n", allocator_of(local));
}

static void run_on(char *stack, const char *what)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, SIZE);
	pthread_create(&thread, &attributes, body, NULL);
	pthread_attr_destroy(&attributes);
	ask(what);
	sem_post(&done);
	pthread_join(thread, NULL);
}

int main(void)
{
	char mine = 0;
	pthread_t thread;
	thrd_t c11;
	sem_init(&started, 0, 0);
	sem_init(&done, 0, 0);
	main_local = &mine;

	pthread_create(&thread, NULL, body, NULL);
	ask("a thread of the C library's");
	printf("its guard: %s\n", guard ? allocator_of(base - 1) : "none");
	sem_post(&done);
	pthread_join(thread, NULL);
	printf("when it has ended: %s\n", allocator_of(local));

	thrd_create(&c11, c11_body, NULL);
	ask("a C11 thread");
	sem_post(&done);
	thrd_join(c11, NULL);
	printf("when it has ended: %s\n", allocator_of(local));

	pthread_create(&thread, NULL, body, NULL);
	pthread_detach(thread);
	ask("a detached thread");
	sem_post(&done);
	ended();

	pthread_create(&thread, NULL, body, NULL);
	ask("a cancelled thread");
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	printf("when it has ended: %s\n", allocator_of(local));

	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified };
	struct itimerspec at_once = { .it_value.tv_nsec = 1 };
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &at_once, NULL);
	ask("a thread that the C library starts for itself");
	sem_post(&done);
	ended();

	char *mapping = mmap(NULL, 3 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	run_on(mapping + SIZE + 64, "a thread on a part of a mapping");
	printf("when it has ended: %s\n", allocator_of(local));
	char *block = malloc(SIZE);
	run_on(block, "a thread on a heap block");
	free(block);
	run_on(in_static, "a thread on a static");
	printf("the main thread from another: %s, %s\n", of_main, name_of_main ? name_of_main : "no name");
	return 0;
}
