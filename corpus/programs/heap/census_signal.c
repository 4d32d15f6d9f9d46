// With LIBALLOCS_CENSUS_SIGNAL a census is written at any moment; %p in its name is the process, of a forked child too.
//@ cflags: -O1 -fno-builtin -w
//@ modes: library
//@ env: LIBALLOCS_CENSUS=/tmp/census.%p
//@ env: LIBALLOCS_CENSUS_SIGNAL=1
//@ stdout: at the signal 5 more allocations of 500 bytes, 3 more live blocks of 300
//@ stdout: the child wrote its own: 1
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct numbers { long live, live_bytes, total, total_bytes; };

/* Reads the census of a process without allocating, and removes it. */
static struct numbers read_census(pid_t pid)
{
	static char file[50], text[1 << 16];
	struct numbers sum = { 0 };
	snprintf(file, sizeof file, "/tmp/census.%d", (int) pid);
	FILE *f = fopen(file, "r");
	if (!f) return sum;
	setvbuf(f, NULL, _IONBF, 0);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	for (char *at = text; (at = strstr(at, "\"live\":")); at++) {
		struct numbers n;
		sscanf(at, "\"live\":%ld,\"live_bytes\":%ld,\"total\":%ld,\"total_bytes\":%ld", &n.live, &n.live_bytes, &n.total,
		       &n.total_bytes);
		sum.live += n.live; sum.live_bytes += n.live_bytes;
		sum.total += n.total; sum.total_bytes += n.total_bytes;
	}
	fclose(f);
	unlink(file);
	return sum;
}

int main(void)
{
	struct numbers a, b;
	void *p[5];
	raise(SIGUSR2);
	a = read_census(getpid());
	raise(SIGUSR2);
	a = read_census(getpid());
	raise(SIGUSR2);
	b = read_census(getpid());
	struct numbers reading = { .total = b.total - a.total, .total_bytes = b.total_bytes - a.total_bytes };
	a = b;
	for (int i = 0; i < 5; i++) p[i] = malloc(100);
	free(p[0]);
	free(p[3]);
	raise(SIGUSR2);
	b = read_census(getpid());
	printf("at the signal %ld more allocations of %ld bytes, %ld more live blocks of %ld\n",
	       b.total - a.total - reading.total, b.total_bytes - a.total_bytes - reading.total_bytes, b.live - a.live,
	       b.live_bytes - a.live_bytes);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) exit(0);
	waitpid(child, NULL, 0);
	printf("the child wrote its own: %d\n", read_census(child).total > 0);
	fflush(stdout);
	unsetenv("LIBALLOCS_CENSUS");
	_exit(0);
}
