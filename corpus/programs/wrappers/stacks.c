// Wrappers are left on whichever stack they run: of threads, of signal handlers that interrupt allocations and of
// coroutines. Types and sites are right all the time.
//@ cflags: -g -pthread
//@ modes: library O2 O3 -O2,-fno-asynchronous-unwind-tables -O2,-fno-omit-frame-pointer
//@ stdout: threads: 0 wrong
//@ stdout: signal handlers: 0 wrong, ran: 1
//@ stdout: coroutines: 0 wrong
#define _GNU_SOURCE
#include "wrappers.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

WRAPPER void *first(size_t n)
{
	void *p = malloc(n);
	if (!p) abort();
	return p;
}

WRAPPER void *second(size_t n, int length)
{
	char space[length];
	touch(space);
	void *p = first(n);
	touch(space);
	return p;
}

enum { THREADS = 4, TURNS = 20000, COROUTINES = 4 };

static _Atomic int wrong[3], handled;
static _Atomic int is_safe;

static void turn(int i, int which)
{
	struct one *one = first(3 * sizeof *one);
	struct two *two = second(4 * sizeof *two, 10 + i % 500);
	struct three *three = second((i % 7 ? 5 : 30000) * sizeof *three, 20);
	wrong[which] += strcmp(name(one), "__ARR0_one") != 0;
	wrong[which] += strcmp(name(two), "__ARR0_two") != 0;
	wrong[which] += strcmp(name(three), "__ARR0_three") != 0;
	free(one);
	free(two);
	free(three);
}

static void *work(void *argument)
{
	for (int i = 0; i < TURNS; i++) turn(i, 0);
	return argument;
}

/* Runs on its own small stack, between two instructions that allocate nothing. */
static void on_alarm(int number)
{
	(void) number;
	if (!is_safe) return;
	turn(handled++, 1);
}

static ucontext_t coroutines[COROUTINES], scheduler;

static void coroutine(int self)
{
	for (int i = 0; i < 500; i++) {
		turn(i, 2);
		swapcontext(&coroutines[self], &scheduler);
	}
}

int main(void)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
	printf("threads: %d wrong\n", wrong[0]);

	static char signal_stack[16384];
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack };
	sigaltstack(&stack, NULL);
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaction(SIGALRM, &action, NULL);
	struct itimerval interval = { { 0, 500 }, { 0, 500 } };
	setitimer(ITIMER_REAL, &interval, NULL);
	is_safe = 1;
	for (volatile long i = 0; handled < 200; i++) continue;
	is_safe = 0;
	setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
	printf("signal handlers: %d wrong, ran: %d\n", wrong[1], handled >= 200);

	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&coroutines[i]);
		coroutines[i].uc_stack.ss_size = 16384;
		coroutines[i].uc_stack.ss_sp =
			mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		coroutines[i].uc_link = &scheduler;
		makecontext(&coroutines[i], (void (*)(void)) coroutine, 1, i);
	}
	for (int i = 0; i < 500 * COROUTINES; i++) swapcontext(&scheduler, &coroutines[i % COROUTINES]);
	printf("coroutines: %d wrong\n", wrong[2]);
	return 0;
}
