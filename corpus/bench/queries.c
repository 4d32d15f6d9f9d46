/* Times type queries, in nanoseconds over a call that does nothing: one line `NAME NANOSECONDS` each. */
#define _GNU_SOURCE
#include <allocs.h>
#include <time.h>

enum { ROUNDS = 5, BLOCKS = 1 << 17 };

struct node {
	struct node *next;
	long payload[5];
};

static struct uniqtype *nothing(void *obj)
{
	(void) obj;
	return NULL;
}

static struct uniqtype *query(void *obj)
{
	return alloc_get_type(obj);
}

/* Volatile, so that no call is folded or hoisted. */
static struct uniqtype *(*volatile ask)(void *);
static struct uniqtype *volatile answer;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double least(void **objects, unsigned mask, long calls)
{
	double best = 1e18;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now();
		for (long i = 0; i < calls; i++)
			answer = ask(objects[i & mask]);
		double each = (now() - start) / calls;
		best = each < best ? each : best;
	}
	return best;
}

static void report(const char *name, void **objects, unsigned mask, long calls)
{
	ask = query;
	double with = least(objects, mask, calls);
	struct uniqtype *last = answer;
	ask = nothing;
	double without = least(objects, mask, calls);
	printf("%s %.1f %s\n", name, with - without, last ? UNIQTYPE_NAME(last) : "(unknown)");
}

/* Asks about a local of the frame that is `depth` frames out. */
static __attribute__((noinline)) int nested(int depth, const char *name, void *object)
{
	volatile int keeps_the_frame = depth;
	if (depth > 1)
		nested(depth - 1, name, object);
	else
		report(name, &object, 0, 100000);
	return keeps_the_frame;
}

int main(void)
{
	static struct node global;
	static void *spread[BLOCKS];
	struct node local = { 0 };
	void *one = malloc(sizeof (struct node)), *object;
	for (unsigned i = 0; i < BLOCKS; i++)
		spread[i] = malloc(sizeof (struct node));
	for (unsigned i = BLOCKS - 1, random = 1; i > 0; i--) {
		random = random * 1103515245 + 12345;
		unsigned other = (random >> 8) % (i + 1);
		void *swapped = spread[i];
		spread[i] = spread[other];
		spread[other] = swapped;
	}
	object = (char *) one + 20;
	report("heap-hot", &object, 0, 1000000);
	report("heap-spread", spread, BLOCKS - 1, 1000000);
	object = &global.payload[2];
	report("static", &object, 0, 1000000);
	nested(5, "stack-5", &local.payload[1]);
	nested(20, "stack-20", &local.payload[1]);
	nested(100, "stack-100", &local.payload[1]);
	return 0;
}
