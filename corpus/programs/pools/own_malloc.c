// A program with a malloc of its own, which everything in the process uses: in memory that it maps, and with blocks on boundaries of 8 bytes.
// Not with gcc's -O1: there aligned_alloc begins with a call, which cannot be moved, and so is not seen.
//@ cflags: -O2
//@ with: own_malloc_arena.c
//@ modes: library clang O0 Os -O2,-no-pie -O2,-fcf-protection strip plain
//@ stdout: malloc: generic malloc, its own, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: calloc: generic malloc, its own, __ARR0_thing, 240 of 240, base 1, site 1
//@ stdout: realloc: generic malloc, its own, __ARR0_thing, 720 of 720, base 1, site 1
//@ stdout: aligned: generic malloc, its own, __ARR0_thing, 24 of 24, base 1, site 1
//@ stdout: posix_memalign: generic malloc, its own, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: strdup: generic malloc, its own, __ARR0_signed_char$8, 6 of 6, base 1, site 1
//@ stdout: freed: mmap, none
//@ stdout: a failed one leaves it: generic malloc, its own, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: in 4 threads: 0 wrong
//@ stdout: in a child: generic malloc, its own, __ARR0_point, 16 of 16, base 1, site 1
//@ stdout: exit status 0
//@ plain-stdout: without the library
#define _GNU_SOURCE
#include "pools.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

NOINLINE static void show_own(const char *what, void *p, void *base, size_t size)
{
	struct allocator *a = alloc_get_allocator(p);
	printf("%s: %s, %s, %s, %lu of %lu, base %d, site %d\n", what, a ? a->name : "none",
		a == &__global_malloc_allocator ? "its own" : "another", type_name(p), alloc_get_size(p),
		(unsigned long) size, alloc_get_base(p) == base, is_in_main(alloc_get_site(p)));
}

static void *many(void *wrong)
{
	struct thing *kept[1000];
	for (int i = 0; i < 1000; i++) {
		kept[i] = malloc((i % 7 + 1) * sizeof (struct thing));
		if (i % 3 == 0) free(kept[i]);
	}
	for (int i = 0; i < 1000; i++) {
		void *base = alloc_get_base(&kept[i]->b);
		if ((base == kept[i]) != (i % 3 != 0)) __atomic_add_fetch((int *) wrong, 1, __ATOMIC_RELAXED);
		if (i % 3 && alloc_get_size(&kept[i]->b) != (i % 7 + 1) * sizeof (struct thing))
			__atomic_add_fetch((int *) wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(void)
{
	struct point *p = malloc(sizeof *p);
	if (!alloc_get_allocator(p)) return puts("without the library"), 0;
	show_own("malloc", &p->y, p, sizeof *p);
	struct thing *things = calloc(10, sizeof *things);
	show_own("calloc", things + 9, things, 10 * sizeof *things);
	struct thing *more = realloc(things, 30 * sizeof *more);
	show_own("realloc", more + 29, more, 30 * sizeof *more);
	struct thing *aligned = aligned_alloc(64, sizeof *aligned);
	show_own("aligned", aligned, aligned, sizeof *aligned);
	void *out = NULL;
	if (posix_memalign(&out, 128, sizeof (struct point))) return 1;
	show_own("posix_memalign", out, out, sizeof (struct point));
	char *text = strdup("hello");
	show_own("strdup", text + 5, text, 6);
	free(more);
	where("freed", more);
	if (realloc(p, (size_t) 1 << 40)) return 1;
	show_own("a failed one leaves it", p, p, sizeof *p);
	pthread_t threads[4];
	int wrong = 0;
	for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, many, &wrong);
	for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
	printf("in 4 threads: %d wrong\n", wrong);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		struct point *q = malloc(sizeof *q);
		show_own("in a child", q, q, sizeof *q);
		fflush(stdout);
		_exit(0);
	}
	int status = 1;
	waitpid(child, &status, 0);
	printf("exit status %d\n", status);
	return 0;
}
