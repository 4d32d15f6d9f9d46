// Queries from signal handlers, in any thread and at any instruction of malloc and free, answer and do not hang.
//@ cflags: -O1 -pthread -fno-builtin
//@ modes: library ulimit -no-pie
//@ stdout: 0 wrong answers about blocks that stay
//@ stdout: handlers ran: 1, queries of blocks in motion were answered: 1
#include <allocs.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { THREADS = 3, MOVING = 64, SECONDS = 1 };

static char *steady[100];
static char *_Atomic moving[MOVING];
static _Atomic long wrong, handled, answered;
static _Atomic int stop;

static size_t steady_size(int i) { return 10 + 700 * (size_t) i; }

static void on_alarm(int signal)
{
	static _Atomic unsigned turn;
	unsigned t = turn++, i = t % 100;
	(void) signal;
	wrong += alloc_get_base(steady[i] + steady_size((int) i) / 2) != steady[i];
	wrong += alloc_get_size(steady[i]) != steady_size((int) i);
	for (i = 0; i < MOVING; i++) {
		struct allocator *a = alloc_get_allocator(moving[i]);
		alloc_get_type(moving[i]);
		answered += a != NULL;
	}
	handled++;
}

static void *work(void *argument)
{
	unsigned r = (unsigned)(uintptr_t) argument;
	while (!stop) {
		r = r * 1103515245 + 12345;
		unsigned i = (r >> 8) % MOVING;
		char *p = __atomic_exchange_n(&moving[i], NULL, __ATOMIC_ACQ_REL);
		if (r >> 30 == 0 || !p) {
			free(p);
			p = malloc(r % 8 == 0 ? 200000 : (r >> 10) % 5000);
		} else p = realloc(p, (r >> 9) % 300000);
		p = __atomic_exchange_n(&moving[i], p, __ATOMIC_ACQ_REL);
		free(p);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct itimerval interval = { { 0, 500 }, { 0, 500 } };
	for (int i = 0; i < 100; i++) steady[i] = malloc(steady_size(i));
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	sigaction(SIGALRM, &action, NULL);
	for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	setitimer(ITIMER_REAL, &interval, NULL);
	for (int left = SECONDS; left > 0 || handled < 50;) if (sleep(1) == 0) left--; else if (handled > 1000) left = 0;
	stop = 1;
	for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
	printf("%ld wrong answers about blocks that stay\nhandlers ran: %d, queries of blocks in motion were answered: %d\n",
	       wrong, handled >= 50, answered > 0);
	return 0;
}
