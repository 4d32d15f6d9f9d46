//@ cflags: -pthread
//@ modes: library O0 O2 -O2,-fomit-frame-pointer clang
//@ stdout: under qsort: in callback stackframe, in qsorts stackframe, in main stackframe
//@ stdout: under bsearch: in callback stackframe, in bsearches stackframe, in main stackframe
//@ stdout: under twalk: in callback stackframe, in twalks stackframe, in main stackframe
//@ stdout: under pthread_once: in callback stackframe, in onces stackframe, in main stackframe
//@ stdout: under a signal under qsort: in callback stackframe, in qsorts_and_raises stackframe, in main stackframe
//@ stdout: frames by name: callback compare_and_raise qsorts_and_raises main
//@ stdout: under two signals: in callback stackframe, in raises_twice stackframe, in main stackframe
//@ stdout: under exit: in callback stackframe, in at_exit stackframe
/* Frames through functions that the C library calls back, and through signals. */
#include <allocs.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>

static const char *where;
static int *outer, *of_main;
static char outer_name[40];
static int walked, wants_names;

__attribute__((noinline)) static const char *allocator_of(void *p)
{
	struct allocator *allocator = alloc_get_allocator(p);
	return allocator ? allocator->name : "none";
}

/* The allocator of a variable, and before it the function whose frame has it. */
__attribute__((noinline)) static void show(const char *function, void *p)
{
	char name[64];
	const char *type = UNIQTYPE_NAME(alloc_get_type(p));
	snprintf(name, sizeof name, "callbacks_c_%s_vaddrs_0x", function);
	printf("in %s %s", type && !strncmp(type, name, strlen(name)) ? function : "another", allocator_of(p));
}

static int print_name(void *ip, void *sp, void *bp, void *arg)
{
	char name[64];
	if (!alloc_get_name((char *) ip - 1, name, sizeof name)) return 0;
	static const char *const mine[] = { "callback", "compare_and_raise", "qsorts_and_raises", "main" };
	for (int i = 0; i < 4; ++i)
		if (!strcmp(name, mine[i])) printf(" %s", name);
	return (void) sp, (void) bp, (void) arg, !strcmp(name, "main");
}

__attribute__((noinline)) static void callback(void)
{
	volatile int local = 0;
	if (walked++) return;
	printf("under %s: ", where);
	show("callback", (void *) &local);
	printf(", ");
	show(outer_name, outer);
	if (of_main) {
		printf(", ");
		show("main", of_main);
	}
	puts("");
	if (!wants_names) return;
	printf("frames by name:");
	__liballocs_walk_stack(print_name, NULL);
	puts("");
	wants_names = 0;
}

#define START(text) \
	volatile int local = 0; \
	outer = (int *) &local; \
	strcpy(outer_name, __func__); \
	where = text; \
	walked = 0

static int compare(const void *a, const void *b)
{
	callback();
	return *(const int *) a - *(const int *) b;
}

__attribute__((noinline)) static int compare_and_raise(const void *a, const void *b)
{
	raise(SIGUSR1);
	return *(const int *) a - *(const int *) b;
}

static void action(const void *node, VISIT order, int level)
{
	callback();
	(void) node, (void) order, (void) level;
}

static void on_signal(int signal)
{
	if (signal == SIGUSR2) raise(SIGUSR1);
	else callback();
}

static int numbers[3] = { 3, 1, 2 };

__attribute__((noinline)) static int qsorts(void)
{
	START("qsort");
	qsort(numbers, 3, sizeof (int), compare);
	return local;
}

__attribute__((noinline)) static int bsearches(void)
{
	START("bsearch");
	int key = 2;
	bsearch(&key, numbers, 3, sizeof (int), compare);
	return local;
}

__attribute__((noinline)) static int twalks(void)
{
	START("twalk");
	void *root = NULL;
	walked = 1;
	tsearch(&numbers[0], &root, compare);
	walked = 0;
	twalk(root, action);
	walked = 1;
	tdelete(&numbers[0], &root, compare);
	return local;
}

__attribute__((noinline)) static int onces(void)
{
	START("pthread_once");
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, callback);
	return local;
}

__attribute__((noinline)) static int qsorts_and_raises(void)
{
	START("a signal under qsort");
	wants_names = 1;
	qsort(numbers, 3, sizeof (int), compare_and_raise);
	return local;
}

__attribute__((noinline)) static int raises_twice(void)
{
	START("two signals");
	raise(SIGUSR2);
	return local;
}

__attribute__((noinline)) static void at_exit(void)
{
	START("exit");
	of_main = NULL;
	callback();
	(void) local;
}

int main(void)
{
	volatile int local = 0;
	of_main = (int *) &local;
	atexit(at_exit);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	int sum = qsorts() + bsearches() + twalks() + onces() + qsorts_and_raises();
	wants_names = 0;
	return sum + raises_twice();
}
