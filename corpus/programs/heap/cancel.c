// A thread that is cancelled while it waits for a line is unwound through the library, and its cleanups run.
//@ cflags: -O1 -pthread
//@ modes: plain library
//@ stdout: cancelled: 1, cleanups: 1
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int cleanups;
static FILE *never;

static void clean_up(void *line)
{
	cleanups++;
	free(*(char **) line);
}

static void *wait_for_a_line(void *unused)
{
	char *line = NULL;
	size_t size = 0;
	(void) unused;
	pthread_cleanup_push(clean_up, &line);
	while (getline(&line, &size, never) > 0);
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	int ends[2];
	if (pipe(ends) != 0 || !(never = fdopen(ends[0], "r"))) return 1;
	pthread_t thread;
	void *result;
	pthread_create(&thread, NULL, wait_for_a_line, NULL);
	usleep(100000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled: %d, cleanups: %d\n", result == PTHREAD_CANCELED, cleanups);
	return 0;
}
