// Threads that allocate, reallocate and free each other's blocks lose no byte; forks in between find a usable heap.
//@ cflags: -O1 -pthread
//@ modes: plain library valgrind ulimit
//@ stdout: 0 blocks were damaged, 0 children failed
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, SHELVES = 512, ROUNDS = 20000, FORKS = 10 };

struct block { size_t size; unsigned char fill; unsigned char bytes[]; };

static _Atomic(struct block *) shelf[SHELVES];
static _Atomic int damaged;

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13; *state ^= *state >> 17; *state ^= *state << 5;
	return *state;
}

static struct block *filled(struct block *b, size_t size, unsigned char fill)
{
	b->size = size; b->fill = fill;
	memset(b->bytes, fill, size);
	return b;
}

static void check(const struct block *b)
{
	for (size_t i = 0; i < b->size; i += 61) damaged += b->bytes[i] != b->fill;
}

static void *work(void *argument)
{
	uint32_t random = (uint32_t)(uintptr_t) argument * 2654435761u + 1;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t r = next_random(&random);
		size_t size = r % 64 == 0 ? 50000 + r % 100000 : r % 600;
		struct block *mine = NULL, *old;
		switch (r >> 30) {
		case 0: mine = calloc(1, sizeof *mine + size); break;
		case 1:
			if (posix_memalign((void **) &mine, 64, sizeof *mine + size)) abort();
			break;
		default: mine = malloc(sizeof *mine + size);
		}
		filled(mine, size, (unsigned char) r);
		old = __atomic_exchange_n(&shelf[next_random(&random) % SHELVES], mine, __ATOMIC_ACQ_REL);
		if (!old) continue;
		check(old);
		if (r & 1) {
			size_t kept = old->size;
			old = realloc(old, sizeof *old + kept * 2);
			check(old);
			filled(old, kept * 2, (unsigned char)(r >> 8));
			check(old);
		}
		free(old);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int failed = 0;
	for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *) (i + 1));
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (child == 0) {
			char *p = malloc(100000);
			memset(p, 1, 100000);
			p = realloc(p, 200000);
			free(strdup(p[5] == 1 ? "a" : "b"));
			free(p);
			_exit(0);
		}
		int status;
		failed += waitpid(child, &status, 0) != child || status != 0;
	}
	for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
	printf("%d blocks were damaged, %d children failed\n", damaged, failed);
	return 0;
}
