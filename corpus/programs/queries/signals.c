//@ modes: library O0 O2
//@ stdout: every answer was right, in the handler too
/* Queries in a handler that interrupts malloc, free and queries at any instruction. */
#include <allocs.h>
#include <signal.h>
#include <sys/time.h>

struct item {
	struct item *next;
	char text[20];
};
static struct item *volatile live, global;
static volatile int wrong, handled;
static int *interrupted;

static void check(int *local)
{
	struct item *p = live;
	if (p && (alloc_get_base(&p->text[3]) != p || alloc_get_size(p) != sizeof *p)) wrong |= 1;
	if (p && strcmp(UNIQTYPE_NAME(alloc_get_type(p)), "__ARR0_item")) wrong |= 2;
	if (strcmp(UNIQTYPE_NAME(alloc_get_type(&global)), "item")) wrong |= 4;
	if (strcmp(alloc_get_allocator(local)->name, "stackframe")) wrong |= 8;
	if (!alloc_get_precise_type(&global) || alloc_get_type((void *) 8)) wrong |= 16;
}

static void handler(int signal)
{
	int local = signal;
	check(&local);
	check(interrupted);
	++handled;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 200 }, { 0, 200 } };
	int local = 0;
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
	interrupted = &local;
	live = malloc(sizeof (struct item));
	for (int i = 0; i < 100000000 && handled < 500; ++i) {
		void *other = malloc(i % 300);
		check(&local);
		free(other);
	}
	if (!wrong && handled) puts("every answer was right, in the handler too");
	else printf("wrong: %d of %d\n", wrong, handled);
	return 0;
}
