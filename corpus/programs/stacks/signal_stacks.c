//@ cflags: -pthread
//@ modes: library O0 O2 clang
//@ stdout: in the handler: its frame stackframe, its stack exact, the interrupted frame stackframe, the stack below stack
//@ stdout: in the handler of another thread: its frame stackframe, its stack exact, the interrupted frame stackframe, the stack below stack
//@ stdout: of another thread: exact
//@ stdout: disarmed in the handler: its frame stackframe, its stack exact, the interrupted frame stackframe, the stack below stack
//@ stdout: named anew: exact, and the first mmap
//@ stdout: disabled: mmap
//@ stdout: of a thread that has ended: mmap
//@ stdout: in a heap block: generic malloc
/* The stacks that threads name for their signal handlers. */
#define _GNU_SOURCE
#include <allocs.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1 << 31)
#endif
#define SIZE 65536
static const char *where;
static char *signal_stack;
static int *interrupted;
static sem_t named, done;

static const char *allocator_of(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

static const char *extent(void *p)
{
	if (strcmp(allocator_of(p), "stack")) return allocator_of(p);
	char name[16];
	const char *called = alloc_get_name(p, name, sizeof name);
	int same = alloc_get_base(p) == signal_stack && alloc_get_size(p) == SIZE && !alloc_get_type(p);
	return same && called && !strcmp(called, "[stack]") ? "exact" : "not exact";
}

static void handler(int signal)
{
	int local = signal;
	printf("%s: its frame %s, ", where, allocator_of(&local));
	printf("its stack %s, the interrupted frame %s, ", extent(signal_stack + 8), allocator_of(interrupted));
	printf("the stack below %s\n", allocator_of((char *) interrupted - 16384));
}

__attribute__((noinline)) static void raised(const char *what)
{
	volatile int local = 0;
	where = what;
	interrupted = (int *) &local;
	raise(SIGUSR1);
}

/* A part of a mapping, so that its bounds are not the mapping's. */
static char *part_of_mapping(void)
{
	char *start = mmap(NULL, 3 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return start + SIZE;
}

static void name_stack(char *start, int flags)
{
	stack_t stack = { .ss_sp = start, .ss_size = SIZE, .ss_flags = flags };
	sigaltstack(&stack, NULL);
}

static void *body(void *arg)
{
	signal_stack = part_of_mapping();
	name_stack(signal_stack, 0);
	raised("in the handler of another thread");
	sem_post(&named);
	sem_wait(&done);
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sem_init(&named, 0, 0);
	sem_init(&done, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	char *first = signal_stack = part_of_mapping();
	name_stack(first, 0);
	raised("in the handler");

	pthread_create(&thread, NULL, body, NULL);
	sem_wait(&named);
	char *of_thread = signal_stack;
	printf("of another thread: %s\n", extent(of_thread + SIZE - 1));

	signal_stack = part_of_mapping();
	name_stack(signal_stack, SS_AUTODISARM);
	raised("disarmed in the handler");
	printf("named anew: %s, and the first %s\n", extent(signal_stack), allocator_of(first));
	name_stack(NULL, SS_DISABLE);
	printf("disabled: %s\n", allocator_of(signal_stack));

	sem_post(&done);
	pthread_join(thread, NULL);
	printf("of a thread that has ended: %s\n", allocator_of(of_thread));

	char *block = malloc(SIZE);
	name_stack(block, 0);
	printf("in a heap block: %s\n", allocator_of(block + 8));
	name_stack(NULL, SS_DISABLE);
	free(block);
	return 0;
}
