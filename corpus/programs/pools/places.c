// Pools in a static array, in a mapping, in each other and in a block that is reallocated; pools that are emptied at once; and what is
// asked inside a pool's function and from other threads and signal handlers.
//@ build-env: LIBALLOCS_SUBALLOC_FNS=bump(pZ)p
//@ cflags: -O2 -fno-strict-aliasing
//@ modes: library clang O0 O3 -O2,-no-pie
//@ stdout: in a static array: generic small, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: behind it: static, none
//@ stdout: in a mapping: generic small, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: behind it: mmap, none
//@ stdout: unmapped: none, none
//@ stdout: outer: generic small, __ARR0_signed_char$8, 4096 of 4096, base 1, site 1
//@ stdout: inner: generic small, __ARR0_thing, 24 of 24, base 1, site 1
//@ stdout: behind it: generic small, __ARR0_signed_char$8
//@ stdout: outer still there: generic small, __ARR0_signed_char$8, 4096 of 4096, base 1, site 1
//@ stdout: emptied and used again: generic small, __ARR0_point, 32 of 32, base 1, site 1
//@ stdout: behind it: generic malloc, none
//@ stdout: walked: 1 of 1, in a static array 1 of 1, array without type 1
//@ stdout: block reallocated: generic malloc, __ARR0_unsigned_char$8
//@ stdout: inside the function: local there 1
//@ stdout: frames up to main: 1
//@ stdout: in 4 threads: 0 wrong
//@ stdout: signals: 1, 0 wrong
#define _GNU_SOURCE
#include "pools.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

/* Neither inlined nor copied for constant arguments. */
#ifdef __clang__
#define WHOLE __attribute__((noinline, optnone))
#else
#define WHOLE __attribute__((noipa))
#endif

struct arena {
	char *memory, *next, *end;
	void (*inside)(void);
};

WHOLE void *bump(struct arena *a, size_t size)
{
	if (a->inside) a->inside();
	size = (size + 7) & ~(size_t) 7;
	if (size > (size_t) (a->end - a->next)) return NULL;
	char *p = a->next;
	a->next += size;
	return p;
}

static struct arena over(void *memory, size_t size)
{
	struct arena a = { memory, memory, (char *) memory + size, NULL };
	return a;
}

static char fixed[1 << 16] __attribute__((aligned(16)));
static void *seen, *seen_in_static;
static int walked, walked_in_static, arrays;

static int count(struct big_allocation *b, void *obj, struct uniqtype *t, const void *site, struct alloc_tree_link *link, void *arg)
{
	(void) b, (void) site, (void) link, (void) arg;
	walked += obj == seen && t == alloc_get_type(obj);
	walked_in_static += obj == seen_in_static && t && t == alloc_get_type(obj);
	arrays += obj == fixed && !t;
	return 0;
}

static int *local_of_main;
static int frames;
static int frame(void *ip, void *sp, void *bp, void *arg)
{
	(void) sp, (void) bp, (void) arg;
	frames += is_in_main(ip);
	return 0;
}

WHOLE static void ask_inside(void)
{
	char *base = alloc_get_base(local_of_main);
	printf("inside the function: local there %d\n",
		base <= (char *) local_of_main && (char *) local_of_main < base + alloc_get_size(local_of_main));
	__liballocs_walk_stack(frame, NULL);
	printf("frames up to main: %d\n", frames);
}

static void *use(void *wrong)
{
	size_t size = 1 << 16;
	struct arena a = over(malloc(size), size);
	for (int round = 0; round < 20; round++) {
		struct thing *kept[500];
		a.next = a.memory;
		for (int i = 0; i < 500; i++) kept[i] = bump(&a, (i % 3 + 1) * sizeof (struct thing));
		for (int i = 0; i < 500; i++)
			if (alloc_get_base(&kept[i]->b) != kept[i] || alloc_get_size(kept[i]) != (i % 3 + 1) * sizeof (struct thing))
				__atomic_add_fetch((int *) wrong, 1, __ATOMIC_RELAXED);
	}
	free(a.memory);
	return NULL;
}

static struct point *volatile asked;
static volatile sig_atomic_t signals, wrong_in_signals;
static void handler(int number)
{
	(void) number;
	signals++;
	if (alloc_get_base(&asked->y) != asked) wrong_in_signals++;
}

int main(void)
{
	struct arena a = over(fixed, sizeof fixed);
	struct point *p = bump(&a, sizeof *p);
	show("in a static array", &p->y, p, sizeof *p);
	where("behind it", p + 1);

	size_t size = 1 << 20;
	struct arena m = over(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size);
	struct point *q = bump(&m, sizeof *q);
	show("in a mapping", q, q, sizeof *q);
	where("behind it", q + 1);
	munmap(m.memory, size);
	where("unmapped", q);

	struct arena outer = over(malloc(1 << 15), 1 << 15);
	char *chunk = bump(&outer, 4096);
	show("outer", chunk + 4000, chunk, 4096);
	struct arena inner = over(chunk + 8, 4088);
	bump(&inner, 8);
	struct thing *t = bump(&inner, sizeof *t);
	show("inner", &t->b, t, sizeof *t);
	where("behind it", t + 1);
	show("outer still there", chunk + 4000, chunk, 4096);

	struct arena again = over(malloc(512), 512);
	for (int i = 0; i < 20; i++) bump(&again, sizeof (struct thing));
	again.next = again.memory;
	bump(&again, 8);
	struct point *two = bump(&again, 2 * sizeof *two);
	show("emptied and used again", two + 1, two, 2 * sizeof *two);
	where("behind it", (char *) (two + 2));
	seen = two, seen_in_static = p;
	__liballocs_walk_allocations_df(NULL, count, NULL);
	printf("walked: %d of 1, in a static array %d of 1, array without type %d\n", walked, walked_in_static, arrays);
	again.memory = realloc(again.memory, 600);
	where("block reallocated", again.memory + 8);

	int local = 1;
	local_of_main = &local;
	again.inside = ask_inside;
	bump(&again, 8);

	pthread_t threads[4];
	int wrong = 0;
	for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, use, &wrong);
	for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
	printf("in 4 threads: %d wrong\n", wrong);

	asked = p;
	signal(SIGALRM, handler);
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	setitimer(ITIMER_REAL, &often, NULL);
	while (signals < 20) {
		a.next = (char *) (p + 1);
		while (bump(&a, 48)) {}
	}
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &never, NULL);
	printf("signals: %d, %d wrong\n", signals >= 20, wrong_in_signals);
	return 0;
}
