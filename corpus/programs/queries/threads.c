//@ cflags: -pthread
//@ modes: library O0 O2
//@ stdout: all threads got the same addresses
//@ stdout: every answer was right
/* Threads that ask at the same time, each for the first time, get one address for one type. */
#include <allocs.h>
#include <pthread.h>

#define THREADS 8
struct a { struct b *b; int n; };
struct b { struct c *c; struct a *as[3]; };
struct c { struct d { struct a *a; char text[7]; } d; union { int i; struct b *b; } u; };

static struct a global_a;
static struct b global_b[4];
static struct c global_c;
static pthread_barrier_t barrier;
static struct uniqtype *seen[THREADS][6];
static int wrong;

static void *ask(void *arg)
{
	struct uniqtype **mine = seen[(long) arg];
	int local = 0;
	pthread_barrier_wait(&barrier);
	mine[0] = alloc_get_type(&global_c);
	mine[1] = alloc_get_type(&global_a);
	mine[2] = alloc_get_type(global_b);
	mine[3] = alloc_get_type((void *) ask);
	for (int i = 0; i < 2000; ++i) {
		struct c *p = malloc((i % 5 + 1) * sizeof (struct c));
		struct uniqtype *t = alloc_get_precise_type(&p[i % 5].u);
		if (!t || UNIQTYPE_ARRAY_LENGTH(t) != (unsigned) i % 5 + 1 || UNIQTYPE_ARRAY_ELEMENT_TYPE(t) != mine[0])
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		if (alloc_get_base(&p->d.text) != p) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		if (strcmp(alloc_get_allocator(&local)->name, "stackframe")) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		mine[4] = alloc_get_type(p);
		free(p);
	}
	mine[5] = UNIQTYPE_POINTEE_TYPE(mine[1]->related[0].un.memb.ptr);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, ask, (void *) i);
	for (long i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
	int same = 1;
	for (int i = 1; i < THREADS; ++i)
		for (int j = 0; j < 6; ++j) same &= seen[i][j] && seen[i][j] == seen[0][j];
	if (same && seen[0][5] == UNIQTYPE_ARRAY_ELEMENT_TYPE(seen[0][2])) puts("all threads got the same addresses");
	if (!wrong) puts("every answer was right");
	return 0;
}
